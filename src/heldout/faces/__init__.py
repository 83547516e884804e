"""Readers of the record: terminal, report, pages."""
