"""Files whose cards or bytes are changed, as damage changes them."""

from pathlib import Path

import numpy as np
from astropy.io import fits

BLOCK, CARD = 2880, 80

IMAGE = np.random.default_rng(1).normal(100, 5, (32, 40)).astype(np.float32)
COUNTS = (IMAGE > 105).astype(np.int32) * 5

#: Images in all ways of packing, with what astropy packs them by.
PACKED = {
    "rice, dithered": (IMAGE, {"compression_type": "RICE_1", "quantize_method": 1}),
    "rice, dithered by 2": (IMAGE, {"compression_type": "RICE_1", "quantize_method": 2}),
    "gzip 2, dithered": (IMAGE, {"compression_type": "GZIP_2", "quantize_method": 1}),
    "hcompress, dithered": (IMAGE, {"compression_type": "HCOMPRESS_1", "quantize_method": 1}),
    "rice": (COUNTS, {"compression_type": "RICE_1"}),
    "plio": (COUNTS, {"compression_type": "PLIO_1"}),
    "hcompress": (COUNTS, {"compression_type": "HCOMPRESS_1"}),
    "gzip 1": (IMAGE, {"compression_type": "GZIP_1", "quantize_level": 0}),
    "gzip 2": (COUNTS, {"compression_type": "GZIP_2"}),
    "not at all": (COUNTS, {"compression_type": "NOCOMPRESS"}),
}


def write_packed(path: Path, kind: str, **options):
    """Write an image of some kind of packing; return the path."""
    data, how = PACKED[kind]
    hdu = fits.CompImageHDU(data, name="IMAGE", **how | options)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)
    return path


def change_card(path: Path, name: str, value: str, *, add=False):
    """Write another value, as it stands there, into the last card of a name; return the path.

    With `add`, a card is put in where the first blank one is, or END.
    """
    content = bytearray(path.read_bytes())
    image = f"{name:<8}= {value}".ljust(CARD).encode()
    wanted = b"END".ljust(CARD) if add else f"{name:<8}=".encode()
    places = [i for i in range(0, len(content), CARD) if content.startswith(wanted, i)]
    at = places[-1]
    if add:
        content[at + CARD : at + 2 * CARD] = content[at : at + CARD]
    content[at : at + CARD] = image
    path.write_bytes(content)
    return path


def heap_of(path: Path) -> slice:
    """Return where the bytes of the tiles of the second HDU lie."""
    with fits.open(path, disable_image_compression=True) as hdus:
        hdu = hdus[1]
        start = hdus.fileinfo(1)["datLoc"] + hdu.header["NAXIS1"] * hdu.header["NAXIS2"]
        return slice(start, start + hdu.header["PCOUNT"])


def header_of(*cards: str) -> bytes:
    """Return a header of card images."""
    content = b"".join(card.ljust(CARD).encode() for card in (*cards, "END"))
    return content + b" " * (-len(content) % BLOCK)


#: A primary HDU without data.
PRIMARY = header_of("SIMPLE  =                    T", "BITPIX  =                    8",
                    "NAXIS   =                    0")  # fmt: skip
