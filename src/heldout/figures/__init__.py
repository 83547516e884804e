"""Figures: tables in, an Altair chart out. They select, sort and label, and compute nothing."""
