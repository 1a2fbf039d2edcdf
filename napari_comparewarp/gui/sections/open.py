"""The section that opens stacks, and says what is open."""

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...io.assumptions import Assumptions
from ..session import Session
from ..widgets.fold import Fold
from ..widgets.plain_text import as_plain

__all__ = ["OpenSection"]


class OpenSection(QWidget):
    """Buttons that open, and a line about what is open.

    Attributes
    ----------
    chosen : Signal
        Sent with a folder, a list of files, or an inspection file.
    save_wanted : Signal
        Sent with the path that the inspection is to be saved to.
    """

    chosen = Signal(object)
    save_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self.folder = QPushButton("Folder …")
        self.folder.setToolTip("Open a folder of warps (FITS)")
        self.files = QPushButton("Files …")
        self.files.setToolTip("Open warps (FITS), or an inspection (.json)")
        self.save = QPushButton("Save …")
        self.save.setToolTip("Save settings and decisions as an inspection file")
        self.folder.clicked.connect(self._choose_folder)
        self.files.clicked.connect(self._choose_files)
        self.save.clicked.connect(self._choose_target)
        self.psf_sigma = QDoubleSpinBox()
        self.psf_sigma.setRange(0, 50)
        self.psf_sigma.setSingleStep(0.1)
        self.psf_sigma.setSpecialValueText("as the files say")
        self.psf_sigma.setToolTip("Gaussian sigma of the matched PSF in pixels, for files without")
        self.memory = QLineEdit()
        self.memory.setPlaceholderText("no limit; e.g. 4GB")
        self.memory.setToolTip("A stack that needs more is kept in scratch files")
        self.assume = QLineEdit()
        self.assume.setPlaceholderText("as the files say; e.g. sky=keep")
        self.assume.setToolTip(
            "What files do not say, or say wrongly, separated by blanks: "
            + "; ".join(
                f"{name}: {field.description}" for name, field in Assumptions.model_fields.items()
            )
        )
        self.about = QLabel("No stack is open.")
        self.about.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        for button in (self.folder, self.files, self.save):
            row.addWidget(button)
        layout.addLayout(row)
        layout.addWidget(self.about)
        form = QWidget()
        lines = QFormLayout(form)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.addRow("PSF sigma, pixels", self.psf_sigma)
        lines.addRow("Memory", self.memory)
        lines.addRow("Assume", self.assume)
        layout.addWidget(Fold("Reading options", form, is_open=False))
        self.set_session(None)

    def assumptions(self) -> Assumptions:
        """Return what the user says of files.

        Raises
        ------
        StackError
            If a name or a value is not known.
        """
        return Assumptions.of(self.assume.text().split())

    def set_session(self, session: Session | None) -> None:
        """Say what is open."""
        self._session = session
        self.save.setEnabled(session is not None)
        if session is None:
            self.about.setText("No stack is open.")
            return
        stack = session.inspection.stack
        height, width = stack.shape
        matched = "compared with themselves" if stack.matched is stack.direct else "and matched"
        self.about.setText(
            f"{stack.n_epochs} epochs of {height} × {width} pixels, direct {matched}, "
            f"{stack.nbytes / 1e9:.2g} GB"
            + (f"; notes on reading: {len(stack.notes)} (hover)" if stack.notes else "")
        )
        self.about.setToolTip(as_plain("\n\n".join(stack.notes)))

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of warps")
        if path:
            self.chosen.emit(Path(path))

    def _choose_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(
            self,
            "Warps or an inspection",
            "",
            "Warps, manifests, inspections (*.fi* *.fts *.gz *.fz *.toml *.ecsv *.csv *.json)",
        )
        if paths:
            one = len(paths) == 1
            self.chosen.emit(Path(paths[0]) if one else [Path(path) for path in paths])

    def _choose_target(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the inspection", "inspection.json", "Inspections (*.json)"
        )
        if path:
            self.save_wanted.emit(Path(path))
