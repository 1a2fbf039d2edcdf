"""The plan of a batch: what it says, and what is refused before any work."""

import os

import pytest
from patches import patches_of, write_plan, write_warps

from napari_comparewarp import CompareWarpConfig
from napari_comparewarp.batch.plan import PlanError

ONE = 'name = "one"\nstack = "night"\noutput = "made"\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a small night, which no test changes."""
    folder = tmp_path_factory.mktemp("batch")
    write_warps(folder / "night")
    return folder


def test_a_patch_says_what_differs_from_the_defaults(folder):
    two = 'name = "two"\nstack = "night"\noutput = "made"\nmasks = false\npsf_sigma = 2\n'
    plan = write_plan(
        folder,
        "one",
        two + "knobs = {chi_threshold = 6.0}",
        defaults='preset = "lsst-v29"\nmemory = "2GB"\nknobs = {spatial_threshold = 0.4}',
    )
    one, two = patches_of(plan)
    assert one.config == CompareWarpConfig.preset("lsst-v29").replace(spatial_threshold=0.4)
    assert two.config == one.config.replace(chi_threshold=6.0)
    assert (one.left_out, two.left_out) == ((), ("masks",))
    assert set(one.products) - set(two.products) == {"masks"}
    assert (one.psf_sigma, two.psf_sigma) == (None, 2)
    assert one.memory == two.memory == "2GB"
    assert set(two.products) == {"coadd", "footprints", "regions"}


def test_a_patch_may_start_from_another_preset_or_a_file_of_settings(folder):
    (folder / "mine.json").write_text('{"chi_threshold": 4, "min_pixels": 2}')
    plan = write_plan(
        folder,
        "one",
        'name = "two"\nstack = "night"\noutput = "made"\npreset = "dmtn-080"\n',
        defaults='config = "mine.json"\nknobs = {min_pixels = 3, max_epochs = "none"}',
    )
    one, two = patches_of(plan)
    assert (one.config.chi_threshold, one.config.min_pixels) == (4, 3)
    assert one.config.max_epochs is None
    assert (two.config.grow_sigma, two.config.min_pixels) == (2.4, 3)


def test_paths_count_from_the_plan_and_hold_from_any_folder(folder, monkeypatch):
    write_plan(folder, "one")
    monkeypatch.chdir(folder)
    (patch,) = patches_of("patches.toml")
    assert patch.stack == (folder / "night",)
    assert patch.output == folder / "made"


def test_a_patch_may_be_a_list_of_files(folder):
    files = sorted((folder / "night" / "direct").iterdir())
    names = [os.path.relpath(file, folder) for file in files]
    (patch,) = patches_of(write_plan(folder, f'name = "one"\nstack = {names}\noutput = "made"'))
    assert patch.input_files() == files


