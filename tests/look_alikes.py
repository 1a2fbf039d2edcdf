"""Small synthetic look-alikes of real layouts of files, with what a reader must make of each.

Names, types, bit numbers and cards follow the published layouts; pixels are simulated.
`make(name, folder)` writes one of them, a file a visit (or three).
"""

import warnings

import numpy as np
from astropy.io import fits

NY, NX, NVISIT = 96, 96, 5
SKY_SIGMA, SIGMA_PSF = 5.0, 1.6
CR = (60, 66, 20, 26)  # in visit 2: y0, y1, x0, x1
FLAGGED = (30, 50, 40, 60)  # a harmless flag (warm, jump, trap ...) in every visit


def wcs_cards(h, crpix=(48.5, 48.5)):
    for k, v in {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": 150.0,
        "CRVAL2": 2.0,
        "CRPIX1": crpix[0],
        "CRPIX2": crpix[1],
        "CD1_1": -7e-5,
        "CD1_2": 0.0,
        "CD2_1": 0.0,
        "CD2_2": 7e-5,
    }.items():
        h[k] = v
    return h


def scene(visit, scale=1.0, sky=0.0, seed=1):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:NY, :NX].astype(float)
    img = np.zeros((NY, NX))
    for _ in range(14):
        cy, cx, f = rng.uniform(8, NY - 8), rng.uniform(8, NX - 8), 10 ** rng.uniform(3, 4.6)
        img += (
            f
            * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 2 / SIGMA_PSF**2)
            / (2 * np.pi * SIGMA_PSF**2)
        )
    img *= scale
    var = SKY_SIGMA**2 + np.abs(img) / 4
    noisy = img + sky + np.random.default_rng(100 + visit).normal(size=img.shape) * np.sqrt(var)
    if visit == 2:
        noisy[CR[0] : CR[1], CR[2] : CR[3]] += 300
    return noisy.astype("f4"), var.astype("f4")


def head(visit, **cards):
    h = fits.Header()
    h["EXPID"] = 1000 + visit
    h["EXPTIME"] = 100.0
    h["PSFSIGMA"] = (SIGMA_PSF, "[pixel]")
    for k, v in cards.items():
        h[k.replace("__", "-")] = v
    return h


def box(a, b, value):
    a[b[0] : b[1], b[2] : b[3]] |= value
    return a


CASES = {}


def case(write):
    """List a look-alike by its name."""
    CASES[write.__name__] = write
    return write


def mef(folder, visit, hdus, primary=None):
    fits.HDUList([fits.PrimaryHDU(header=primary or head(visit)), *hdus]).writeto(
        folder / f"visit_{visit}.fits", overwrite=True
    )


def sci(data, **cards):
    h = wcs_cards(fits.Header())
    for k, v in cards.items():
        h[k] = v
    return fits.ImageHDU(data, h, name="SCI")


@case
def jwst_cal(d):
    for v in range(NVISIT):
        i, s = scene(v)
        dq = np.zeros(i.shape, np.uint32)
        box(dq, FLAGGED, 1 << 2)
        dq[:4] |= np.uint32(1 << 31) | 1
        dq[10, 10:14] |= 1 | 1 << 11
        mef(
            d,
            v,
            [
                sci(i, BUNIT="MJy/sr"),
                fits.ImageHDU(np.sqrt(s), name="ERR"),
                fits.ImageHDU(dq, name="DQ"),
                fits.ImageHDU(np.ones_like(i), name="AREA"),
                fits.ImageHDU(s, name="VAR_POISSON"),
            ],
            head(v, TELESCOP="JWST", INSTRUME="NIRCAM"),
        )


@case
def hst_flt(d):
    for v in range(NVISIT):
        i, s = scene(v)
        dq = np.zeros(i.shape, np.int16)
        box(dq, FLAGGED, 1024 + 64)
        if v == 2:
            box(dq, CR, 4096)
        mef(
            d,
            v,
            [
                sci(i, BUNIT="ELECTRONS"),
                fits.ImageHDU(np.sqrt(s), name="ERR"),
                fits.ImageHDU(dq, name="DQ"),
            ],
            head(v, TELESCOP="HST", INSTRUME="ACS"),
        )


