"""The report of a run."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from stacks import PSF_SIGMA, planes

import napari_comparewarp as cw
from napari_comparewarp.algorithm.mask_planes import LSST_PLANES
from napari_comparewarp.algorithm.overrides import FootprintKey
from napari_comparewarp.algorithm.warps import InputFile
from napari_comparewarp.errors import OutputError, TruthError
from napari_comparewarp.report.page import write_report
from napari_comparewarp.score import score
from napari_comparewarp.simulation import simulate_night

HOSTILE = '<script>alert("1")</script>&<b>$\\frac{$'

#: Elements that HTML never closes.
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """A page taken apart as a browser would: its elements, and the text of each section."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.sections, self.tables = [], {}, {}
        self._open, self._section, self._row = [], None, None
        self.source = path.read_text("utf-8")
        self.feed(self.source)
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "section":
            self._section = dict(attributes)["id"]
            self.sections[self._section], self.tables[self._section] = "", []
        elif tag == "tr":
            self.tables[self._section].append([])
        elif tag in ("td", "th"):
            self.tables[self._section][-1].append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        if tag == "section":
            self._section = None

    def handle_data(self, data):
        if self._section is not None:
            self.sections[self._section] += " ".join(data.split()) + " "
            if self._open[-1] in ("td", "th") or {"td", "th"} & set(self._open):
                self.tables[self._section][-1][-1] += data.strip()

    @property
    def pictures(self):
        return [attributes["src"] for tag, attributes in self.elements if tag == "img"]

    def rows(self, section):
        """Return the rows of a section's tables, headers among them, as texts."""
        return self.tables[section]


def report(source, folder, **options):
    write_report(source, folder / "report.html", **options)
    return Page(folder / "report.html")


@pytest.fixture(scope="module")
def inspection():
    """Return an inspection with a manual decision and two settings of its own."""
    stack = cw.WarpStack.from_arrays(
        *planes(n_epochs=7), psf_sigma=PSF_SIGMA, psf=[2.0, *[None] * 6]
    )
    config = cw.CompareWarpConfig(chi_threshold=6, min_pixels=3)
    inspection = cw.Inspection(stack, config)
    inspection.override(FootprintKey(1, 31, 30), "keep")
    return inspection


@pytest.fixture(scope="module")
def steps():
    """Return the progress that was reported while `page` was written."""
    return []


@pytest.fixture(scope="module")
def page(inspection, steps, tmp_path_factory):
    return report(
        inspection, tmp_path_factory.mktemp("report"), progress=lambda *step: steps.append(step)
    )


@pytest.fixture(scope="module")
def hostile():
    """Return a result in which every name is hostile, and a warp is empty."""
    image, variance, mask = planes(n_epochs=5)
    image[3] = np.nan
    mask[:, 50:, 50:] |= 1 << 20
    folder = Path("/data") / HOSTILE.replace("/", "_")
    visits = [f"{HOSTILE}{number}" for number in range(5)]
    stack = cw.WarpStack.from_arrays(
        image, variance, mask, psf_sigma=PSF_SIGMA, epochs=visits, unit=HOSTILE,
        mask_planes={**LSST_PLANES, "ODD": 20},
        inputs=[InputFile(f"{folder}/{v}.fits", "direct", v, HOSTILE) for v in visits],
    )  # fmt: skip
    result = cw.run(stack, overrides={FootprintKey(visits[1], 31, 30): "keep"})
    # No stack is made with a plane of such a name; the page does not rely on it.
    planes_by_name = {HOSTILE if k == "ODD" else k: b for k, b in result.coadd.mask_planes.items()}
    object.__setattr__(result.coadd, "mask_planes", planes_by_name)
    return result


@pytest.fixture(scope="module")
def hostile_page(hostile, tmp_path_factory):
    return report(hostile, tmp_path_factory.mktemp("hostile"))


def test_the_page_needs_nothing_but_itself(page):
    assert page.source.startswith("<!DOCTYPE html>")
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form"}
    addresses = [
        attributes[name]
        for _, attributes in page.elements
        for name in ("src", "href", "action", "data", "background", "srcset")
        if name in attributes
    ]
    assert addresses and all(address.startswith(("#", "data:")) for address in addresses)
    assert "url(" not in page.source and "@import" not in page.source
    (policy,) = (a["content"] for tag, a in page.elements if "http-equiv" in a)
    assert "default-src 'none'" in policy


def test_every_link_leads_somewhere(page):
    ids = {attributes.get("id") for _, attributes in page.elements}
    links = [a["href"].removeprefix("#") for tag, a in page.elements if tag == "a"]
    assert links and set(links) <= ids


def test_every_picture_is_one(page):
    assert len(page.pictures) == 6 + 1 + page.source.count("<article")
    for address in page.pictures:
        kind, _, data = address.removeprefix("data:image/").partition(";base64,")
        picture = imread(io.BytesIO(base64.b64decode(data)), format=kind)
        assert min(picture.shape[:2]) > 100 and picture.std() > 0.01


def test_it_has_the_numbers_of_the_run(page, inspection):
    result = inspection.result
    footprints = result.footprints
    clipped = int((footprints["verdict"] == "clipped").sum())
    summary = page.sections["summary"]
    assert f"{len(footprints)} candidates" in summary
    assert f"{clipped} clipped footprints" in summary
    assert f"{sum(result.clipped(i).sum() for i in range(7)):,} clipped pixels" in summary
    assert "1 decided manually" in summary
    assert "7, of which 7 are in the coadd" in summary


