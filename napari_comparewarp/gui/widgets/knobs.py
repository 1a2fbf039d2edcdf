"""One row for each knob of the config, generated from the config."""

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from magicgui.widgets import (
    CheckBox,
    ComboBox,
    FloatSlider,
    FloatSpinBox,
    LineEdit,
    SpinBox,
)
from pydantic.fields import FieldInfo
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QToolButton, QWidget

from ...config.knobs import CompareWarpConfig, knob_facts

__all__ = ["KnobGrid", "KnobRow", "bounds_of", "tooltip_of"]

#: A slider goes this far where the config allows more; the number beside it takes any value.
SLIDER_RANGES = {"chi_threshold": (3.0, 30.0)}

#: Values of spin boxes without an upper bound.
LARGEST = 1e6


class KnobRow(QWidget):
    """The widget of one knob: value, unit and reset.

    Parameters
    ----------
    name : str
        A field of `CompareWarpConfig`.
    parent : QWidget, optional

    Attributes
    ----------
    changed : Signal
        Sent with name and value when a person changes it.
    editor : magicgui widget
        What holds the value.
    """

    changed = Signal(str, object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        field = CompareWarpConfig.model_fields[name]
        self.name = name
        self._default = field.default
        self._optional = type(None) in get_args(field.annotation)
        self.editor: Any = _make_editor(name, field)
        self.editor.changed.connect(self._notify)
        self._used = QCheckBox()
        self._used.setToolTip("Off: this rule is not used")
        self._used.toggled.connect(self._notify)
        self._used.setVisible(self._optional)
        self.reset = QToolButton()
        self.reset.setText("↺")
        self.reset.setAutoRaise(True)
        self.reset.setToolTip(f"Back to the default, {_text(self._default)}")
        self.reset.clicked.connect(self._reset)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._used)
        layout.addWidget(self.editor.native, 1)
        layout.addWidget(self.reset)
        self.setToolTip(tooltip_of(name))
        self.show_value(self._default)

    @property
    def value(self) -> Any:
        """The value of the knob, as the config takes it."""
        if self._optional and not self._used.isChecked():
            return None
        value: Any = self.editor.value
        if isinstance(self._default, Mapping):
            return _mapping_of(value)
        if isinstance(self._default, tuple):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    def show_value(self, value: Any) -> None:
        """Show a value without emitting a signal."""
        with self.editor.changed.blocked():
            self._used.blockSignals(True)
            self._used.setChecked(value is not None)
            self._used.blockSignals(False)
            self.editor.enabled = value is not None
            if value is not None:
                self._show(value)
        self.reset.setEnabled(value != self._default)

    def _show(self, value: Any) -> None:
        editor = self.editor
        if isinstance(editor, LineEdit):
            editor.value = _text(value)
            return
        if isinstance(editor, FloatSlider | FloatSpinBox | SpinBox):
            # A value from a file may lie beyond the slider's own range.
            editor.min = min(editor.min, value)
            editor.max = max(editor.max, value)
        editor.value = value

    def _notify(self, *_: Any) -> None:
        try:
            value = self.value
        except ValueError:
            # Half of a text is no value yet.
            return
        self.editor.enabled = value is not None
        self.reset.setEnabled(value != self._default)
        self.changed.emit(self.name, value)

    def _reset(self) -> None:
        self.show_value(self._default)
        self.changed.emit(self.name, self._default)


class KnobGrid(QWidget):
    """Rows of knobs under each other, each with its label.

    Parameters
    ----------
    names : sequence of str
    parent : QWidget, optional

    Attributes
    ----------
    changed : Signal
        Sent with name and value when a person changes one.
    rows : dict of str to KnobRow
    """

    changed = Signal(str, object)

    def __init__(self, names: list[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(2)
        layout.setColumnStretch(1, 1)
        self.rows: dict[str, KnobRow] = {}
        for name in names:
            row = KnobRow(name)
            row.changed.connect(self.changed)
            label = QLabel(_label_of(name))
            label.setToolTip(tooltip_of(name))
            place = layout.rowCount()
            if isinstance(row.editor, FloatSlider):
                # A slider needs the whole width.
                layout.addWidget(label, place, 0, 1, 2)
                layout.addWidget(row, place + 1, 0, 1, 2)
            else:
                layout.addWidget(label, place, 0, Qt.AlignmentFlag.AlignVCenter)
                layout.addWidget(row, place, 1)
            self.rows[name] = row

    def show_config(self, config: CompareWarpConfig) -> None:
        """Show the values of a config without emitting a signal."""
        for name, row in self.rows.items():
            value = getattr(config, name)
            if row.value != value:
                row.show_value(value)


def tooltip_of(name: str) -> str:
    """Return what a knob means, its range, its default and its LSST name."""
    field = CompareWarpConfig.model_fields[name]
    facts = knob_facts(name)
    low, high = bounds_of(name)
    lines = [str(field.description)]
    if low is not None or high is not None:
        lines.append(f"Range: {_range_text(low, high)} {facts['unit']}".rstrip())
    lines.append(f"Default: {_text(field.default)}")
    if facts["lsst"]:
        lines.append(f"LSST: {facts['lsst']}")
    return "<p>" + "</p><p>".join(line.replace("<", "&lt;") for line in lines) + "</p>"


def bounds_of(name: str) -> tuple[float | None, float | None]:
    """Return the least and the largest value that the config takes, None: no bound."""
    low: Any = None
    high: Any = None
    for constraint in CompareWarpConfig.model_fields[name].metadata:
        if isinstance(constraint, Ge):
            low = constraint.ge
        elif isinstance(constraint, Gt):
            low = constraint.gt
        elif isinstance(constraint, Le):
            high = constraint.le
        elif isinstance(constraint, Lt):
            high = constraint.lt
    return low, high


def _label_of(name: str) -> str:
    """Return title and unit of a knob."""
    field = CompareWarpConfig.model_fields[name]
    unit = knob_facts(name)["unit"]
    if not unit or unit == "plane names":
        return str(field.title)
    return f'{field.title} <span style="color: gray; font-size: 8pt">{unit}</span>'


def _make_editor(name: str, field: FieldInfo) -> Any:
    """Return the widget that fits a knob's type and bounds."""
    kinds = set(get_args(field.annotation) or (field.annotation,))
    low, high = bounds_of(name)
    if get_origin(field.annotation) is Literal:
        return ComboBox(choices=get_args(field.annotation))
    if field.annotation is bool:
        return CheckBox()
    if int in kinds:
        return SpinBox(min=int(low or 0), max=int(high or LARGEST))
    if float in kinds and field.annotation is float:
        if high is not None and (name in SLIDER_RANGES or high <= 1):
            least, largest = SLIDER_RANGES.get(name, (low or 0.0, high))
            return FloatSlider(min=least, max=largest, step=0.01 if largest <= 1 else 0.1)
        return FloatSpinBox(min=low or 0.0, max=high or LARGEST, step=0.1)
    return LineEdit()


def _text(value: Any) -> str:
    """Return a value as a person writes it."""
    if value is None:
        return "not used"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={number:g}" for name, number in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _mapping_of(text: str) -> dict[str, float]:
    """Return ``"SAT=0.1, CR=0.2"`` as a mapping."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return {name.strip(): float(number) for name, _, number in pairs}


def _range_text(low: float | None, high: float | None) -> str:
    if high is None:
        return f"from {low:g}"
    return f"{low or 0:g} to {high:g}"
