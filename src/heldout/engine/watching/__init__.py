"""A training run as it happens: what is read of it and when, phases, advice, and what other tools logged."""
