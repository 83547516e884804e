"""A compression certificate by binomial inversion and by Hoeffding: ``python docs/compression_certificate.py``.

All 1,797 of scikit-learn's 8x8 digits are training examples, none is held out. What is fixed beforehand: the network (dense, one
hidden layer of 128), the seed, the split. What is chosen by looking, dimension and codebook, stands in the message and is paid for.
Three questions: ten classes around untrained weights, 0-4 against 5-9 around untrained weights, ten classes around weights that one
half of the examples trained, the bound resting on the other half. Then each digit against the others, ten networks around the same
untrained weights: all ten are shown, and what answers "no" to everything errs on a tenth.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
import torch

from heldout.datasets.digits import digits
from heldout.engine.compression.compressing import compressed
from heldout.engine.compression.receiving import check_received
from heldout.engine.numerics import binomial_inverse_upper, hoeffding_upper
from heldout.engine.population import Population
from heldout.engine.subject import Examples, as_examples
from heldout.engine.training import Recipe, errors, fit
from heldout.networks.dense import dense

DELTA = 0.05
RECIPE = Recipe(optimizer="adam", lr=1e-3, batch_size=64, steps=3000, stop="loss")


@dataclass(frozen=True, slots=True)
class Question:
    """What is compressed.

    Attributes:
        words: Of the table.
        binary: Whether digits below 5 are told from the others.
        prior_share: Of the examples that train the starting point.
        tried: Dimensions with the levels of their codebooks.
    """

    words: str
    binary: bool
    prior_share: float
    tried: tuple[tuple[int, tuple[int, ...]], ...]


QUESTIONS = (
    Question("ten classes, untrained start", False, 0.0, ((120, (5, 9)), (180, (5,)))),
    Question("0-4 against 5-9, untrained start", True, 0.0, ((200, (5,)), (400, (2,)))),
    Question("ten classes, start from one half", False, 0.5, ((4, (2,)), (32, (2, 5)))),
)


Tried = tuple[tuple[int, tuple[int, ...]], ...]
AGAINST_OTHERS: Tried = ((20, (5,)), (60, (2,)))


def judged(question: Question, *, examples: int, steps: int, seed: int) -> list[dict[str, float]]:
    """Compress and certify.

    Args:
        question: What.
        examples: Digits that take part, 1,797 at most.
        steps: Of training in the subspace.
        seed: Of order, starting point, projections and batches; agreed on beforehand.

    Returns:
        A row for each message: dimension, levels, bits, errors, examples of the bound, the two bounds from this message, their
        ratio, and Clopper-Pearson for the starting point (NaN where nothing was learnt from others).
    """
    (x, y), _ = digits(train_size=examples, seed=seed)
    whole = as_examples((x, (y >= 5).long() if question.binary else y), "digits")
    start = Population.of(lambda: dense(widths=(128,), outputs=2 if question.binary else 10), 1, seed=seed)
    cut, baseline = int(question.prior_share * examples), float("nan")
    bound = whole.take(slice(cut, None))
    if cut:
        start = fit(start, whole.take(slice(0, cut)), RECIPE, seed=seed).final
        baseline = float(binomial_inverse_upper(_wrong(start, bound), len(bound), np.log(DELTA)))
    rows = []
    for dimension, levels in question.tried:
        books = [(size, True) for size in levels]
        for one in compressed(
            start, whole, Recipe(batch_size=128), dimension=dimension, codebooks=books, seed=seed, steps=steps
        ):
            check_received(one, start, seed=seed)
            wrong, bits = _wrong(one.networks, bound), len(one.messages[0])
            spent = np.log(DELTA) - bits * np.nextafter(np.log(2), 1)
            exact = float(binomial_inverse_upper(wrong, len(bound), spent))
            hoeffding = float(hoeffding_upper(wrong / len(bound), len(bound), spent))
            rows.append({
                "dimension": dimension, "levels": one.levels, "bits": bits, "errors": wrong, "examples": len(bound),
                "bound": exact, "hoeffding": hoeffding, "ratio": hoeffding / exact, "baseline": baseline,
            })  # fmt: skip
    return rows


def each_against_others(
    *, examples: int, steps: int, seed: int, tried: Tried = AGAINST_OTHERS
) -> list[dict[str, float]]:
    """Ten networks, each of which tells one digit from the others, compressed together and certified.

    Args:
        examples: As in :func:`judged`.
        steps: As in :func:`judged`.
        seed: As in :func:`judged`.
        tried: Dimensions with the levels of their codebooks; the message says which.

    Returns:
        A row for each digit, of the message with the smallest bound: digit, dimension, levels, bits, errors, bound, the bound by
        Hoeffding from the same message, the smallest by Hoeffding from any message, and the error of answering "no".
    """
    (x, y), _ = digits(train_size=examples, seed=seed)
    one = Population.of(lambda: dense(widths=(128,), outputs=2), 1, seed=seed)
    start = one.with_tensors(
        {name: tensor.repeat_interleave(10, 0) for name, tensor in one.parameters.items()},
        {name: tensor.repeat_interleave(10, 0) for name, tensor in one.buffers.items()},
    )
    labels = torch.stack([(y == digit).long() for digit in range(10)])
    data = Examples(x, labels, y_per_member=True)
    rows: list[list[dict[str, float]]] = [[] for _ in range(10)]
    for dimension, levels in tried:
        books = [(size, True) for size in levels]
        for found in compressed(
            start, data, Recipe(batch_size=128), dimension=dimension, codebooks=books, seed=seed, steps=steps
        ):
            check_received(found, start, seed=seed)
            wrong = (errors(found.networks, data.x, data.y) * examples).round().tolist()
            for digit, (message, errs) in enumerate(zip(found.messages, wrong, strict=True)):
                spent = np.log(DELTA) - len(message) * np.nextafter(np.log(2), 1)
                rows[digit].append({
                    "digit": digit, "dimension": dimension, "levels": found.levels, "bits": len(message), "errors": int(errs),
                    "bound": float(binomial_inverse_upper(int(errs), examples, spent)),
                    "hoeffding": float(hoeffding_upper(errs / examples, examples, spent)),
                    "no": float(labels[digit].double().mean()),
                })  # fmt: skip
    best = [min(tries, key=lambda row: row["bound"]) for tries in rows]
    others = [min(row["hoeffding"] for row in tries) for tries in rows]
    return [{**row, "own": own} for row, own in zip(best, others, strict=True)]


def _wrong(networks: Population, examples: Examples) -> int:
    return round(float(errors(networks, examples.x, examples.y)[0]) * len(examples))


def lines(question: Question, rows: list[dict[str, float]], seconds: float) -> list[str]:
    """Markdown of one question: the smallest bound, beside Hoeffding from the same message and from the message that suits it best.

    Args:
        question: What.
        rows: Of :func:`judged`.
        seconds: That it took.

    Returns:
        One row of the table.
    """
    best, other = min(rows, key=lambda row: row["bound"]), min(row["hoeffding"] for row in rows)
    baseline = f"{best['baseline']:.3f}" if best["baseline"] == best["baseline"] else "-"
    return [
        f"| {question.words} | {best['dimension']} x {best['levels']} | {best['bits']} | {best['errors']} of {best['examples']} "
        f"| {best['bound']:.3f} | {best['hoeffding']:.3f} | {best['ratio']:.2f} | {other:.3f} | {baseline} | {seconds:.0f} s |"
    ]


def main(*, examples: int, steps: int, seed: int) -> None:
    """Print the table.

    Args:
        examples: As in :func:`judged`.
        steps: As in :func:`judged`.
        seed: As in :func:`judged`.
    """
    print("| question | dimensions x levels | bits | errors | at most | by Hoeffding | ratio | Hoeffding's own best message "
          "| Clopper-Pearson of the start | time |\n|---|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    for question in QUESTIONS:
        started = time.perf_counter()
        rows = judged(question, examples=examples, steps=steps, seed=seed)
        print("\n".join(lines(question, rows, time.perf_counter() - started)), flush=True)


def print_each(*, examples: int, steps: int, seed: int, tried: Tried = AGAINST_OTHERS) -> None:
    """Print the table of each digit against the others.

    Args:
        examples: As in :func:`judged`.
        steps: As in :func:`judged`.
        seed: As in :func:`judged`.
        tried: As in :func:`each_against_others`.
    """
    started = time.perf_counter()
    print('\n| digit against the others | dimensions x levels | bits | errors | at most | by Hoeffding | ratio | answering "no" |\n'
          "|---|---|---|---|---|---|---|---|")  # fmt: skip
    found = each_against_others(examples=examples, steps=steps, seed=seed, tried=tried)
    for row in found:
        print(
            f"| {row['digit']} | {row['dimension']} x {row['levels']} | {row['bits']} | {row['errors']} of {examples} "
            f"| {row['bound']:.3f} | {row['own']:.3f} | {row['own'] / row['bound']:.2f} | {row['no']:.3f} |"
        )
    ratios = [row["own"] / row["bound"] for row in found]
    print(f"\nmedian ratio {np.median(ratios):.2f}, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    reader = argparse.ArgumentParser()
    reader.add_argument("--examples", type=int, default=1797)
    reader.add_argument("--steps", type=int, default=4000)
    reader.add_argument("--seed", type=int, default=0)
    given = reader.parse_args()
    torch.set_num_threads(1)  # one core
    main(examples=given.examples, steps=given.steps, seed=given.seed)
    print_each(examples=given.examples, steps=min(given.steps, 1000), seed=given.seed)
