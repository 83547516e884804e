"""heldout tells you what your neural network will do on data it has not seen."""
