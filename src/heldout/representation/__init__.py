"""Measures of what the layers represent."""
