"""Damage to FITS files: what is drawn, as lists that JSON takes, and how it is done to a file.

Places are whole numbers of any size, taken modulo what there is, or parts of a whole: so each
edit can be done to each file, and a recipe stays short.
"""

import gzip

from hypothesis import strategies as st

from .fits_bytes import Hdu, assemble, card, fix_checksums, name_of, parse
from .hostile import literals

_NAMES = """
    SIMPLE XTENSION BITPIX NAXIS NAXIS1 NAXIS2 NAXIS3 NAXIS999 PCOUNT GCOUNT EXTEND GROUPS
    TFIELDS TFORM1 TFORM2 TFORM3 TFORM4 TTYPE1 TTYPE2 TTYPE3 TDIM1 TNULL1 TSCAL1 TZERO1 THEAP
    EXTNAME EXTVER EXTTYPE INHERIT BSCALE BZERO BLANK BUNIT CHECKSUM DATASUM ZIMAGE ZBITPIX
    ZNAXIS ZNAXIS1 ZNAXIS2 ZTILE1 ZTILE2 ZTILE3 ZCMPTYPE ZNAME1 ZVAL1 ZNAME2 ZVAL2 ZSCALE ZZERO
    ZBLANK ZQUANTIZ ZDITHER0 ZPCOUNT ZGCOUNT ZTENSION ZSIMPLE WCSAXES CTYPE1 CTYPE2 CRVAL1
    CRVAL2 CRPIX1 CRPIX2 CDELT1 CDELT2 CD1_1 CD1_2 CD2_1 CD2_2 PC1_1 PC2_2 PV1_1 PV2_1 PV1_4
    CUNIT1 CUNIT2 RADESYS EQUINOX LONPOLE LATPOLE A_ORDER A_0_2 B_ORDER AP_ORDER MJD-OBS
    DATE-OBS DATE-AVG TIMESYS MJDREF LTV1 LTV2 CRVAL1A CRVAL2A CRPIX1A CTYPE1A VISIT EXPID
    WARPTYPE PSFSIGMA FWHM EXPTIME GAIN RDNOISE READNOI FILTER MAGZERO MAGZP PHOTFLAM TELESCOP
    INSTRUME DATALAB EXPNUM PROCTYPE PLVER BSOFTEN BOFFSET NPIX1 NPIX2 PIXVALUE MP_BAD MP_SAT
    MP_NO_DATA MSKNUM MSKNAM00 MSKVAL00 MSKN0000 MSKM0000 BIT00 BIT01 D001WTSC OVERSAMP DET_YX0
    DET_YX1 POLNAXIS POLNGRP POLDEG1 POLNAME1 POLZERO1 POLSCAL1 PSF_SAMP EXPINFO_V AR_HDU
    AR_NAME AR_CATN AR_NCAT ARCHIVE_ID_PSF AFW_TABLE_VERSION CONTINUE HISTORY
"""

#: Cards that steer how a file is read.
STEERING = _NAMES.split()

_place = st.integers(0, 2**16)
_part = st.floats(0, 1, width=32)
_byte = st.integers(1, 255)

#: The text of a card's value.
_value = st.one_of(
    literals("'", "T", "F", ""),
    st.sampled_from(["'GAPPT---'", "'RA---XYZ'", "'PNLN-TAN'", "'RICE_ONE'", "'1PB(999999999)'",
                     "'999999999J'", "'0D'", "'1QE(9)'", "'UJy'", "'10**-7 Jy'", "'unterminated",
                     "(1.0, 2.0)", "1D308", "+-1", "'SUBTRACTIVE_DITHER_9'"]),
)  # fmt: skip

#: Of one card: with the number of its HDU.
_of_cards = st.one_of(
    st.tuples(st.just("set"), _place, st.sampled_from(STEERING), _value),
    st.tuples(st.just("value"), _place, _place, _value),
    st.tuples(st.just("name"), _place, _place, st.sampled_from([*STEERING, "", "é", "A\0B", "="])),
    st.tuples(st.just("drop"), _place, _place),
    st.tuples(st.just("copy"), _place, _place, _place),
    st.tuples(st.just("move"), _place, _place, _place),
    st.tuples(st.just("letter"), _place, _place, st.integers(0, 79), _byte),
    st.tuples(st.just("graft"), _place, _place, _place, _place),
    st.tuples(
        st.just("card"),
        _place,
        _place,
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80),
    ),
)

