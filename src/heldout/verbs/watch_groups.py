"""The groups of readings that a watch makes, those that need a verb of their own included."""

from collections.abc import Sequence

from heldout.catalog import find
from heldout.engine.watching.groups import Found, Group, Probe, measured, standard
from heldout.engine.watching.pathways import pathways
from heldout.records import Refusal
from heldout.verbs.sample_posterior import sample_posterior

SWEEPS = 400  # gradients over the examples that a chain may cost
CHAINS = 4
POSTERIOR = 128  # training examples around whose posterior chains run
COEFFICIENTS = ("learning-coefficient", "learning-coefficient-heat-capacity")


def learning(examples: int) -> Group:
    """The local learning coefficient, from short chains: dear, seldom, and often not converged, which it then says.

    Args:
        examples: Watched training examples at most.

    Returns:
        The group.
    """
    few = min(examples, POSTERIOR)

    def read(probe: Probe) -> Found:
        drawn = sample_posterior(
            probe.subject(few), chains=CHAINS, draws=100, budget=SWEEPS, precision=0.1, seed=probe.seed
        )
        return Found([row for name in COEFFICIENTS for row in drawn.readings[name].rows()])

    return Group("learning", COEFFICIENTS, read, 1.0, 16, 3.0 * CHAINS * SWEEPS * few)


def chosen_groups(record: Sequence[str] | None, examples: int, validation: int) -> dict[str, Group]:
    """The groups that are to be read.

    Args:
        record: Names of groups, and of measures that are read beside them; None for all groups.
        examples: Watched training examples.
        validation: Watched validation examples.

    Returns:
        By name.

    Raises:
        Refusal: If a name is neither, or a word was passed in place of several.
    """
    known = standard(examples, validation)
    known |= {group.name: group for group in (pathways(min(examples, 64)), learning(examples))}
    if record is None:
        return known
    if isinstance(record, str):
        raise Refusal(given=f"record was '{record}'", expected="a list of names", do=f"pass record=('{record}',)")
    also = [name for name in record if name not in known]
    try:
        for name in also:
            find(name)
    except Refusal as stranger:
        raise Refusal(
            given=f"record held '{name}', which is no group and {str(stranger).partition(':')[0]}",
            expected=f"groups ({', '.join(known)}) or names of measures",
            do="see 'heldout list --kind measure'",
        ) from None
    groups = {name: known[name] for name in known if name in record}
    return groups | ({"asked": measured("asked", also, examples=min(examples, 256))} if also else {})
