"""The checks of content parts: texts, images, files (published types and public reports of the Responses API)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast
from urllib.parse import urlsplit

from ._checks_fields import check_array, check_choice, check_known, check_string
from ._rejections import Rejection, invalid, missing, quoted, wrong_type, wrong_value

Json: TypeAlias = dict[str, Any]

INPUT_PARTS: Final = ('input_text', 'input_image', 'input_file')
OUTPUT_PARTS: Final = ('output_text', 'refusal')
SUMMARY_PARTS: Final = ('summary_text',)

_DETAILS: Final = ('low', 'high', 'auto', 'original')
_FILE_DETAILS: Final = ('low', 'high', 'auto')
_IMAGE_TYPES: Final = ('image/png', 'image/jpeg', 'image/jpg', 'image/gif', 'image/webp')
"""The formats that the API's guide to images names."""

_DATA_URL: Final = re.compile(r'data:(?P<type>[^;,]*)(?:;[^;,]*)*;base64,(?P<data>.*)', re.DOTALL)


def check_parts(parts: object, at: str, supported: tuple[str, ...]) -> None:
    """Check an array of content parts.

    Raises:
        Rejection: The first thing that is wrong with it.
    """
    if not isinstance(parts, list):
        raise wrong_type(at, 'a string or an array')
    for index, part in enumerate(cast('list[object]', parts)):
        where = f'{at}[{index}]'
        if not isinstance(part, dict):
            raise wrong_type(where, 'an object')
        fields = cast(Json, part)
        kind = fields.get('type')
        if kind not in supported:
            raise wrong_value(where, kind, quoted(supported))
        known, check = _PARTS[kind]
        check_known(fields, ('type', *known), where)
        check(fields, where)


def _check_text(part: Json, at: str) -> None:
    check_string(part, 'text', at)


def _check_output_text(part: Json, at: str) -> None:
    check_string(part, 'text', at)
    for name in ('annotations', 'logprobs'):
        if name in part:
            check_array(part, name, at)


def _check_refusal(part: Json, at: str) -> None:
    check_string(part, 'refusal', at)


def _check_image(part: Json, at: str) -> None:
    if 'detail' in part and part['detail'] not in _DETAILS:
        raise wrong_value(f'{at}.detail', part['detail'], quoted(_DETAILS))
    if _source(part, at, ('image_url', 'file_id')) != 'image_url':
        return
    url, param = part['image_url'], f'{at}.image_url'
    if not url.startswith('data:'):
        _check_url(url, param)
    elif problem := _data_problem(url, _IMAGE_TYPES):
        raise _invalid(
            param,
            "Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIG"
            f"hlcmU='), but got {problem}.",
        )


def _check_file(part: Json, at: str) -> None:
    check_choice(part, 'detail', at, _FILE_DETAILS)
    source = _source(part, at, ('file_data', 'file_url', 'file_id'))
    if source == 'file_data':
        check_string(part, 'filename', at)
        if problem := _data_problem(part['file_data']):
            raise _invalid(
                f'{at}.file_data',
                f"Expected a base64-encoded data URL (e.g. 'data:application/pdf;base64,JVBERi0='), but got {problem}.",
            )
    elif source == 'file_url':
        _check_url(part['file_url'], f'{at}.file_url')
        if part.get('filename') is not None:
            # Public reports, of a client that named what it only linked to.
            raise invalid(
                f"Mutually exclusive parameters: '{at}'. Ensure you are only providing one of: 'file_url' or "
                "'filename'.",
                at,
                code='mutually_exclusive_parameters',
            )


def _source(part: Json, at: str, names: tuple[str, ...]) -> str:
    """The field that says where the content is."""
    source = next((name for name in names if part.get(name) is not None), None)
    if source is None:
        raise missing(f'{at}.{names[0]}')
    check_string(part, source, at)
    return source


def _check_url(url: str, param: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ('http', 'https') or not parts.hostname or ' ' in url:
        raise _invalid(param, 'Expected a valid URL, but got a value with an invalid format.')


def _data_problem(url: str, types: tuple[str, ...] | None = None) -> str | None:
    """What is wrong with a data URL, in the words of public reports."""
    match = _DATA_URL.fullmatch(url)
    if match is None:
        return "a value without the 'data:' prefix" if not url.startswith('data:') else 'an invalid data URL'
    if types is not None and match['type'].lower() not in types:
        return f"unsupported MIME type '{match['type']}'"
    try:
        content = base64.b64decode(match['data'], validate=True)
    except (binascii.Error, ValueError):
        return 'an invalid base64-encoded value'
    return None if content else 'empty base64-encoded bytes'


def _invalid(param: str, problem: str) -> Rejection:
    return invalid(f"Invalid '{param}'. {problem}", param, code='invalid_value')


_PARTS: Final[dict[str, tuple[tuple[str, ...], Callable[[Json, str], None]]]] = {
    'input_text': (('text', 'prompt_cache_breakpoint'), _check_text),
    'input_image': (('image_url', 'file_id', 'detail', 'prompt_cache_breakpoint'), _check_image),
    'input_file': (
        ('file_data', 'file_id', 'file_url', 'filename', 'detail', 'prompt_cache_breakpoint'),
        _check_file,
    ),
    'output_text': (('text', 'annotations', 'logprobs'), _check_output_text),
    'refusal': (('refusal',), _check_refusal),
    'summary_text': (('text',), _check_text),
}
"""By type: the fields besides it (published types), and the check of them."""
