"""Damaged tiles are refused; none ends the interpreter, or grows without bound."""

import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits.hdu.compressed import _tiled_compression
from damage import PACKED, heap_of, write_packed

from napari_comparewarp.errors import StackError
from napari_comparewarp.io.open_fits import OpenFiles, image_values, open_fits
from napari_comparewarp.io.tiles import tiles_are_guarded, unpacked


def put(path, offset, content):
    """Write bytes into the heap of the tiles; return the path."""
    with path.open("r+b") as file:
        file.seek(heap_of(path).start + offset)
        file.write(content)
    return path


def refusal_of(path):
    """Return the one line with which the pixels of a file are refused."""
    with pytest.raises(StackError) as error, open_fits(path) as hdus:
        image_values(hdus["IMAGE"])
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("words", [(0, 7, -100, -1, 32767), (0, 7, 32767, 0, 0)])
def test_a_line_list_that_leaves_its_tile_is_refused(tmp_path, words):
    path = write_packed(tmp_path / "a.fits", "plio")
    assert "a PLIO line list of" in refusal_of(put(path, 0, np.array(words, ">i2").tobytes()))


@pytest.mark.parametrize("first", [-1, -30000])
def test_a_line_list_that_begins_before_its_tile_is_refused(tmp_path, first):
    path = write_packed(tmp_path / "a.fits", "plio")
    assert "a PLIO line list of" in refusal_of(put(path, 2, np.array([first], ">i2").tobytes()))


@pytest.mark.parametrize(
    ("offset", "content", "message"),
    [
        (0, b"xx", "no HCOMPRESS stream"),
        (2, b"\x00\x0f\xff\xff", "an HCOMPRESS stream of 1048575 x 40 pixels, in a tile of"),
        (6, b"\xff\xff\xff\xff", "an HCOMPRESS stream of"),
        (22, b"\xff\xff\xff", "an HCOMPRESS stream of 255 bit planes"),
    ],
)
def test_a_stream_of_hcompress_that_is_not_of_its_tile_is_refused(
    tmp_path, offset, content, message
):
    path = write_packed(tmp_path / "a.fits", "hcompress")
    assert message in refusal_of(put(path, offset, content))


@pytest.mark.parametrize("kind", PACKED)
def test_random_damage_of_tiles_is_read_or_refused_and_nothing_else(tmp_path, kind):
    path = write_packed(tmp_path / "a.fits", kind)
    code = (
        "import sys, random, warnings; from pathlib import Path\n"
        "from napari_comparewarp.errors import StackError\n"
        "from napari_comparewarp.io.open_fits import open_fits, image_values\n"
        "path, start, stop = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])\n"
        "whole, chance = path.read_bytes(), random.Random(5)\n"
        "for _ in range(60):\n"
        "    content = bytearray(whole)\n"
        "    for _ in range(chance.choice([1, 3, 30])):\n"
        "        value = chance.choice([0, 255, chance.randrange(256)])\n"
        "        content[chance.randrange(start, stop)] = value\n"
        "    path.write_bytes(content)\n"
        "    try:\n"
        "        with open_fits(path) as hdus: image_values(hdus[1])\n"
        "    except StackError as error: assert str(path) in str(error)\n"
    )
    heap = heap_of(path)
    place = [str(path), str(heap.start), str(heap.stop)]
    done = subprocess.run(
        [sys.executable, "-c", code, *place], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_gzip_tile_that_becomes_more_than_its_pixels_is_refused(tmp_path):
    path = write_packed(tmp_path / "a.fits", "gzip 1")
    packer = zlib.compressobj(9, wbits=31)
    bomb = packer.compress(bytes(10**6)) + packer.flush()
    with fits.open(path, disable_image_compression=True) as hdus:
        length = hdus[1].data.field(0)[0].size
    assert len(bomb) > length  # so that it takes the place of several tiles
    content = bytearray(path.read_bytes())
    heap = heap_of(path)
    content[heap.start : heap.start + len(bomb)] = bomb
    rows = heap.start - 32 * 8
    content[rows : rows + 4] = len(bomb).to_bytes(4, "big")
    path.write_bytes(content)
    assert "becomes more than the 320 bytes that it may" in refusal_of(path)


def test_gzip_streams_have_members_and_may_be_filled_up_with_zeros():
    parts = []
    for text in (b"one", b"two"):
        packer = zlib.compressobj(wbits=31)
        parts.append(packer.compress(text) + packer.flush())
    assert unpacked(b"".join(parts) + bytes(9), 6) == b"onetwo"
    with pytest.raises(ValueError, match="more than the 5 bytes"):
        unpacked(b"".join(parts), 5)
    with pytest.raises(ValueError, match="cut short"):
        unpacked(parts[0][:-1], 6)


def test_another_thread_that_unpacks_meanwhile_goes_the_way_of_astropy(tmp_path):
    large = write_packed(tmp_path / "large.fits", "gzip 2", tile_shape=(16, 40))
    small = write_packed(tmp_path / "small.fits", "gzip 2", tile_shape=(1, 8))

    def elsewhere():
        # Its tiles are larger than any of ours may be.
        with fits.open(large) as hdus:
            return hdus["IMAGE"].data

    with open_fits(small) as hdus, ThreadPoolExecutor(1) as pool:
        values = pool.submit(elsewhere).result()
        np.testing.assert_array_equal(hdus["IMAGE"].data, values)


_WITHOUT = """
import sys, warnings
from pathlib import Path
name = "astropy.io.fits.hdu.compressed._compression"
import astropy.io.fits
kept, sys.modules[name] = sys.modules[name], None
from napari_comparewarp.io.open_fits import OpenFiles
from napari_comparewarp.io.tiles import tiles_are_guarded
sys.modules[name] = kept
with OpenFiles() as files:
    print(files[Path(sys.argv[1])]["IMAGE"].data.shape, tiles_are_guarded(), files.notes)
"""


def test_an_astropy_whose_tiles_cannot_be_guarded_reads_them_and_it_is_said(tmp_path):
    path = write_packed(tmp_path / "a.fits", "rice")
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "False ('this astropy unpacks tiles unchecked" in done.stdout


def test_this_astropy_is_one_whose_tiles_are_guarded():
    assert tiles_are_guarded()


def test_the_table_of_astropy_is_as_it_was_after_reading(tmp_path):
    before = dict(_tiled_compression.ALGORITHMS)
    with open_fits(write_packed(tmp_path / "a.fits", "rice")):
        assert _tiled_compression.ALGORITHMS["RICE_1"] is not before["RICE_1"]
    assert before == _tiled_compression.ALGORITHMS


@pytest.mark.parametrize("kind", ["gzip 1", "gzip 2"])
def test_files_with_tiles_of_several_sizes_are_open_together(tmp_path, kind):
    large = write_packed(tmp_path / "large.fits", kind, tile_shape=(16, 40))
    small = write_packed(tmp_path / "small.fits", kind, tile_shape=(1, 8))
    with OpenFiles() as files:
        hdus = [files[large], files[small]]
        for each in hdus:
            np.testing.assert_array_equal(each["IMAGE"].data, PACKED[kind][0])
