"""A login file, and what stands beside it."""
