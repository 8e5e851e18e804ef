"""The body of a request: its encoding undone, and the JSON object in it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any, Final, TypeAlias, cast

from ._rejections import Rejection, detail, repeated

Json: TypeAlias = dict[str, Any]

_ZSTD_MODULES: Final = ('compression.zstd', 'backports.zstd', 'zstandard')
"""Python 3.14 and later, the same for older ones (httpx2 uses it, too), and another package of the same format."""

_MAX_DEPTH: Final = 200
"""How deep a body may be nested: far more than a request needs, far less than Python's own recursion, with which the
checks walk through it. The backend's bound is not known."""


def decompress(headers: Mapping[str, str], content: bytes) -> bytes:
    """Undo the content encoding of a request; `zstd` is what the CLI sends (captured).

    Raises:
        Rejection: It is compressed in a way that is not known here, or it is damaged.
    """
    encoding = headers.get('content-encoding', 'identity').lower()
    if encoding == 'identity':
        return content
    if encoding == 'zstd':
        return _decompress_zstd(content)
    if encoding != 'gzip':
        raise detail(f'Unsupported content encoding: {encoding}', status=415)
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        raise _no_object() from None


def parse_body(content: bytes, *, unique: bool = False) -> Json:
    """Read a request body.

    Args:
        content: The body.
        unique: Whether to refuse a name that an object has twice.

    Raises:
        Rejection: It is no JSON object, or nested without measure.
    """
    pairs_hook = _unique if unique else None
    try:
        body: object = json.loads(content, parse_constant=_refuse_constant, object_pairs_hook=pairs_hook)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _no_object()
    fields = cast(Json, body)
    if _is_deep(fields):
        raise _too_deep()
    return fields


def _decompress_zstd(content: bytes) -> bytes:
    for name in _ZSTD_MODULES:
        try:
            zstd = import_module(name)
        except ImportError:
            continue
        decompressor = zstd.ZstdDecompressor()
        if name == 'zstandard':
            decompressor = decompressor.decompressobj()  # Its other ways need a size that a stream does not tell.
        try:
            return decompressor.decompress(content)
        except zstd.ZstdError:
            raise _no_object() from None
    raise detail(
        'Unsupported content encoding: zstd. The simulator reads it on Python 3.14 and later; before, run '
        '`pip install zstandard`, or switch the compression of requests off in the client.',
        status=415,
    )


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    fields: Json = {}
    for name, value in pairs:
        if name in fields:
            raise repeated(name)
        fields[name] = value
    return fields


def _refuse_constant(name: str) -> None:
    raise ValueError(f'{name} is no JSON')  # Python alone reads `NaN` and `Infinity`.


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: object) -> Collection[object]:
    if isinstance(node, dict):
        return cast(Json, node).values()
    return cast('list[object]', node) if isinstance(node, list) else ()


def _no_object() -> Rejection:
    return detail('Request body must be a JSON object')


def _too_deep() -> Rejection:
    return detail('Request body is nested too deeply')
