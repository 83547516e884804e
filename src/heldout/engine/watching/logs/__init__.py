"""What other tools logged of a training: TensorBoard event files, CSV, JSON lines, ``trainer_state.json``.

Every format has a file with one function ``read(path, step)``, which gives the scalars of one log by their own names; ``finding``
says which files are logs and of which run, ``naming`` what their names mean, ``runs`` makes the table that a watched run has too.
Nothing is unpickled, no file outside of the folder is opened, and what a running training has half written is left for later.
"""

from heldout.engine.watching.logs.runs import Run, read_runs

__all__ = ["Run", "read_runs"]
