"""What a run makes: footprints, coadd, and what each pixel was made of."""