@case
def hst_constant(d):
    for v in range(NVISIT):
        i, s = scene(v)
        err = fits.ImageHDU(np.sqrt(s), name="ERR")
        dq = fits.ImageHDU(name="DQ")
        dq.header["NPIX1"], dq.header["NPIX2"], dq.header["PIXVALUE"] = NX, NY, 4 if v == 2 else 0
        mef(d, v, [sci(i, BUNIT="ELECTRONS"), err, dq], head(v, TELESCOP="HST", INSTRUME="ACS"))


@case
def hst_drz(d):
    for v in range(NVISIT):
        i, _s = scene(v)
        wht = np.full(i.shape, 400.0, "f4")
        wht[:, :3] = 0
        h = head(v, TELESCOP="HST", INSTRUME="ACS", NDRIZIM=4, D001WTSC="EXP", EXPTIME=400.0)
        mef(
            d,
            v,
            [
                sci(i, BUNIT="ELECTRONS/S"),
                fits.ImageHDU(wht, name="WHT"),
                fits.ImageHDU(np.ones(i.shape, np.int32), name="CTX"),
            ],
            h,
        )


@case
def jwst_i2d(d):
    for v in range(NVISIT):
        i, s = scene(v)
        i[:3] = np.nan
        e = np.sqrt(s)
        e[:3] = np.nan
        mef(
            d,
            v,
            [
                sci(i, BUNIT="MJy/sr"),
                fits.ImageHDU(e, name="ERR"),
                fits.ImageHDU(np.ones((1, NY, NX), np.int32), name="CON"),
                fits.ImageHDU(np.full(i.shape, 900.0, "f4"), name="WHT"),
                fits.ImageHDU(s, name="VAR_RNOISE"),
            ],
            head(v, TELESCOP="JWST", INSTRUME="NIRCAM"),
        )


@case
def banzai(d):
    for v in range(NVISIT):
        i, s = scene(v)
        bpm = np.zeros(i.shape, np.uint8)
        if v == 2:
            box(bpm, CR, 1)
        i[80, 5:90] += 5000.0 if v == 3 else 0.0
        bpm[80, 5:90] |= 1 if v == 3 else 0
        mef(
            d,
            v,
            [
                sci(i, BUNIT="electron"),
                fits.ImageHDU(bpm, name="BPM"),
                fits.ImageHDU(np.sqrt(s), name="ERR"),
            ],
            head(v, TELESCOP="1m0-10"),
        )


@case
def dragons(d):
    for v in range(NVISIT):
        i, s = scene(v)
        dq = np.zeros(i.shape, np.uint16)
        box(dq, FLAGGED, 2)
        h = head(v, OBSID="GS-2030A-Q-1-7", DATALAB=f"GS-2030A-Q-1-7-{v:03d}", INSTRUME="GMOS-S")
        del h["EXPID"]
        mef(
            d,
            v,
            [sci(i, BUNIT="electron"), fits.ImageHDU(s, name="VAR"), fits.ImageHDU(dq, name="DQ")],
            h,
        )


@case
def ccddata(d):
    import warnings

    from astropy.nddata import CCDData, StdDevUncertainty

    for v in range(NVISIT):
        i, s = scene(v)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            c = CCDData(
                i,
                unit="adu",
                uncertainty=StdDevUncertainty(np.sqrt(s)),
                mask=box(np.zeros(i.shape, int), CR, 1) > 0 if v == 2 else np.zeros(i.shape, bool),
            )
            c.header.update(wcs_cards(head(v)))
            c.write(d / f"visit_{v}.fits", overwrite=True)


@case
def ccddata_ivar(d):
    import warnings

    from astropy.nddata import CCDData, InverseVariance

    for v in range(NVISIT):
        i, s = scene(v)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            c = CCDData(i, unit="adu", uncertainty=InverseVariance(1 / s))
            c.header.update(wcs_cards(head(v)))
            c.write(d / f"visit_{v}.fits", overwrite=True)


