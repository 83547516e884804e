"""Watching a training: what is read along the way, phases, and advice on what was read."""
