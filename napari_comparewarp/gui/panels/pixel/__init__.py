"""One pixel in every epoch."""
