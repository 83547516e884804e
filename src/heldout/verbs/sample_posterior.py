"""``heldout.sample_posterior``: the posterior around trained networks, and what singular learning theory reads from it."""

import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from heldout._version import __version__
from heldout.engine.sampling import Draws, NetworkField, Settings, Target, sample
from heldout.engine.sampling.coefficients import automatic_localisations
from heldout.engine.sampling.randomness import Streams
from heldout.engine.store import drop_parts
from heldout.engine.subject import Subject
from heldout.engine.subject.fingerprint import fingerprint
from heldout.records import Refusal, refuse
from heldout.verbs.audit import require_subject, whole_seed
from heldout.verbs.kept_chains import keep_at, place_of
from heldout.verbs.observing import observe
from heldout.verbs.posterior import Asked, Posterior

#: Called whenever the chains are looked at, with words and the largest share of its budget that any has used.
Progress = Callable[[str, float], None]
PLACES = ("trained", "initial")
FEWEST_RUNGS = 6
FIRST_RUNG = 0.05  # nats of the free energy that lie below the first rung


def sample_posterior(
    subject: Subject,
    *,
    chains: int = 8,
    draws: int = 400,
    at: str = "trained",
    only: str = "",
    beta: float | None = None,
    localisation: float | Sequence[float] | None = None,
    ladder: int = 0,
    sampler: str = "auto",
    batch: int | None = None,
    step_size: float | None = None,
    budget: float = 50_000.0,
    precision: float = 0.03,
    control_variate: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    store: str = "",
) -> Posterior:
    r"""Sample the tempered posterior around each network, and read the learning coefficient and its kin from the draws.

    .. math:: p(w) \propto \exp\left(-n\beta L_n(w) - \tfrac{\gamma}{2} |w - w^*|^2\right)

    Coordinates, step size, burn-in and the number of draws are found by pilot chains and by looks at the running ones; numbers are
    given only if the chains have reached equilibrium, and otherwise a reason with what would be needed. Gradients, mean losses and
    the loss of the centre are all of the whole training set, n is its size, and networks are in evaluation mode.

    Refused: what is no subject, no such place, parameters that are not there, numbers that are not positive.

    Args:
        subject: Networks, training data and loss; with test data the losses on them are kept too.
        chains: Of every network.
        draws: Of a chain; fewer where the precision is reached before, more where it is not and the budget allows.
        at: The centre w*: ``"trained"`` or ``"initial"``.
        only: Parameters that are sampled, by the beginning of their name such as ``"layers.0"``; all that are trained if empty.
        beta: Inverse temperature; ``1 / ln n`` unless given. 1 is the Bayesian posterior, of which WAIC usually speaks.
        localisation: gamma; P divided by the squared length of the network's weights unless given, so that the Gaussian is as
            wide as the weights themselves. One number, or one for each network.
        ladder: Rungs of a ladder of temperatures up to 1 for the free energy; 0 for none, at least 6.
        sampler: ``"hmc"``, ``"mala"``, ``"sgld"``, ``"rmsprop-sgld"``, ``"sgnht"``; ``"auto"`` takes trajectories over all
            examples up to 20,000 of them and minibatches beyond.
        batch: Examples a step of the stochastic samplers.
        step_size: None for the automatic choice.
        budget: Gradients over all examples that one chain may cost.
        precision: Standard error of the learning coefficient, as a share of it, at which sampling ends.
        control_variate: Whether minibatch gradients are corrected by those of the same examples at the centre.
        seed: Every random stream derives from it.
        progress: Told when the pilots are done, at every look, and every second between.
        store: A directory or fsspec URL in which chains under way are kept, every half a minute: killed and called again, the same
            call goes on from there. Empty to keep nothing.

    Returns:
        The draws with their readings.
    """
    require_subject(subject)
    settings = Settings(
        chains, draws, sampler, batch, step_size, float(budget), precision, control_variate, whole_seed(seed)
    )
    asked = Asked(at=at, only=only, beta=beta, localisation=localisation, ladder=ladder)
    _check(subject, settings, asked)
    started = time.perf_counter()
    population = subject.population
    if at == "initial":
        assert subject.initial is not None  # checked
        population = subject.initial
    names = sampled(subject, only)
    field = NetworkField(population, subject.train, subject.loss, names)
    test = None if subject.test is None else NetworkField(population, subject.test, subject.loss, names)
    members = torch.arange(len(population), device=population.device)
    n = len(subject.train)
    own = 1 / math.log(max(n, 3)) if beta is None else float(beta)
    gammas = _localisations(field, localisation)
    spent = population.tally.forward, population.tally.backward
    ones = torch.ones_like(gammas)
    target = Target.of(field, members, n * own * ones, gammas, chains)
    place = place_of(store)
    key = fingerprint(subject, settings, asked, __version__) if place else ""
    found = sample(target, settings, test=test, progress=progress, keep=keep_at(place, key, "chains"))
    rungs: tuple[tuple[Draws, ...], ...] = ()
    if ladder:
        steps = np.geomspace(_first_rung(target, settings.seed, n), n, ladder)
        many = members.repeat(ladder)
        nbetas = torch.as_tensor(steps).to(gammas).repeat_interleave(len(members))
        whole = Target.of(field, many, nbetas, gammas.repeat(ladder), chains)
        climbed = sample(whole, settings, progress=progress, keep=keep_at(place, key, "rungs"))
        rungs = tuple(climbed[m :: len(members)] for m in range(len(members)))
    cost = (population.tally.forward - spent[0]) / n, (population.tally.backward - spent[1]) / n
    seconds = time.perf_counter() - started
    readings = observe(found, rungs, subject, cost, seconds)

    if place:
        drop_parts(place, key)

    def again(other: str, gammas: Sequence[float]) -> Posterior:
        same = {name: getattr(settings, name) for name in settings.__dataclass_fields__}
        return sample_posterior(
            subject,
            at=at,
            only=other,
            beta=beta,
            localisation=gammas,
            ladder=ladder,
            progress=progress,
            store=store,
            **same,
        )

    return Posterior(subject, settings, asked, found, rungs, readings, seconds, again)


