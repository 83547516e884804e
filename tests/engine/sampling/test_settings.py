"""Which sampler is taken, and on how many examples a step."""

import pytest

from heldout.engine.sampling.hamiltonian import Hmc
from heldout.engine.sampling.langevin import RmspropSgld, Sgld
from heldout.engine.sampling.metropolis import Mala
from heldout.engine.sampling.settings import Settings
from heldout.engine.sampling.thermostat import Sgnht
from heldout.records import Refusal


def test_trajectories_for_few_examples_and_minibatches_for_many() -> None:
    assert isinstance(Settings().chosen(20_000)[0], Hmc)
    sampler, batch = Settings().chosen(20_001)
    assert isinstance(sampler, Sgld)
    assert batch == 512


@pytest.mark.parametrize(
    ("name", "kind"), [("hmc", Hmc), ("mala", Mala), ("sgld", Sgld), ("rmsprop-sgld", RmspropSgld), ("sgnht", Sgnht)]
)
def test_a_sampler_by_its_name(name: str, kind: type) -> None:
    sampler, batch = Settings(sampler=name, batch=32).chosen(1000)
    assert type(sampler) is kind
    assert sampler.name == name
    assert batch == (None if name in ("hmc", "mala") else 32)


def test_a_batch_of_everything_is_no_batch() -> None:
    assert Settings(sampler="sgld").chosen(100)[1] is None
    assert Settings(sampler="sgld", control_variate=True, batch=10).chosen(100)[0].control_variate  # type: ignore[attr-defined]


def test_all_faults_are_told_together() -> None:
    with pytest.raises(Refusal, match="3 faults at once"):
        Settings(chains=0, draws=1, precision=-1.0).check()
