"""Sweeps: a grid becomes buckets of members with the same shapes, buckets become rows in a store.

A bucket's address is a hash of everything that decides its result. In the store of a sweep::

    buckets/ADDRESS/plan.json            what it holds and how it is carried out; written before it is trained, never changed
    buckets/ADDRESS/weights.safetensors  the trained networks, stacked
    buckets/ADDRESS/rows.parquet         settings, readings and fate of every member; written last: then the bucket is done
    sweeps/NAME.json                     the factory's name, digests of the data, the buckets' addresses
    data/DIGEST.safetensors              training and test data, up to 256 MiB
    buckets/ADDRESS/.lease               who is at work on it; gone when it is done
"""

from heldout.engine.sweeping.reading import read_sweep
from heldout.engine.sweeping.sweep import Sweep, sweep

__all__ = ["Sweep", "read_sweep", "sweep"]
