"""Criteria by which measures are judged: one idea a file. Each keeps its own name and definition; they are never merged."""
