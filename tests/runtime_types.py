"""The type checker that runs under pytest: whole numbers pass where floats are asked for, as they do for mypy (PEP 484)."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
