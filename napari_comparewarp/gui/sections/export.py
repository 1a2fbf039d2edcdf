"""The section that exports: what, where to, and what that would replace."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QSettings, Qt, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...algorithm.overrides import Decision, FootprintKey
from ...errors import OutputError
from ...inspection.inspection import Inspection
from ...io.headers import kind_in_words
from ...outputs import PRODUCTS, Outputs
from ..widgets.plain_text import as_plain
from ..workers.destroyed import on_destroyed
from ..workers.export import Export

__all__ = ["ExportSection"]

_UNITS = ("B", "kB", "MB", "GB", "TB")


class Exportable(Protocol):
    """What a section exports from: a `Session`, or what looks like one."""

    @property
    def inspection(self) -> Inspection:
        """What is open."""

    @property
    def result_changed(self) -> Any:
        """The Qt signal that the result is another."""

    def tune(self, **knobs: Any) -> None:
        """Change some knobs."""


class ExportSection(QWidget):
    """Check boxes for all that can be written, a place, and a summary.

    Parameters
    ----------
    parent : QWidget, optional
    settings : QSettings, optional
        Where the folder and the choices are remembered.

    Attributes
    ----------
    written : Signal
        Sent with the list of what was written.
    inspection_saved : Signal
        Sent with the decisions that are in a file now.
    """

    written = Signal(list)
    inspection_saved = Signal(object)

    def __init__(self, parent: QWidget | None = None, settings: QSettings | None = None) -> None:
        super().__init__(parent)
        self._session: Exportable | None = None
        self._export: Export | None = None
        self._saving: dict[FootprintKey, Decision] | None = None
        self._settings = settings or QSettings("napari-comparewarp", "napari-comparewarp")
        self.folder, self.name = QLineEdit(), QLineEdit()
        self.folder.setText(self._settings.value("export/folder", str(Path.cwd()), str))
        self.folder.setToolTip("The folder that all of it is written to")
        self.name.setToolTip("The name of the coadd; what goes with it begins with it")
        self.browse = QToolButton()
        self.browse.setText("…")
        self.browse.setToolTip("Choose the folder")
        self.browse.clicked.connect(self._choose_folder)
        proposed = ",".join(name for name, product in PRODUCTS.items() if product.chosen)
        chosen = self._settings.value("export/products", proposed, str).split(",")
        self.boxes: dict[str, QCheckBox] = {}
        self.endings: dict[str, QComboBox] = {}
        for name, product in PRODUCTS.items():
            box = QCheckBox(product.title)
            box.setChecked(name in chosen)
            box.toggled.connect(self.summarise)
            self.boxes[name] = box
            if len(product.endings) > 1:
                self.endings[name] = QComboBox()
                self.endings[name].addItems(list(product.endings))
                self.endings[name].currentIndexChanged.connect(self.summarise)
        self.input_map = QCheckBox("with input map")
        self.input_map.setToolTip("Which epochs went into each pixel, beside the coadd")
        self.input_map.clicked.connect(self._set_input_map)
        self.summary = QLabel()
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setWordWrap(True)
        self.write = QPushButton("Export")
        self.write.clicked.connect(self.export)
        self.bar, self.stop = QProgressBar(), QPushButton("Cancel")
        self.stop.setToolTip("Write no more after what is being written")
        self.stop.clicked.connect(self.cancel)
        self.folder.textChanged.connect(self.summarise)
        self.name.textChanged.connect(self.summarise)
        on_destroyed(self, _canceller(self))
        self._lay_out()
        self.set_session(None)

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._export is not None

    def set_session(self, session: Exportable | None) -> None:
        """Export from another session, or from none."""
        if self._session is not None:
            self._session.result_changed.disconnect(self._follow)
        self._session = session
        self.setEnabled(session is not None or self.busy)
        if session is None:
            self.summary.setText("No stack is open.")
            return
        session.result_changed.connect(self._follow)
        self.name.setText(_usual_name(session.inspection))
        self._follow()

    def outputs(self) -> Outputs:
        """Return what is checked, and where it goes."""
        folder, name = Path(self.folder.text()).expanduser(), self.name.text().strip()
        paths = {}
        for product, box in self.boxes.items():
            if box.isChecked():
                chooser = self.endings.get(product)
                ending = chooser.currentText() if chooser else "".join(PRODUCTS[product].endings)
                paths[product] = folder / f"{name}{PRODUCTS[product].suffix}{ending}"
        return Outputs(paths)

    def summarise(self) -> None:
        """Say what would be written, how large it is, and what it would replace."""
        if self._session is None:
            return
        outputs, result = self.outputs(), self._session.inspection.result
        fault = self._fault(outputs)
        self.write.setEnabled(not fault and not self.busy)
        if fault:
            self.summary.setText(fault)
            return
        sizes = outputs.expected_bytes(result)
        there = set(outputs.existing(result.stack.epochs))
        lines = []
        for name, path in outputs.paths.items():
            within = [file for file in there if file == path or file.parent == path]
            is_folder = PRODUCTS[name].is_folder
            replaces = f", replaces {_files(len(within))}" if within else ""
            size = _in_words(sizes[name])
            lines.append(f"{path.name}{'/' if is_folder else ''}: {size}{replaces}")
        free = shutil.disk_usage(next(iter(outputs.paths.values())).parent).free
        lines.append(f"about {_in_words(sum(sizes.values()))} in all; {_in_words(free)} are free")
        self.summary.setText("\n".join(lines))

    def export(self) -> None:
        """Write what is checked, in a worker; what exists is asked about first."""
        if self._session is None or self.busy:
            return
        inspection, outputs = self._session.inspection, self.outputs()
        fault = self._fault(outputs)
        if fault:
            show_warning(fault)
            return
        there = outputs.existing(inspection.stack.epochs)
        if there and not self._may_replace(there):
            return
        self._settings.setValue("export/folder", self.folder.text())
        self._settings.setValue("export/products", ",".join(outputs.paths))
        self._export = Export(inspection, outputs, overwrite=bool(there))
        self._export.progressed.connect(self._show_progress)
        self._export.written.connect(self._show_written)
        # What is decided from now on may not be in the file.
        self._saving = inspection.overrides if "inspection" in outputs.paths else None
        self._export.failed.connect(show_warning)
        self._export.finished.connect(self._end)
        self._show_working(True)
        self._export.start()

    def cancel(self) -> None:
        """Write no more after the product that is being written."""
        if self._export is not None:
            self._export.cancel()

    # --- the rest --------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802
        """Look again at what is there: nothing is looked at while the section is folded."""
        super().showEvent(event)
        self.summarise()

    def _lay_out(self) -> None:
        form = QFormLayout()
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.browse)
        form.addRow("Folder", row)
        form.addRow("Name", self.name)
        grid = QGridLayout()
        grid.setVerticalSpacing(2)
        for line, (name, box) in enumerate(self.boxes.items()):
            grid.addWidget(box, line, 0)
            if name in self.endings:
                grid.addWidget(self.endings[name], line, 1)
            if name == "coadd":
                grid.addWidget(self.input_map, line, 2)
        work = QHBoxLayout()
        work.addWidget(self.write)
        work.addWidget(self.bar, 1)
        work.addWidget(self.stop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addLayout(grid)
        layout.addWidget(self.summary)
        layout.addLayout(work)
        self._show_working(False)

    def _follow(self) -> None:
        """Show what belongs to the present result."""
        if self._session is not None:
            self.input_map.setChecked(self._session.inspection.config.input_map)
            if self.isVisible():
                self.summarise()

    def _fault(self, outputs: Outputs) -> str:
        """Say in one line why nothing can be written, or nothing if it can."""
        assert self._session is not None
        name = self.name.text().strip()
        if not name or Path(name).name != name:
            return f"Name {name!r}: give the name of a file, without folders"
        if not outputs.paths:
            return "Nothing is chosen"
        inputs = [Path(item.path) for item in self._session.inspection.stack.inputs]
        try:
            outputs.check(inputs, overwrite=True, names="titles")
        except OutputError as error:
            return str(error)
        return ""

    def _may_replace(self, there: list[Path]) -> bool:
        """Ask whether existing files may be replaced."""
        names = "\n".join(str(path) for path in there[:8])
        more = f"\nand {len(there) - 8} more" if len(there) > 8 else ""
        answer = QMessageBox.question(
            self, "CompareWarp", as_plain(f"Replace {_files(len(there))}?\n\n{names}{more}"),
            defaultButton=QMessageBox.StandardButton.No,
        )  # fmt: skip
        return answer == QMessageBox.StandardButton.Yes

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Export to", self.folder.text())
        if folder:
            self.folder.setText(folder)

    def _set_input_map(self, on: bool) -> None:
        if self._session is not None:
            self._session.tune(input_map=on)

    def _show_progress(self, title: str, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.bar.setFormat(f"{title} {done + 1}/{total}")

    def _show_written(self, paths: list[Path]) -> None:
        show_info(f"written to {paths[0].parent}: {', '.join(path.name for path in paths)}")
        if self._saving is not None:
            self.inspection_saved.emit(self._saving)
        self.written.emit(paths)

    def _end(self) -> None:
        self._export = None
        self._show_working(False)
        self.setEnabled(self._session is not None)
        self.summarise()

    def _show_working(self, working: bool) -> None:
        self.write.setEnabled(not working)
        self.bar.setVisible(working)
        self.stop.setVisible(working)


def _usual_name(inspection: Inspection) -> str:
    """Return the name of the folder that the warps are from."""
    if not inspection.stack.inputs:
        return "coadd"
    folder = Path(inspection.stack.inputs[0].path).absolute().parent
    return (folder.parent if kind_in_words(folder.name) else folder).name or "coadd"


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _in_words(size: float) -> str:
    """Return a size with a unit, e.g. ``14 MB``."""
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            break
        size /= 1000
    return f"{size:.2g} {unit}" if size < 100 else f"{size:.0f} {unit}"


def _canceller(section: ExportSection) -> Callable[[], None]:
    """Return what stops a section's export once Qt has destroyed the section."""
    state = section.__dict__

    def cancel() -> None:
        export = state.get("_export")
        if export is not None:
            export.cancel()

    return cancel
