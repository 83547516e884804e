"""The command line: ``heldout audit``, ``list``, ``explain``, ``runs``, ``show``."""

from heldout.faces.cli.app import main

__all__ = ["main"]
