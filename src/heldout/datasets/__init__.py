"""Data sets that a package ships or that we generate."""
