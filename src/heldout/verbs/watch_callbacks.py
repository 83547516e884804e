"""The watch in loops that others wrote: Lightning and the Trainer of transformers, imported only when they are asked for."""

import importlib
from typing import TYPE_CHECKING, Any

from heldout.records import Refusal

if TYPE_CHECKING:
    from heldout.verbs.watch import Watch

FINISHED = "finished"


def imported(names: tuple[str, ...], package: str, extra: str) -> Any:
    """A module of a package that heldout does not need otherwise.

    Args:
        names: Modules, the first that is there counts.
        package: In words.
        extra: Of heldout, which brings it.

    Returns:
        The module.

    Raises:
        Refusal: If none is installed.
        ModuleNotFoundError: If one is, and lacks something of its own.
    """
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as missing:
            if not name.startswith(str(missing.name)):
                raise
    raise Refusal(
        given=f"{package} is not installed", expected=f"{package} beside heldout", do=f"pip install 'heldout[{extra}]'"
    )


def lightning_callback(watch: "Watch", stop: bool) -> Any:
    """A Lightning callback that watches a fit.

    Args:
        watch: The watch.
        stop: Whether its word to stop ends the fit.

    Returns:
        A ``Callback``.
    """
    names = ("lightning.pytorch.callbacks", "pytorch_lightning.callbacks")
    base: Any = imported(names, "Lightning", "lightning").Callback

    class WatchCallback(base):  # type: ignore[misc]
        """Tells a watch of every optimizer step of a fit."""

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            if trainer.is_global_zero:
                watch.begin(trainer.global_step)

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            if not trainer.is_global_zero or trainer.global_step == watch.steps_taken:
                return  # gradients are being accumulated
            loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
            if loss is not None:
                loss = loss.detach() * trainer.accumulate_grad_batches  # Lightning has divided it
            watch.step(loss, at=trainer.global_step)
            if stop and watch.should_stop:
                trainer.should_stop = True

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            watch.finish()

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            watch.finish(type(exception).__name__)

    return WatchCallback()


def trainer_callback(watch: "Watch", stop: bool) -> Any:
    """A callback of the Trainer of transformers that watches a training.

    Args:
        watch: The watch.
        stop: Whether its word to stop ends the training.

    Returns:
        A ``TrainerCallback``.
    """
    base: Any = imported(("transformers.trainer_callback",), "transformers", "transformers").TrainerCallback

    class WatchCallback(base):  # type: ignore[misc]
        """Tells a watch of every optimizer step of a training."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            if state.is_world_process_zero:
                watch.begin(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            if state.is_world_process_zero:
                watch.step(at=state.global_step)
                if stop and watch.should_stop:
                    control.should_training_stop = True

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any) -> None:
            if state.is_world_process_zero and isinstance((logs or {}).get("loss"), float):
                watch.note(logs["loss"])

        def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            watch.finish()

    return WatchCallback()