def sampled(subject: Subject, only: str) -> tuple[str, ...]:
    """The parameters to sample.

    Args:
        subject: What is under study.
        only: The beginning of their names; all that are trained if empty.

    Returns:
        Their names.

    Raises:
        Refusal: If there are none.
    """
    trained = [name for name, parameter in subject.population.template.named_parameters() if parameter.requires_grad]
    chosen = [name for name in trained if not only or name == only or name.startswith(f"{only}.")]
    if not chosen:
        layers = list(dict.fromkeys(name.rpartition(".")[0] or name for name in trained))
        raise Refusal(
            given=f"only was '{only}'" if only else "every parameter of the network is frozen",
            expected=f"the name of a layer or parameter that is trained, such as {', '.join(layers[:3]) or 'none here'}",
            do="see network.named_parameters()",
        )
    return tuple(chosen)


def _check(subject: Subject, settings: Settings, asked: Asked) -> None:
    faults: list[Refusal] = []
    for action in (settings.check, lambda: sampled(subject, asked.only)):
        try:
            action()
        except Refusal as fault:
            faults.append(fault)

    def demand(holds: bool, given: str, expected: str, do: str) -> None:
        if not holds:
            faults.append(Refusal(given=given, expected=expected, do=do))

    demand(asked.at in PLACES, f"at was '{asked.at}'", f"one of {', '.join(PLACES)}", "pass at='trained'")
    demand(
        asked.at != "initial" or subject.initial is not None,
        "at was 'initial' and the subject has no initial networks",
        "the untrained networks",
        "pass Subject(..., initial=network)",
    )
    gammas = asked.localisation if isinstance(asked.localisation, Sequence) else [asked.localisation]
    for name, value in (("beta", asked.beta), *(("localisation", gamma) for gamma in gammas)):
        positive = value is None or (isinstance(value, (int, float)) and 0 < value < math.inf)
        demand(positive, f"{name} was {value!r}", "a positive number", "leave it out for the automatic choice")
    demand(
        len(gammas) in (1, len(subject.population)),
        f"localisation had {len(gammas)} numbers",
        f"one, or one for each of the {len(subject.population)} networks",
        "pass one number",
    )
    demand(
        asked.ladder == 0 or asked.ladder >= FEWEST_RUNGS,
        f"ladder was {asked.ladder!r}",
        f"0, or at least {FEWEST_RUNGS} rungs",
        "pass ladder=12",
    )
    refuse(faults)


def _localisations(field: NetworkField, given: float | Sequence[float] | None) -> Tensor:
    """Gamma of every member, ``[M]``, float64."""
    squares = sum(tensor.double().square().flatten(1).sum(1) for tensor in field.population.parameters.values())
    assert isinstance(squares, Tensor)
    if given is None:
        return automatic_localisations(squares, field.population.size)
    return torch.as_tensor(given, dtype=torch.float64, device=squares.device).expand(len(squares)).clone()


def _first_rung(target: Target, seed: int, largest: float) -> float:
    """A temperature below which the mean loss is that of the Gaussian alone, for the integral from 0 on."""
    drawn = Streams(seed, target.chains).normal("prior", 0, target.field.size, target.field.centres.dtype)
    members = target.of_chains(target.members)
    away = (
        drawn.to(members.device)[target.number_of]
        / target.of_chains(target.localisation).sqrt().to(drawn.dtype)[:, None]
    )
    centres = target.field.centres[members]
    rise = (target.field.losses(centres + away, members) - target.field.losses(centres, members)).mean()
    return min(0.01 * largest, max(1e-9 * largest, FIRST_RUNG / max(float(rise.nan_to_num(1e9)), 1e-9)))
