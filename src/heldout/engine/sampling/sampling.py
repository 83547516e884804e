"""Sampling from beginning to end: pilots, draws, looks at them in growing intervals; and going on after it was stopped."""

import time
from collections.abc import Callable

from heldout.engine.sampling.course import Course
from heldout.engine.sampling.curvature import curvature
from heldout.engine.sampling.draws import Draws
from heldout.engine.sampling.field import Field
from heldout.engine.sampling.keeping import Keep, packed, unpacked
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.settings import Settings
from heldout.engine.sampling.spectra import at_centres, spectra
from heldout.engine.sampling.target import Target
from heldout.engine.sampling.tuning import tune

KEPT_EVERY = 30.0  # seconds
Progress = Callable[[str, float], None]


def sample(
    target: Target,
    settings: Settings,
    *,
    test: Field | None = None,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> tuple[Draws, ...]:
    """Sample every group of a target until its draws are precise, or are out of budget; say of each whether it converged.

    Unadjusted samplers run twice, at a step size and at half of it: the draws are of the smaller one, and the difference of
    their mean losses is the bias of the larger and a bound for what is left.

    Args:
        target: Members, temperatures, localisations.
        settings: How.
        test: Losses of test examples, to be kept beside those of the training examples.
        progress: Told when the pilots are done, at every look, and every second between, with the largest share of its budget that
            a group has used.
        keep: Where chains under way are kept every half a minute; what is there is taken up, with the random numbers it would
            have had.

    Returns:
        Draws in the order of the groups.
    """
    streams = Streams(settings.seed, target.chains)
    begun = kept = told = time.monotonic()
    before = keep.read() if keep else None
    if before is None:
        course = _begun(target, settings, test, streams)
        said = "coordinates and steps found"
    else:
        course = unpacked(before, target, settings, test)
        said = f"taken up at {course.count} draws"
    if progress:
        progress(said, course.used)
    while len(course.going):
        course.draw(streams)
        looked = course.due
        if looked:
            course.look()
        if progress and (looked or time.monotonic() > told + 1):
            told = time.monotonic()
            progress(f"{course.count} draws", course.used)
        # what ends is kept too, for what comes after it: unless it is as quickly sampled again
        if keep and time.monotonic() > (kept if len(course.going) else begun) + KEPT_EVERY:
            keep.write(*packed(course))
            kept = time.monotonic()
    return tuple(course.finished[group] for group in range(target.groups))


def _begun(target: Target, settings: Settings, test: Field | None, streams: Streams) -> Course:
    sampler, batch = settings.chosen(target.field.examples)
    known = spectra(target, streams)
    curved = curvature(target, known, streams)
    tuned = tune(sampler, target, at_centres(target, known), curved, streams, batch, settings.step_size)
    return Course.begun(target, settings, test, curved, tuned)
