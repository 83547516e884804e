"""The networks in float64, for derivatives whose sign or tangent must not be rounding."""

import torch

from heldout.engine.population import Inputs, Population
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.records import NotApplicable


def doubled(population: Population, example: Inputs) -> Population:
    """The same networks in float64, tried on one example.

    Args:
        population: The networks.
        example: One example, leaves ``[1, ...]``.

    Returns:
        Networks that count their work on the same tally.

    Raises:
        NotApplicable: If they cannot be called so.
    """
    if population.dtype == torch.float64:
        return population
    parameters, buffers = (
        {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in part.items()}
        for part in (population.parameters, population.buffers)
    )
    # as another architecture: sizes, and whether it can be vectorised, are to be found anew
    found = population.with_tensors(parameters, buffers, population.template)
    found._tried = []
    try:
        with torch.no_grad(), vectorisable_kernels():
            found.call_one(*found.tensors(0), placed(example, found.device, torch.float64))
    except RuntimeError as error:
        raise NotApplicable(
            f"the network cannot be called in float64 ({str(error).splitlines()[0][:120]})",
            do="make what its forward creates in the precision of its inputs (dtype=x.dtype)",
        ) from error
    return found