@case
def unnamed_chips(d):
    for v in range(NVISIT):
        chips = []
        for k in range(3):
            i, _s = scene(v, sky=1000, seed=k)
            chips.append(
                fits.ImageHDU(
                    np.clip(i, 0, 65535).astype(np.uint16),
                    wcs_cards(fits.Header(), (48.5 + 100 * k, 48.5)),
                )
            )
        mef(d, v, chips)


@case
def decam_cp(d):
    for v in range(NVISIT):
        i, s = scene(v)
        code = np.zeros(i.shape, np.int32)
        if v == 2:
            code[CR[0] : CR[1], CR[2] : CR[3]] = 5
        code[20:24, 70:80] = 3
        for kind, data in (("ooi", i), ("ood", code), ("oow", (1 / s).astype("f4"))):
            p = fits.PrimaryHDU(
                header=head(
                    v,
                    PROCTYPE="InstCal",
                    PRODTYPE={"ooi": "image", "ood": "dqmask", "oow": "wtmap"}[kind],
                    EXPNUM=700000 + v,
                    MAGZERO=30.0 + 0.1 * v,
                    PLVER="V4.8.2",
                    INSTRUME="DECam",
                )
            )
            e = fits.ImageHDU(data, wcs_cards(fits.Header()), name="N4")
            fits.HDUList([p, e]).writeto(
                d / f"c4d_30010{v}_061820_{kind}_z_v1.fits", overwrite=True
            )


@case
def decam_cp_bits(d):
    for v in range(NVISIT):
        i, s = scene(v)
        bits = np.zeros(i.shape, np.int32)
        if v == 2:
            bits[CR[0] : CR[1], CR[2] : CR[3]] = 16
        bits[20:24, 70:80] = 2 | 64
        for kind, data in (("ooi", i), ("ood", bits), ("oow", (1 / s).astype("f4"))):
            p = fits.PrimaryHDU(
                header=head(
                    v, PROCTYPE="InstCal", EXPNUM=700000 + v, PLVER="V3.1.0", INSTRUME="DECam"
                )
            )
            fits.HDUList([p, fits.ImageHDU(data, wcs_cards(fits.Header()), name="N4")]).writeto(
                d / f"c4d_13010{v}_061820_{kind}_z_v1.fits", overwrite=True
            )


@case
def des(d):
    for v in range(NVISIT):
        i, s = scene(v)
        m = np.zeros(i.shape, np.int16)
        box(m, FLAGGED, 2048)
        mef(
            d,
            v,
            [sci(i), fits.ImageHDU(m, name="MSK"), fits.ImageHDU((1 / s).astype("f4"), name="WGT")],
            head(v, EXPNUM=800 + v),
        )


@case
def ps1_asinh(d):
    a = 2.5 / np.log(10)
    for v in range(NVISIT):
        i, s = scene(v)
        soft, off = 20.0, 3.0
        stored = (a * np.arcsinh((i - off) / (2 * soft))).astype("f4")
        fits.HDUList(
            [
                fits.PrimaryHDU(),
                sci(stored, BSOFTEN=soft, BOFFSET=off),
                fits.ImageHDU(s, name="VARIANCE"),
            ]
        )
        mef(d, v, [sci(stored, BSOFTEN=soft, BOFFSET=off), fits.ImageHDU(s, name="VARIANCE")])


@case
def zeropoints(d):
    for v in range(NVISIT):
        z = 25.0 + 0.3 * (v % 2)
        i, s = scene(v, scale=10 ** (0.4 * (z - 25)))
        mef(d, v, [sci(i, BUNIT="adu", MAGZERO=z), fits.ImageHDU(s, name="VARIANCE")])


@case
def exptimes(d):
    for v in range(NVISIT):
        t = 100.0 if v % 2 else 130.0
        i, s = scene(v, scale=t / 100)
        mef(d, v, [sci(i, BUNIT="adu"), fits.ImageHDU(s, name="VARIANCE")], head(v, EXPTIME=t))


