"""Bounds that certify: one idea a file."""
