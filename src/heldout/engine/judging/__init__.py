"""What judging needs of a table of networks: its design, pairs, sums of signs over them, and ledgers that chance could have given."""

from heldout.engine.judging.design import Design, Pairs, designed

__all__ = ["Design", "Pairs", "designed"]
