"""The engine: population, subject, evidence, training, store and numerics. Maintainers only."""
