"""Observables of a sampled posterior: pure functions of one network's draws."""
