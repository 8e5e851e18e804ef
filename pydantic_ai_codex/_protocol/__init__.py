"""The wire protocol without any I/O: names, requests, events and the state machine that reads them.

Nothing in here imports `httpx2`, `anyio`, `pydantic_ai` or `logging`, reads a clock, a file or the environment.
"""
