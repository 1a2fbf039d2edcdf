"""Reading warps from FITS files, and writing what is made of them."""
