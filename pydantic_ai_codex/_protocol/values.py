"""Values out of JSON that may hold anything."""

from __future__ import annotations


def text_or_none(value: object) -> str | None:
    """The value, where it is a text that says something."""
    return value if isinstance(value, str) and value else None
