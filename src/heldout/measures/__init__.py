"""Measures: one family a file. Anyone may add a file here and touch nothing else."""
