"""The pages of ``heldout serve``: a server on this machine that reads a store and shows it, live.

Nothing here trains, measures or certifies: it reads records and segments, and serves what they say.
"""
