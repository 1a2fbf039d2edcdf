"""Many patches side by side: a plan of them, and running it on a cluster."""
