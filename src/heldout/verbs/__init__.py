"""What people do: audit. One file a verb, wiring only."""
