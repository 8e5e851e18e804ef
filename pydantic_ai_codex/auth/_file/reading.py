"""Reads a login file that another program may be writing."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final, cast

from .content import TornError, document_in

TORN_READS: Final = 5
TORN_PAUSE: Final = 0.02
"""Older CLIs truncate the file and write it anew (from their source; 0.169.0 was seen to replace it), and so may other
tools: a reader can meet it empty or half written for a moment."""


def settled(target: Path) -> bytes:
    """The content of the file, once it is whole or seems to stay as it is.

    Raises:
        OSError: If it cannot be read.
    """
    for _ in range(TORN_READS - 1):
        content = target.read_bytes()
        try:
            document_in(content)
        except TornError:
            time.sleep(TORN_PAUSE)
        else:
            return content
    return target.read_bytes()


def document_to_update(target: Path) -> dict[str, Any]:
    """What a new login goes into.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is nothing that a login goes into, and not just empty.
    """
    content = settled(target) if os.path.exists(target) else b''
    if not content.strip():
        return {}
    try:
        document = document_in(content)
    except TornError as error:
        raise ValueError(f'it {error}, so it is not overwritten') from error
    if not isinstance(document, dict):
        raise ValueError('it holds no JSON object, so it is not overwritten')
    return cast('dict[str, Any]', document)
