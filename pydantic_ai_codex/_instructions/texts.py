"""`ModelInstructions`: a text, and how it came to be the one in use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from .._protocol.instruction_files import BUILT_IN
from .._protocol.prompts import DEFAULT_INSTRUCTIONS
from .records import Entry, Failure

TextState: TypeAlias = Literal['fresh', 'revalidated', 'fetched', 'stale', 'built-in']


@dataclass(frozen=True, slots=True)
class ModelInstructions:
    """The instructions for a model.

    Attributes:
        text: The instructions.
        ref: The release that they belong to, or the tag or commit that was asked for; `built-in` for our own.
        name: What they are kept under: that of a family's file, or the model.
        state: `fresh` from the cache, `revalidated` or `fetched` just now, `stale` from the cache as GitHub could not be
            asked, or `built-in`.
        url: Where they are from.
        etag: What GitHub calls this version of the file.
        checked_at: When GitHub was last asked whether it is still the same, in UTC.
        path: The file that keeps them.
        problem: Why there is nothing newer, as a sentence.
        is_pinned: Whether they are from a commit that is pinned here, as the release has no such file any more.
    """

    text: str
    ref: str
    name: str
    state: TextState
    url: str | None = None
    etag: str | None = None
    checked_at: datetime | None = None
    path: Path | None = None
    problem: str | None = None
    is_pinned: bool = False


def built_in(name: str, problem: str | None = None) -> ModelInstructions:
    """The text of our own."""
    return ModelInstructions(DEFAULT_INSTRUCTIONS, BUILT_IN, name, 'built-in', problem=problem)


def from_entry(
    name: str, entry: Entry, state: TextState, *, path: Path | None, problem: str | None = None
) -> ModelInstructions:
    """A text that GitHub gave."""
    return ModelInstructions(
        entry.text,
        entry.ref,
        name,
        state,
        url=entry.url,
        etag=entry.etag,
        checked_at=entry.checked_at,
        path=path,
        problem=problem,
        is_pinned=entry.is_pinned,
    )


def sentence(failure: Failure, *, is_kept: bool) -> str:
    """A failure, in words.

    Args:
        failure: The failure.
        is_kept: Whether other programs know of it.
    """
    again = f'it is asked again after {failure.until:%H:%M} UTC'
    unkept = '' if is_kept else ', and by the next program at once, as nothing can be kept in the cache folder'
    return f'{failure.reason}; {again}{unkept}.'
