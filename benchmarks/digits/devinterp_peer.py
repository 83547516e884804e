"""devinterp, 1.3.2 or 2.0.1, in an environment of its own: as a script this file answers there, imported it asks from here."""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import nn

BATCH = 256


@dataclass(frozen=True)
class Answer:
    """What a run gave: CPU seconds, minibatch losses ``[chains, draws]``, and the learning coefficient that the package reports."""

    seconds: float
    trace: np.ndarray
    value: float


class Peer:
    """A process that samples one network when it is asked to.

    Args:
        python: Of an environment that has devinterp.
        name: Of the network in ``digits/networks.py``.
        network: Its weights.
    """

    def __init__(self, python: str, name: str, network: nn.Module) -> None:
        from benchmarks.digits.networks import digits

        x, y = digits()
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "digits.pt"
        torch.save({"state": network.state_dict(), "x": x, "y": y}, file)
        self.centre = float(nn.functional.cross_entropy(network(x), y).detach())
        self.process = subprocess.Popen(
            [python, __file__, str(file), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.version: str = json.loads(self.process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def __call__(self, *, chains: int, draws: int, epsilon: float, gamma: float) -> Answer:
        """Sample by SGLD."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"chains": chains, "draws": draws, "epsilon": epsilon, "gamma": gamma, "centre": self.centre}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        found = json.loads(self.process.stdout.readline())
        return Answer(found["seconds"], np.array(found["trace"]), found["value"])


def first(network: nn.Module, data: dict[str, Any], asked: dict[str, Any], nbeta: float) -> tuple[list[Any], float]:
    """By 1.3.2."""
    from devinterp.optim.sgld import SGLD
    from devinterp.slt.sampler import estimate_learning_coeff_with_summary as estimate

    examples = torch.utils.data.TensorDataset(data["x"], data["y"])
    found = estimate(
        network, torch.utils.data.DataLoader(examples, batch_size=BATCH, shuffle=True), sampling_method=SGLD,
        evaluate=lambda model, batch: nn.functional.cross_entropy(model(batch[0]), batch[1]), init_loss=asked["centre"],
        num_draws=asked["draws"], num_chains=asked["chains"], seed=list(range(asked["chains"])), verbose=False,
        optimizer_kwargs={"lr": asked["epsilon"], "localization": asked["gamma"], "nbeta": nbeta},
    )  # fmt: skip
    return found["loss/trace"].tolist(), float(found["llc/mean"])


def second(network: nn.Module, data: dict[str, Any], asked: dict[str, Any], nbeta: float) -> tuple[list[Any], float]:
    """By 2.0.1, which is for language models: an example is a sequence of its number and an end."""
    from devinterp.slt.llc import llc

    from datasets import Dataset

    numbers = Dataset.from_dict({"input_ids": [[number, 0] for number in range(len(data["y"]))]}).with_format("torch")

    def loss(model: nn.Module, sequences: torch.Tensor) -> torch.Tensor:
        chosen = sequences[:, 0]
        return nn.functional.cross_entropy(model(data["x"][chosen]), data["y"][chosen], reduction="none")[:, None]

    found = llc(
        network, numbers, {}, lr=asked["epsilon"], n_beta=nbeta, localization=asked["gamma"], num_chains=asked["chains"],
        num_draws=asked["draws"], batch_size=BATCH, loss_fn=loss, device="cpu",
    )  # fmt: skip
    return found["loss_trace"].values.tolist(), float(found["llc_mean"])


def answer() -> None:
    """One request a line on the input, one answer a line on the output."""
    import math
    import warnings
    from importlib.metadata import version

    from networks import NETWORKS

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    data = torch.load(sys.argv[1])
    network = NETWORKS[sys.argv[2]]()
    network.load_state_dict(data["state"])
    network.eval()
    own, said = version("devinterp"), sys.stdout
    sys.stdout = sys.stderr  # whatever else is printed is no answer
    print(json.dumps(own), file=said, flush=True)
    nbeta = len(data["y"]) / math.log(len(data["y"]))
    for line in sys.stdin:
        start = time.process_time()
        trace, value = (first if own.startswith("1.") else second)(network, data, json.loads(line), nbeta)
        print(
            json.dumps({"seconds": time.process_time() - start, "trace": trace, "value": value}), file=said, flush=True
        )


if __name__ == "__main__":
    answer()
