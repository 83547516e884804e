"""Small networks for examples and studies."""
