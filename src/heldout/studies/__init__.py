"""Studies: a phenomenon of the literature each, with its grid, its control arms and its claims."""
