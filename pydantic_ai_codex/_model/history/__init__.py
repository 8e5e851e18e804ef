"""A message history to the input of a request: pure, but for the downloads."""