_of_data = st.tuples(st.just("data"), _place, _part, _byte)

_of_hdus = st.one_of(
    st.tuples(st.just("hdu drop"), _place),
    st.tuples(st.just("hdu copy"), _place, _place),
    st.tuples(st.just("hdu swap"), _place, _place),
)

_of_bytes = st.one_of(
    st.tuples(st.just("flip"), _part, _byte),
    st.tuples(st.just("cut"), _part),
    st.tuples(st.just("insert"), _part, st.sampled_from([1, 80, 2880]), st.integers(0, 255)),
    st.tuples(st.just("remove"), _part, st.sampled_from([1, 80, 2880])),
    st.tuples(st.just("fill"), _part, st.sampled_from([4, 80, 2880]), st.integers(0, 255)),
    st.tuples(st.just("splice"), _part, _part, st.integers(1, 6000)),
    st.tuples(st.just("noise"), _part, st.binary(min_size=1, max_size=32).map(bytes.hex)),
)

_of_gzip = st.one_of(
    st.tuples(st.just("gzip flip"), _part, _byte),
    st.tuples(st.just("gzip cut"), _part),
    st.tuples(st.just("gzip tail"), st.binary(max_size=20).map(bytes.hex)),
    st.just(("gzip twice",)),
    st.tuples(st.just("gzip bomb"), st.sampled_from([1, 40, 160])),
)

#: What is done to one file: rarely much at once, as the first damage hides the rest.
edits = st.one_of(
    st.lists(_of_cards, min_size=1, max_size=3),
    st.lists(_of_cards, min_size=1, max_size=3).map(lambda cards: [*cards, ("sign",)]),
    st.lists(_of_data, min_size=1, max_size=3),
    st.lists(_of_data, min_size=1, max_size=3).map(lambda flips: [*flips, ("sign",)]),
    st.lists(_of_hdus, min_size=1, max_size=2),
    st.lists(_of_bytes, min_size=1, max_size=2),
    st.lists(_of_gzip, min_size=1, max_size=2),
    st.lists(st.one_of(_of_cards, _of_data, _of_hdus), min_size=1, max_size=4),
)


def edited(content, edits):
    """Return a file with the damage of some edits."""
    is_packed = content.startswith(b"\x1f\x8b")
    hdus = parse(gzip.decompress(content) if is_packed else content)
    edits = [list(edit) for edit in edits]
    for name, *where in edits:
        if name in _ON_HDUS and hdus:
            _ON_HDUS[name](hdus, *where)
    content = assemble(hdus)
    for name, *where in edits:
        if name in _ON_BYTES:
            content = _ON_BYTES[name](content, *where)
    on_gzip = [edit for edit in edits if edit[0] in _ON_GZIP]
    if is_packed or on_gzip:
        content = gzip.compress(content, 1, mtime=0)
    for name, *where in on_gzip:
        content = _ON_GZIP[name](content, *where)
    return content


def only_data(edits):
    """Whether nothing but data is damaged, and not signed afterwards."""
    return bool(edits) and all(edit[0] == "data" for edit in edits)


def _set(hdus, hdu, keyword, value):
    cards = hdus[hdu % len(hdus)].cards
    names = [name_of(one) for one in cards]
    if keyword in names:
        cards[names.index(keyword)] = card(keyword, value)
    else:
        cards.append(card(keyword, value))


def _value_of(hdus, hdu, index, value):
    cards = hdus[hdu % len(hdus)].cards
    if cards:
        cards[index % len(cards)] = card(name_of(cards[index % len(cards)]), value)


def _name(hdus, hdu, index, name):
    cards = hdus[hdu % len(hdus)].cards
    if cards:
        index %= len(cards)
        cards[index] = name.encode("utf-8")[:8].ljust(8) + cards[index][8:]