def test_a_manifest_is_an_input_like_the_files_that_it_lists(folder):
    manifest = folder / "night.csv"
    files = sorted((folder / "night" / "direct").iterdir())
    manifest.write_text("path\n" + "".join(f"night/direct/{file.name}\n" for file in files))
    (patch,) = patches_of(write_plan(folder, ONE.replace("night", "night.csv")))
    assert patch.input_files() == sorted([manifest, *files])


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (ONE.replace("night", "nowhere"), "patch 'one': .*nowhere: no such file or folder"),
        (ONE.replace('"night"', '["a.fits"]'), "patch 'one': .*a.fits: no such file"),
        (ONE.replace("night", "empty"), "patch 'one': .*no FITS files"),
        (ONE.replace("night", "lost.csv"), "patch 'one': .*lost.fits: no such file"),
        (ONE + "colour = 1", "patch 'one': no key 'colour'; there are preset, .*, output$"),
        ('stack = "night"\noutput = "made"', "patch 'number 1': name is missing"),
        (ONE.replace('"one"', '"a/b"'), "name = 'a/b': a name is the stem of file names"),
        (ONE.replace('"one"', '""'), "name = '': a name is the stem of file names"),
        (ONE + "masks = 1", "patch 'one': masks = 1: input should be a valid boolean"),
        (ONE + "psf_sigma = 0.0", "psf_sigma = 0.0: input should be greater than 0"),
        (ONE + "psf_sigma = true", "psf_sigma = True: input should be a valid number"),
        (ONE + 'memory = "much"', "memory = 'much'; give a size such as 2GB"),
        (ONE + 'preset = "v9"', "patch 'one': no preset 'v9'; there are dmtn-080, "),
        (ONE + 'config = "none.json"', "patch 'one': .*none.json: No such file"),
        (ONE + 'preset = "lsst-v30"\nconfig = "x"', "preset and config exclude each other"),
        (ONE + "knobs = {chi_threshold = -1}", "patch 'one': config: chi_threshold = -1"),
        (ONE + "knobs = {chi = 1}", "patch 'one': config: no knob 'chi'"),
        (ONE.replace("made", "night/direct"), "night/direct is a folder that warps are read from"),
    ],
)
def test_a_wrong_patch_is_refused_in_one_line(folder, patch, message):
    (folder / "empty").mkdir(exist_ok=True)
    (folder / "lost.csv").write_text("path\nlost.fits\n")
    plan = write_plan(folder, patch)
    with pytest.raises(PlanError, match=message) as error:
        patches_of(plan)
    assert str(error.value).startswith(f"{plan}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[patch]\n", "not readable as TOML"),
        ("", r"no \[\[patch\]\] in it"),
        ("patch = []", "patch = .*at least 1 item"),
        ("name = 1\n[[patch]]\n" + ONE, "no key 'name'; there are defaults, patch"),
        ("[defaults]\nmask = true\n[[patch]]\n" + ONE, r"\[defaults\]: no key 'mask'; there are"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_in_one_line(folder, text, message):
    plan = folder / "patches.toml"
    plan.write_text(text)
    with pytest.raises(PlanError, match=message) as error:
        patches_of(plan)
    assert "\n" not in str(error.value)


def test_a_plan_that_is_not_there_or_no_text_is_refused(folder):
    with pytest.raises(PlanError, match=r"nothing\.toml: No such file"):
        patches_of(folder / "nothing.toml")
    (folder / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PlanError, match=r"binary\.toml: no text in UTF-8"):
        patches_of(folder / "binary.toml")


@pytest.mark.skipif(os.name != "posix", reason="links are for few accounts")
def test_two_patches_with_one_output_are_refused(folder):
    (folder / "link").symlink_to(folder / "made", target_is_directory=True)
    plan = write_plan(folder, ONE, ONE.replace("made", "link"))
    with pytest.raises(PlanError, match=r"made/one\.fits, as patch 'one' does"):
        patches_of(plan)


@pytest.mark.skipif(os.name != "posix", reason="links are for few accounts")
def test_a_patch_never_writes_to_what_another_reads(folder):
    name = sorted((folder / "night" / "direct").iterdir())[0].name
    single = folder / "single"
    single.mkdir()
    (single / "one.fits").symlink_to(folder / "night" / "direct" / name)
    reads = 'name = "two"\nstack = ["single/one.fits"]\noutput = "made"\n'
    with pytest.raises(PlanError, match=r"patch 'one': it would write to .*single/one\.fits"):
        patches_of(write_plan(folder, ONE.replace("made", "single"), reads))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ONE + "psf_sigma = -1", "patch 'one': psf_sigma = -1: .*greater than 0"),
        (ONE + "psf_sigma = inf", "patch 'one': psf_sigma = inf: .*finite"),
        (ONE + "psf_sigma = true", "patch 'one': psf_sigma = True: .*number"),
        (ONE + 'psf_sigma = "2"', "patch 'one': psf_sigma = '2': .*number"),
        (ONE + "memory = true", "patch 'one': memory = True"),
        (ONE + 'memory = "2GB\\u0000"', "a text cannot hold a character 0"),
        (ONE + 'memory = "5%"', "patch 'one': memory = '5%'"),
        (ONE + "knobs = { self = 1 }", "patch 'one': config: no knob 'self'"),
        (ONE + "knobs = { chi_threshold = true }", "patch 'one': .*chi_threshold = True"),
        (ONE + "knobs = [1]", "patch 'one': knobs = "),
        (ONE + "name = 'two'", "not readable as TOML: .*overwrite"),
        (ONE + f"memory = {'9' * 5000}", "not readable as TOML: .*1000 letters"),
        (ONE + "memory = " + "[" * 100_000, "not readable as TOML: .*deeper than 64"),
        (ONE.replace("night", ""), "patch 'one': stack = ''"),
        (ONE.replace("night", "x" * 300), "patch 'one': stack = 'xxx"),
        (ONE.replace("made", "y/" * 3000), "patch 'one': output = 'y/y/.*4095"),
        (ONE.replace("made", "a\\u0000b"), "a text cannot hold a character 0"),
        (ONE.replace('"one"', '"' + "n" * 300 + '"'), "name = 'nnn.*at most 180 bytes"),
        (ONE.replace('"one"', '"a\\nb"'), r"patch 'a\\nb': name = 'a\\nb'"),
        (ONE.replace('"one"', "1"), "patch 1: name = 1: .*string"),
    ],
)
def test_each_field_has_a_type_and_a_range(folder, text, message):
    plan = folder / "patches.toml"
    plan.write_text("[[patch]]\n" + text)
    with pytest.raises(PlanError, match=message) as error:
        patches_of(plan)
    assert str(error.value).startswith(f"{plan}: ")
    assert len(str(error.value)) < len(str(plan)) + 300
    assert str(error.value).isprintable()
