"""The watch inside of Lightning and of the Trainer of transformers: every optimizer step counted, weights untouched."""

import importlib
import logging
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import heldout
from heldout.records import Refusal

X = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()
ALL = {"every": 1, "budget": float("inf"), "record": ("errors",)}


class Always:
    """Stops at the first word."""

    def update(self, step: int, losses: Any) -> bool:
        return step >= 2


def lit(watched: bool, folder: Path, *, stop: bool = False, accumulate: int = 1) -> tuple[Any, heldout.Watch | None]:
    """A fit of six batches by Lightning."""
    import lightning

    class Lit(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(x)

        def training_step(self, batch: Any, place: int) -> torch.Tensor:
            return nn.functional.cross_entropy(self(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)

    torch.manual_seed(0)
    module = Lit()
    watch = heldout.Watch(module, (X, Y), (X, Y), stopping=Always(), **ALL) if watched else None  # type: ignore[arg-type]
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning has much to say about a tiny fit
        trainer = lightning.Trainer(
            max_epochs=1, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
            enable_checkpointing=False, default_root_dir=folder, accumulate_grad_batches=accumulate,
            callbacks=[watch.for_lightning(stop=stop)] if watch else [],
        )  # fmt: skip
        data = torch.utils.data.TensorDataset(X, Y)
        trainer.fit(module, torch.utils.data.DataLoader(data, batch_size=6, shuffle=True, drop_last=True))
    return module, watch


def test_lightning(tmp_path: Path) -> None:
    (module, watch), (other, _) = lit(True, tmp_path), lit(False, tmp_path)
    assert watch is not None
    assert watch.faults == ()
    assert all(torch.equal(one, two) for one, two in zip(module.parameters(), other.parameters(), strict=True))
    assert watch.table[watch.table.name == "train-loss"].step.tolist() == [0, 1, 2, 3, 4, 5]
    assert watch.table[watch.table.name == "loss"].step.tolist() == [1, 2, 3, 4, 5]


def test_lightning_stops_where_it_is_told_to_and_counts_optimizer_steps(tmp_path: Path) -> None:
    _, watch = lit(True, tmp_path, stop=True)
    assert watch is not None
    assert watch.steps_taken == 2
    _, watch = lit(True, tmp_path, accumulate=2)
    assert watch is not None
    assert watch.steps_taken == 3  # five batches: two pairs and the last one
    losses = watch.table[watch.table.name == "loss"].value
    assert losses.between(0.1, 3).all()  # not halved by the accumulation


class Tiny(nn.Module):
    """Scores, and a loss where labels are given, as transformers' models do."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        logits = self.body(x)
        return (
            {"logits": logits}
            if labels is None
            else {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}
        )


def hugged(watched: bool, folder: Path, *, stop: bool = False) -> tuple[nn.Module, heldout.Watch | None]:
    """Six steps by the Trainer of transformers."""
    import transformers

    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    network = Tiny()
    data = [{"x": x, "labels": y} for x, y in zip(X, Y, strict=True)]
    watch = heldout.Watch(network, data, data, stopping=Always(), **ALL) if watched else None  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings = transformers.TrainingArguments(
            output_dir=str(folder), max_steps=6, per_device_train_batch_size=8, report_to=[], disable_tqdm=True, save_strategy="no",
            logging_steps=2, use_cpu=True, seed=3, logging_strategy="steps",
        )  # fmt: skip
        callbacks = [watch.for_trainer(stop=stop)] if watch else []
        trainer = transformers.Trainer(model=network, args=settings, train_dataset=data, callbacks=callbacks)
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    return network, watch


def test_transformers(tmp_path: Path) -> None:
    (network, watch), (other, _) = hugged(True, tmp_path), hugged(False, tmp_path)
    assert watch is not None
    assert watch.faults == ()
    assert all(torch.equal(one, two) for one, two in zip(network.parameters(), other.parameters(), strict=True))
    assert watch.table[watch.table.name == "validation-loss"].step.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert watch.table[watch.table.name == "loss"].step.tolist() == [2, 4, 6]  # as often as it logs


def test_transformers_stops_where_it_is_told_to(tmp_path: Path) -> None:
    _, watch = hugged(True, tmp_path, stop=True)
    assert watch is not None
    assert watch.steps_taken == 2


@pytest.mark.parametrize(
    ("package", "extra", "make"),
    [("Lightning", "lightning", "for_lightning"), ("transformers", "transformers", "for_trainer")],
)
def test_a_package_that_is_missing_is_named(
    package: str, extra: str, make: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, *_: object) -> None:
        raise ModuleNotFoundError(name, name=name.partition(".")[0])

    watch = heldout.Watch(nn.Linear(4, 2), (X, Y), **ALL)  # type: ignore[arg-type]
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(Refusal, match=rf"{package} is not installed.*pip install 'heldout\[{extra}\]'"):
        getattr(watch, make)()
