"""``trainer_state.json`` of the Hugging Face Trainer: its ``log_history``."""

from pathlib import Path

from heldout.engine.watching.logs.jsonl_files import parsed
from heldout.engine.watching.logs.lines import LARGEST
from heldout.engine.watching.logs.rows import log_of
from heldout.engine.watching.logs.scalars import Log
from heldout.records import Refusal


def read(path: Path, step: str = "") -> Log:
    """The scalars of a Trainer's history.

    The last record of a finished training, with ``train_runtime``, holds the mean training loss over all of it under the name
    ``train_loss``: it is no point of a curve and is left out.

    Args:
        path: The file.
        step: The key of the step; ``step`` unless given.

    Returns:
        The log.

    Raises:
        Refusal: If there is no such history.
    """
    if path.stat().st_size > LARGEST:
        raise Refusal(given=f"'{path.name}' has more than {LARGEST:,} bytes", expected="a log", do="pass another file")
    state = parsed(path.read_bytes().decode("utf-8", "replace"))
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list):
        raise Refusal(
            given=f"'{path.name}' has no log_history", expected="what transformers.Trainer writes into a checkpoint",
            do="pass the folder of a checkpoint, or another file",
        )  # fmt: skip
    rows = [row for row in history if isinstance(row, dict) and "train_runtime" not in row]
    return log_of(rows, path.name, step, sum(not isinstance(row, dict) for row in history))