@case
def filters(d):
    for v in range(NVISIT):
        i, s = scene(v)
        mef(
            d,
            v,
            [sci(i, BUNIT="adu"), fits.ImageHDU(s, name="VARIANCE")],
            head(v, FILTER="g" if v % 2 else "r"),
        )


@case
def sky_left(d):
    for v in range(NVISIT):
        i, s = scene(v, sky=1000 + 25 * v)
        mef(d, v, [sci(i, BUNIT="adu"), fits.ImageHDU(s, name="VARIANCE")])


@case
def uint16_blank(d):
    for v in range(NVISIT):
        i, s = scene(v, sky=1000)
        raw = (np.clip(np.round(i), 0, 65535) - 32768).astype(">i2")
        raw[:6] = -32768
        h = wcs_cards(fits.Header())
        hdu = fits.ImageHDU(raw, h, name="SCI")
        hdu.header["BZERO"], hdu.header["BSCALE"], hdu.header["BLANK"] = 32768, 1, -32768
        hdu.header["BUNIT"] = "adu"
        err = fits.ImageHDU(np.sqrt(s), name="ERR")
        out = fits.HDUList([fits.PrimaryHDU(header=head(v)), hdu, err])
        # keep the raw integers as they are
        out.writeto(d / f"visit_{v}.fits", overwrite=True, output_verify="ignore")


@case
def mask_good_is_one(d):
    for v in range(NVISIT):
        i, s = scene(v)
        m = np.ones(i.shape, np.uint8)
        m[:5] = 0
        mef(
            d,
            v,
            [sci(i, BUNIT="adu"), fits.ImageHDU(m, name="MASK"), fits.ImageHDU(s, name="VARIANCE")],
        )


@case
def plane_31(d):
    for v in range(NVISIT):
        i, s = scene(v)
        m = np.zeros(i.shape, np.int32)
        m[:5] = np.int32(-(2**31))
        mask = fits.ImageHDU(m, name="MASK")
        mask.header["MP_BAD"] = 0
        mask.header["HIERARCH MP_PARTLY_VIGNETTED"] = 31
        mef(
            d,
            v,
            [
                fits.ImageHDU(i, wcs_cards(fits.Header()), name="IMAGE"),
                mask,
                fits.ImageHDU(s, name="VARIANCE"),
            ],
        )


@case
def two_sci(d):
    for v in range(NVISIT):
        hdus = []
        for k in (1, 2):
            i, s = scene(v, seed=k)
            hdus += [
                fits.ImageHDU(
                    i, wcs_cards(fits.Header(), (48.5, 48.5 + 100 * (k - 1))), name="SCI", ver=k
                ),
                fits.ImageHDU(np.sqrt(s), name="ERR", ver=k),
                fits.ImageHDU(np.zeros(i.shape, np.int16), name="DQ", ver=k),
            ]
        mef(d, v, hdus, head(v, TELESCOP="HST", INSTRUME="ACS"))


@case
def unit_of_err(d):
    for v in range(NVISIT):
        i, s = scene(v)
        e = fits.ImageHDU(np.sqrt(s) * 100, name="ERR")
        e.header["BUNIT"] = "ELECTRONS"
        mef(d, v, [sci(i, BUNIT="ELECTRONS/S"), e])


@case
def ps1_mask(d):
    for v in range(NVISIT):
        i, s = scene(v)
        m = np.zeros(i.shape, np.uint16)
        box(m, FLAGGED, 0x0080)
        if v == 2:
            box(m, CR, 0x0100)
        mk = fits.ImageHDU(m, name="MASK")
        mk.header["MSKNUM"] = 2
        mk.header["MSKNAM00"], mk.header["MSKVAL00"] = "SUSPECT", 0x80
        mk.header["MSKNAM01"], mk.header["MSKVAL01"] = "CR", 0x100
        mef(d, v, [sci(i), mk, fits.ImageHDU(s, name="VARIANCE")])


