"""Why a bar is missed, written by hand after a look at the profile; `docs/performance.md` shows it beside the bar."""

from __future__ import annotations

NOTES: dict[str, str] = {}
"""The name of a bar, as `benchmarks/bars.py` has it, and a sentence or two."""
