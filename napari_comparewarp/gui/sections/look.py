"""The section of the pictures: which one, how bright, and which mask planes."""

from typing import Any

from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..layers.schemes import SCHEMES
from ..layers.stretch import CURVES, LIMITS, Stretch
from ..preferences import Preferences
from ..session import Session
from ..widgets.fold import Fold

__all__ = ["LookSection"]

#: Pictures in the order of their buttons.
BASES = {
    "difference": ("Difference", "Warp minus template, in sigma"),
    "warp": ("Warp", "The warp of the epoch that is chosen"),
    "template": ("Template", "Model of the static sky"),
    "coadd": ("Coadd", "The coadd without what is clipped"),
    "compared": ("Unclipped", "The coadd with nothing clipped"),
    "count": ("Epoch count", "In how many epochs each pixel deviates"),
}


class LookSection(QWidget):
    """Which picture is shown, its stretch, and what lies over it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        grid = QGridLayout()
        grid.setSpacing(3)
        self._group = QButtonGroup(self)
        self.bases: dict[str, QPushButton] = {}
        for index, (role, (text, tip)) in enumerate(BASES.items()):
            button = QPushButton(text)
            button.setCheckable(True)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, role=role: self._show_base(role))
            self._group.addButton(button)
            grid.addWidget(button, index // 3, index % 3)
            self.bases[role] = button
        layout.addLayout(grid)
        self.footprints = QCheckBox("Footprints (h)")
        self.masks = QCheckBox("Mask planes")
        self.footprints.toggled.connect(lambda on: self._show_over("states", on))
        self.masks.toggled.connect(lambda on: self._show_over("mask", on))
        self.fill = QSlider(Qt.Orientation.Horizontal)
        self.fill.setRange(0, 100)
        self.fill.setToolTip("Opacity of the inside of the footprints")
        self.fill.valueChanged.connect(self._set_fill)
        row = QHBoxLayout()
        row.addWidget(self.footprints)
        row.addWidget(self.fill, 1)
        row.addWidget(self.masks)
        layout.addLayout(row)
        self.curve, self.limits = QComboBox(), QComboBox()
        self.curve.addItems(list(CURVES))
        self.limits.addItems(list(LIMITS))
        self.curve.setToolTip("Curve from brightness to grey, for all pictures of the sky (;)")
        self.limits.setToolTip("Which brightness is black, and which is white, from the coadd")
        self.curve.textActivated.connect(self._set_stretch)
        self.limits.textActivated.connect(self._set_stretch)
        self.again = QToolButton()
        self.again.setText("Fit")
        self.again.setToolTip("Set the limits again")
        self.again.clicked.connect(self._set_stretch)
        row = QHBoxLayout()
        row.addWidget(QLabel("Stretch"))
        row.addWidget(self.curve, 1)
        row.addWidget(self.limits, 1)
        row.addWidget(self.again)
        layout.addLayout(row)
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        layout.addWidget(self.legend)
        planes = QWidget()
        self._plane_layout = QVBoxLayout(planes)
        self._plane_layout.setContentsMargins(0, 0, 0, 0)
        self._plane_box = QWidget()
        self._plane_layout.addWidget(self._plane_box)
        layout.addWidget(Fold("Mask planes", planes, is_open=False))
        self.set_session(None)

    def set_session(self, session: Session | None) -> None:
        """Show another session's pictures, or none."""
        if self._session is not None:
            for layer in self._session.layers:
                layer.events.visible.disconnect(self._show_visible)
        self._session = session
        self.setEnabled(session is not None)
        if session is None:
            return
        for layer in session.layers:
            layer.events.visible.connect(self._show_visible)
        session.layer_made.connect(self._follow_layer)
        self.curve.setCurrentText(session.layers.stretch.curve)
        self.limits.setCurrentText(session.layers.stretch.limits)
        self.fill.blockSignals(True)
        self.fill.setValue(round(100 * session.layers.fill))
        self.fill.blockSignals(False)
        self._list_planes()
        self.show_scheme()
        self._show_visible()

    def show_scheme(self) -> None:
        """Show what the colours mean."""
        if self._session is None:
            return
        states = self._session.layers.views.scheme.states
        self.legend.setText(
            "  ".join(
                f'<span style="color:{colour}">■</span>&nbsp;'
                f"{state.name.lower().replace('_', '&nbsp;')}"
                for state, colour in states.items()
            )
        )

    def next_curve(self) -> None:
        """Use the next curve."""
        self.curve.setCurrentIndex((self.curve.currentIndex() + 1) % self.curve.count())
        self._set_stretch()

    def _show_base(self, role: str) -> None:
        if self._session is not None:
            self._session.show_base(role)

    def _show_over(self, role: str, on: bool) -> None:
        if self._session is not None:
            self._session.layer(role).visible = on

    def _follow_layer(self, layer: Layer) -> None:
        layer.events.visible.connect(self._show_visible)
        self._show_visible()

    def _show_visible(self, *_: Any) -> None:
        """Let the buttons say what is on the screen, whoever put it there."""
        if self._session is None:
            return
        by_role = self._session.layers.by_role
        for box, role in ((self.footprints, "states"), (self.masks, "mask")):
            box.blockSignals(True)
            box.setChecked(by_role[role].visible)
            box.blockSignals(False)
        top = next(
            (role for role in reversed(by_role) if role in self.bases and by_role[role].visible),
            None,
        )
        self._group.setExclusive(False)
        for role, button in self.bases.items():
            button.setChecked(role == top)
        self._group.setExclusive(True)

    def _set_fill(self, percent: int) -> None:
        if self._session is not None:
            self._session.layers.set_fill(percent / 100)

    def _set_stretch(self, *_: Any) -> None:
        if self._session is not None:
            self._session.layers.set_stretch(
                Stretch(self.curve.currentText(), self.limits.currentText())
            )

    def _list_planes(self) -> None:
        """Make a row for each mask plane: its colour, its name, its opacity."""
        assert self._session is not None
        views = self._session.layers.views
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(0)
        planes = sorted(
            self._session.inspection.result.coadd.mask_planes.items(), key=lambda p: p[1]
        )
        for index, (name, _) in enumerate(planes):
            label = QLabel(f'<span style="color:{views.scheme.plane_colour(name)}">■</span> {name}')
            slider = QSlider(Qt.Orientation.Horizontal)
            slider.setRange(0, 100)
            slider.setValue(round(100 * views.plane_opacity[name]))
            slider.setToolTip(f"Opacity of {name}")
            slider.valueChanged.connect(
                lambda percent, name=name: self._set_plane_opacity(name, percent / 100)
            )
            grid.addWidget(label, index, 0)
            grid.addWidget(slider, index, 1)
        self._plane_layout.removeWidget(self._plane_box)
        self._plane_box.deleteLater()
        self._plane_box = box
        self._plane_layout.addWidget(box)

    def _set_plane_opacity(self, name: str, opacity: float) -> None:
        if self._session is not None:
            self._session.layers.views.plane_opacity[name] = opacity
            self._session.refresh("mask")

    def prefer(self, preferences: Preferences) -> None:
        """Show things as a user prefers them."""
        session = self._session
        if session is None:
            return
        layers = session.layers
        stretch = Stretch(preferences.curve, preferences.limits)
        if stretch != layers.stretch:
            layers.set_stretch(stretch)
            self.curve.setCurrentText(stretch.curve)
            self.limits.setCurrentText(stretch.limits)
        if SCHEMES[preferences.colours] is not layers.views.scheme:
            layers.set_scheme(SCHEMES[preferences.colours])
            self._list_planes()
            self.show_scheme()
        layers.sexagesimal = preferences.sky_coordinates == "sexagesimal"
        layers.views.kept_differences = preferences.kept_differences