@case
def plain(d):
    for v in range(NVISIT):
        i, _s = scene(v, sky=400)
        fits.PrimaryHDU(
            np.clip(i, 0, 65535).astype(np.uint16), wcs_cards(head(v, GAIN=4.0, RDNOISE=8.0))
        ).writeto(d / f"light_{v}.fits", overwrite=True)


@case
def err_alone(d):
    for v in range(NVISIT):
        i, s = scene(v)
        for name, data, tail in (("SCI", i, ""), ("ERR", np.sqrt(s), ".noise")):
            h = wcs_cards(head(v))
            h["EXTNAME"], h["BUNIT"] = name, "MJy/sr"
            fits.PrimaryHDU(data, h).writeto(d / f"visit_{v}{tail}.fits", overwrite=True)


@case
def err_only(d):
    for v in range(NVISIT):
        _i, s = scene(v)
        h = wcs_cards(head(v))
        h["EXTNAME"] = "ERR"
        fits.PrimaryHDU(np.sqrt(s), h).writeto(d / f"visit_{v}.fits", overwrite=True)


@case
def tan_pv(d):
    for v in range(NVISIT):
        i, s = scene(v)
        h = wcs_cards(fits.Header())
        for a in (1, 2):
            h[f"PV{a}_0"], h[f"PV{a}_1"], h[f"PV{a}_4"] = 0.0, 1.0, 2e-2
        mef(d, v, [fits.ImageHDU(i, h, name="SCI"), fits.ImageHDU(s, name="VARIANCE")])


@case
def ztf(d):
    names = [
        "AIRCRAFT/SATELLITE TRACK",
        "CONTAINS SEXTRACTOR DETECTION",
        "LOW RESPONSIVITY",
        "HIGH RESPONSIVITY",
        "NOISY",
        "GHOST FROM BRIGHT SOURCE",
        "POSSIBLE GHOST FROM CHARGE SPILLAGE",
        "PIXEL SPIKE (POSSIBLE RAD HIT)",
        "SATURATED",
        "DEAD (UNRESPONSIVE)",
        "NAN (not a number)",
        "CONTAINS PSF-EXTRACTED SOURCE POSITION",
        "HALO FROM BRIGHT SOURCE",
    ]
    for v in range(NVISIT):
        i, _s = scene(v, sky=300)
        m = np.zeros(i.shape, np.int16)
        box(m, FLAGGED, 2)
        if v == 2:
            box(m, CR, 1)
        for t, data in (("sciimg", i), ("mskimg", m)):
            h = wcs_cards(head(v, GAIN=6.0, READNOI=9.0, FILTER="ZTF_r"))
            h["MAGZP"] = 26.285
            for b, n in enumerate(names):
                h[f"BIT{b:02d}"] = (
                    b if t == "mskimg" else 0,
                    n if t == "mskimg" else "MEDIAN BACKGROUND LEVEL is > 4000.0 DN",
                )
            fits.PrimaryHDU(data, h).writeto(
                d / f"ztf_2020092443175{v}_000655_zr_c13_o_q3_{t}.fits", overwrite=True
            )


@case
def lsst_images(d):
    for v in range(NVISIT):
        i, s = scene(v)
        m = np.zeros(i.shape, np.int32)
        box(m, FLAGGED, 1 << 5)
        if v == 2:
            box(m, CR, 1 << 3)
        mk = fits.ImageHDU(m, name="MASK")
        for b, n in enumerate(("BAD", "SAT", "INTRP", "CR", "EDGE", "DETECTED")):
            mk.header[f"MSKN{b:04d}"], mk.header[f"MSKM{b:04d}"] = n, 1 << b
        mef(
            d,
            v,
            [
                fits.ImageHDU(i, wcs_cards(fits.Header()), name="IMAGE"),
                mk,
                fits.ImageHDU(s, name="VARIANCE"),
            ],
        )


def make(name, folder):
    """Write the files of one look-alike."""
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        CASES[name](folder)
    return folder