def _drop(hdus, hdu, index):
    cards = hdus[hdu % len(hdus)].cards
    if cards:
        del cards[index % len(cards)]


def _copy(hdus, hdu, index, target):
    cards = hdus[hdu % len(hdus)].cards
    if cards:
        cards.insert(target % len(cards), cards[index % len(cards)])


def _move(hdus, hdu, index, target):
    cards = hdus[hdu % len(hdus)].cards
    if cards:
        one = cards.pop(index % len(cards))
        cards.insert(target % (len(cards) + 1), one)


def _letter(hdus, hdu, index, place, value):
    cards = hdus[hdu % len(hdus)].cards
    if cards:
        cards[index % len(cards)] = _flipped(cards[index % len(cards)], place, value)


def _graft(hdus, hdu, index, other, target):
    """Copy a card from one HDU to another."""
    cards, others = hdus[hdu % len(hdus)].cards, hdus[other % len(hdus)].cards
    if cards:
        others.insert(target % (len(others) + 1), cards[index % len(cards)])


def _card(hdus, hdu, place, text):
    """Put in a card of any letters."""
    cards = hdus[hdu % len(hdus)].cards
    cards.insert(place % (len(cards) + 1), text.encode("ascii")[:80].ljust(80))


def _data(hdus, hdu, part, value):
    with_data = [one for one in hdus if one.data]
    if with_data:
        one = with_data[hdu % len(with_data)]
        one.data = _flipped(one.data, int(part * (len(one.data) - 1)), value)


def _hdu_drop(hdus, hdu):
    del hdus[hdu % len(hdus)]


def _hdu_copy(hdus, hdu, target):
    # It may be damaged already, and is not parsed again.
    one = hdus[hdu % len(hdus)]
    hdus.insert(target % len(hdus) + 1, Hdu(list(one.cards), one.data))


def _hdu_swap(hdus, hdu, other):
    hdu, other = hdu % len(hdus), other % len(hdus)
    hdus[hdu], hdus[other] = hdus[other], hdus[hdu]


def _flipped(content, place, value):
    return content[:place] + bytes([content[place] ^ value]) + content[place + 1 :]


def _flip(content, part, value):
    return _flipped(content, int(part * (len(content) - 1)), value) if content else content


def _cut(content, part):
    return content[: int(part * len(content))]


def _insert(content, part, count, value):
    place = int(part * len(content))
    return content[:place] + bytes([value]) * count + content[place:]


def _remove(content, part, count):
    place = int(part * len(content))
    return content[:place] + content[place + count :]


def _fill(content, part, count, value):
    place = int(part * len(content))
    return content[:place] + bytes([value]) * count + content[place + count :]


def _splice(content, part, other, count):
    """Write some bytes of a file over others of it."""
    start, target = int(part * len(content)), int(other * len(content))
    more = content[start : start + count]
    return content[:target] + more + content[target + len(more) :]


def _noise(content, part, more):
    place, more = int(part * len(content)), bytes.fromhex(more)
    return content[:place] + more + content[place + len(more) :]


def _bomb(content, count):
    """Add members of 16 MB of zeros, which take 16 kB each."""
    return content + gzip.compress(bytes(2**24), 9, mtime=0) * count


_ON_HDUS = {
    "set": _set, "value": _value_of, "name": _name, "drop": _drop, "copy": _copy, "move": _move,
    "letter": _letter, "graft": _graft, "card": _card, "data": _data,
    "hdu drop": _hdu_drop, "hdu copy": _hdu_copy, "hdu swap": _hdu_swap,
    "sign": lambda hdus: fix_checksums(hdus),
}  # fmt: skip

_ON_BYTES = {
    "flip": _flip, "cut": _cut, "insert": _insert, "remove": _remove, "fill": _fill,
    "splice": _splice, "noise": _noise,
}  # fmt: skip

_ON_GZIP = {
    "gzip flip": _flip,
    "gzip cut": _cut,
    "gzip tail": lambda content, tail: content + bytes.fromhex(tail),
    "gzip twice": lambda content: gzip.compress(content, mtime=0),
    "gzip bomb": _bomb,
}