def test_each_visit_has_its_row(page, inspection):
    result = inspection.result
    rows = [row for row in page.rows("visits") if row[0] in "1234567"]
    for index, row in enumerate(rows):
        assert row[:2] == [str(index + 1), str(index)]
        share = 100 * result.weights[index] / result.weights.sum()
        assert row[2:4] == [f"{share:.1f}", f"{result.variance_scale[index]:.3f}"]
        assert row[-2] == f"{int(result.clipped(index).sum()):,}"
    assert len(rows) == 7


def test_a_psf_is_given_where_it_is_known_and_a_dash_where_not(page):
    rows = [row for row in page.rows("visits") if row[0] in "1234567"]
    assert float(rows[0][4]) == pytest.approx(2.0 * 2.3548, rel=0.01)
    assert {row[4] for row in rows[1:]} == {"–"}
    assert {row[5] for row in rows} == {f"{PSF_SIGMA:.2f}"}


def test_settings_that_differ_come_first_and_all_follow_with_their_lsst_names(page):
    differing = [row for row in page.rows("summary") if row[0].startswith(("chi", "min"))]
    assert [row[:3] for row in differing] == [
        ["chi_thresholddetect.thresholdValue", "6.0", "7.5"],
        ["min_pixelsdetect.minPixels", "3", "4"],
    ]
    assert len(page.rows("summary")) == 3
    for name, field in cw.CompareWarpConfig.model_fields.items():
        words = name + (field.json_schema_extra["lsst"] or "")
        assert any(row[0] == words for row in page.rows("settings"))


def test_decisions_by_hand_are_listed_with_the_rule_that_they_overrule(page):
    (row,) = page.rows("decisions")[1:]
    assert row[1] == "1" and "Kept manually; the rules would clip it" in row[-1]


def test_the_gallery_says_why(page, inspection):
    kept = inspection.result.footprints[inspection.result.footprints["decided_by"] == "hand"]
    assert f"{kept['id'][0]} visit 1: persistent manually" in page.sections["footprints"]
    assert "Kept manually" in page.sections["footprints"]


def test_names_out_of_files_are_text_and_nothing_else(hostile_page, hostile):
    assert "script" not in {tag for tag, _ in hostile_page.elements}
    assert "<script" not in hostile_page.source
    assert all(HOSTILE in row[2] and row[3] == HOSTILE for row in hostile_page.rows("inputs")[1:])
    assert HOSTILE in {row[0] for row in hostile_page.rows("visits")}
    assert hostile.stack.epochs[0] in {row[1] for row in hostile_page.rows("visits")}
    assert f"unit {HOSTILE}" in hostile_page.sections["summary"]
    assert hostile_page.rows("decisions")[1][1] == hostile.stack.epochs[1]


def test_messages_of_the_run_are_there_and_a_skipped_visit_is_marked(hostile_page, hostile):
    assert hostile.messages
    for message in hostile.messages:
        assert message in hostile_page.sections["summary"]
    assert f"{HOSTILE}3 (skipped)" in [row[1] for row in hostile_page.rows("visits")]


def test_a_result_alone_has_no_sensitivity_and_the_page_says_so(page, hostile_page):
    assert "made of a result alone" in hostile_page.sections["sensitivity"]
    assert "star is the present setting" in page.sections["sensitivity"]


def test_a_run_without_candidates_has_a_report(tmp_path):
    image, variance, mask = planes(n_epochs=4, trail_epoch=None, stars=False)
    stack = cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=PSF_SIGMA)
    page = report(cw.Inspection(stack), tmp_path)
    assert "there are no candidates" in page.sections["footprints"]
    assert "None: these are today's LSST defaults" in page.sections["summary"]
    assert "there are no files" in page.sections["inputs"]


def test_with_a_truth_it_has_the_score(tmp_path):
    night = simulate_night(5, (96, 96), seed=3)
    result = cw.run(night.stack())
    page = report(result, tmp_path, truth=night.truth)
    for line in score(result, night.truth).summary().splitlines():
        assert " ".join(line.split()) in page.sections["score"]
    assert "10:00:" in page.sections["summary"] and "arcsec" in page.sections["summary"]


def test_a_truth_of_another_night_is_refused_and_nothing_is_written(inspection, tmp_path):
    night = simulate_night(3, (64, 64), seed=3)
    with pytest.raises(TruthError, match="do not belong to the same night"):
        write_report(inspection, tmp_path / "report.html", truth=night.truth)
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept_unless_asked_and_this_is_known_before_the_work(
    inspection, tmp_path
):
    there = tmp_path / "report.html"
    there.write_text("mine")
    done = []
    with pytest.raises(OutputError, match="exists"):
        write_report(inspection, there, progress=lambda *step: done.append(step))
    assert there.read_text() == "mine" and not done


def test_the_same_run_gives_the_same_page_in_the_place_of_an_old_one(inspection, page, tmp_path):
    there = tmp_path / "report.html"
    there.write_text("old")
    write_report(inspection, there, overwrite=True)
    time = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+ UTC")
    assert len(time.findall(page.source)) == 1
    assert time.sub("", there.read_text("utf-8")) == time.sub("", page.source)


def test_progress_is_reported_to_its_end(page, steps):
    stages = list(dict.fromkeys(stage for stage, *_ in steps))
    assert stages[-2:] == ["pictures", "gallery"] and "sensitivity" in stages
    assert all(done <= total for _, done, total in steps)
    for stage in ("pictures", "gallery"):
        done = [step[1:] for step in steps if step[0] == stage]
        assert done == [(number, done[-1][1]) for number in range(done[-1][1] + 1)]


def test_work_that_is_stopped_leaves_nothing(inspection, tmp_path):
    def stop(stage, done, total):
        if stage == "pictures":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_report(inspection, tmp_path / "report.html", progress=stop)
    assert not list(tmp_path.iterdir())
