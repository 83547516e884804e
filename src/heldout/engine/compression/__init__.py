"""Networks as short messages: trained in a random subspace, quantised, coded, decoded again."""
