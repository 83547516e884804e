"""Ten-line units, one for each open room, as a stranger would write them."""

STRANGERS = {
    "criteria": '''
import numpy as np
from heldout.catalog import criterion

@criterion(source="A stranger's", range=(-1.0, 1.0), chance=0.0)
def stranger_criterion(measures: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Correlation of values.

    Example:
        >>> stranger_criterion(np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])).round(6).item()
        1.0
    """
    return np.corrcoef(measures, targets)[: len(measures), len(measures) :]
''',
    "measures": '''
from heldout import measure
from heldout.records import Direction
from torch import Tensor

@measure(source="Definition: a stranger's", direction=Direction.HIGHER_IS_WORSE)
def stranger_measure(losses: Tensor) -> Tensor:
    """Largest training loss.

    Example:
        >>> import torch
        >>> stranger_measure(torch.tensor([1.0, 3.0])).item()
        3.0
    """
    return losses.amax()
''',
    "representation": '''
from heldout import measure
from heldout.records import Direction
from torch import Tensor

@measure(source="Definition: a stranger's", direction=Direction.NEITHER)
def stranger_representation(logits: Tensor) -> Tensor:
    """Variance of the logits.

    Example:
        >>> import torch
        >>> stranger_representation(torch.zeros(3, 2)).item()
        0.0
    """
    return logits.var()
''',
    "bounds": '''
import numpy as np
from heldout.catalog import bound

@bound(source="A stranger's", certifies="this network", statement="certain")
def stranger_bound(held_out_losses: np.ndarray, *, log_delta: float) -> tuple[np.ndarray, tuple[tuple[str, float], ...]]:
    """The trivial bound.

    Example:
        >>> stranger_bound(np.zeros((2, 5)), log_delta=-3.0)[0].tolist()
        [1.0, 1.0]
    """
    return np.ones(len(held_out_losses)), (("nothing can go wrong", 1.0),)
''',
    "figures": '''
import altair as alt
from heldout.catalog import figure

@figure(title="A stranger's figure", caption="Every reading, one bar each.")
def stranger_figure(readings: list[dict[str, object]]) -> alt.Chart:
    """Bars."""
    return alt.Chart(alt.Data(values=readings)).mark_bar().encode(x="name:N", y="value:Q")
''',
    "datasets": '''
import torch
from heldout.catalog import dataset

@dataset(source="A stranger's")
def stranger_dataset(*, seed: int = 0) -> tuple[tuple[torch.Tensor, torch.Tensor], ...]:
    """Zeros.

    Example:
        >>> stranger_dataset()[0][0].shape
        torch.Size([4, 2])
    """
    pair = torch.zeros(4, 2), torch.arange(4) % 2
    return pair, pair
''',
    "networks": '''
from torch import nn
from heldout.catalog import network

@network(source="A stranger's")
def stranger_network(*, width: int = 3) -> nn.Module:
    """One dense layer.

    Example:
        >>> stranger_network().out_features
        2
    """
    return nn.Linear(width, 2)
''',
    "interventions": '''
from dataclasses import dataclass
from heldout.catalog import intervention
from heldout.engine.training import Intervention

@intervention(source="A stranger's")
def stranger_intervention() -> Intervention:
    """Nothing changes.

    Example:
        >>> stranger_intervention().parts
        1
    """
    return Intervention()
''',
    "studies": '''
from heldout.catalog import Claim, study
CLAIM = Claim("Nought is nought.", "a stranger", lambda table: table.y, bar=0.5, above=False, exact=True)

@study(source="A stranger's", sizes={"smoke": {"x": [1, 2]}}, claims=[CLAIM], drawn=lambda table: table, axes={})
def stranger_study(*, x: int, seed: int) -> dict[str, list[float]]:
    """Is nought nought?

    Example:
        >>> stranger_study(x=1, seed=0)["y"]
        [0.0]
    """
    return {"member": [0], "y": [0.0], "curve": ["a"]}
''',
    "posterior": '''
import numpy as np
from heldout.catalog import observable

@observable(source="A stranger's")
def stranger_observable(mean_losses: np.ndarray) -> tuple[float, np.ndarray]:
    """The smallest loss.

    Example:
        >>> stranger_observable(np.array([[1.0, 2.0]]))[0]
        1.0
    """
    return float(mean_losses.min()), 0.0 * mean_losses
''',
}
