"""Do certificates fail no more often than they say? 10,000 problems of known risk for every valid bound.

Run: ``python benchmarks/coverage.py [--problems 10000] [--delta 0.05]``. Prints violations with an exact 95 % interval beside delta,
and ends with exit code 1 if a bound fails more often than delta beyond chance (p < 1e-6 a bound).
"""

import argparse
import math
import sys
import time

from heldout.catalog import units
from heldout.engine.numerics import binomial_inverse_lower
from heldout.records import Status
from heldout.verbs.simulate import simulate_family

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=10_000)
    parser.add_argument("--delta", type=float, default=0.05)
    chosen = parser.parse_args()
    bounds = [unit for unit in units("bound").values() if unit.fields["standing"] is Status.VALID]
    broken = []
    for family in dict.fromkeys(unit.family for unit in bounds):
        start = time.perf_counter()
        rows = simulate_family(family, problems=chosen.problems, delta=chosen.delta)
        print(f"{family}: {time.perf_counter() - start:.1f} s")
        for row in rows:
            print(
                f"  {row['bound']:32} {row['problem'][:40]:40} {row['violations']:5d} violations, "
                f"{row['low']:.4f} to {row['high']:.4f}, delta {chosen.delta:g}"
            )
            if binomial_inverse_lower(row["violations"], row["problems"], math.log(1e-6)) > chosen.delta:
                broken.append(row["bound"])
    print(f"broken: {', '.join(broken)}" if broken else "every bound keeps its promise")
    sys.exit(bool(broken))
