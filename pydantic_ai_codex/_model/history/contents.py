"""What a user says and a tool returns, to content parts: texts, images and files; and messages of them; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from pydantic_ai.messages import (
    AudioUrl,
    BinaryContent,
    CachePoint,
    DocumentUrl,
    FileUrl,
    ImageUrl,
    TextContent,
    UploadedFile,
    UserContent,
)

from ..._protocol.requests import JsonObject
from ...errors import ConfigurationError
from .origins import READABLE
from .quotes import quote_file

DATA_URL: Final = 'data:'
"""How a URL begins that holds its content."""

_DETAILS: Final = ('auto', 'low', 'high', 'original')

_IMAGE_TYPES: Final = ('image/png', 'image/jpeg', 'image/jpg', 'image/gif', 'image/webp')
"""What the API's guide to images names."""

_TEXT_TYPES: Final = frozenset(
    {
        'application/csv',
        'application/ecmascript',
        'application/graphql',
        'application/javascript',
        'application/json',
        'application/jsonl',
        'application/markdown',
        'application/sql',
        'application/toml',
        'application/typescript',
        'application/x-javascript',
        'application/x-ndjson',
        'application/x-python',
        'application/x-sh',
        'application/x-typescript',
        'application/x-yaml',
        'application/xml',
        'application/yaml',
    }
)
"""Types of texts whose names do not say so."""

_DOCUMENT_EXTENSIONS: Final = {
    'application/epub+zip': 'epub',
    'application/msword': 'doc',
    'application/pdf': 'pdf',
    'application/rtf': 'rtf',
    'application/vnd.ms-excel': 'xls',
    'application/vnd.ms-powerpoint': 'ppt',
    'application/vnd.oasis.opendocument.presentation': 'odp',
    'application/vnd.oasis.opendocument.spreadsheet': 'ods',
    'application/vnd.oasis.opendocument.text': 'odt',
    'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
}
# Not looked up with `mimetypes`, whose answers differ between machines: the same history has to give the same bytes.


def input_text(text: str) -> JsonObject:
    """A text."""
    return {'type': 'input_text', 'text': text}


def user_message(content: list[JsonObject]) -> JsonObject:
    """A message in the user's voice."""
    return {'type': 'message', 'role': 'user', 'content': content}


def user_text(text: str) -> JsonObject:
    """A message in the user's voice that is one text."""
    return {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': text}]}


def assistant_text(text: str) -> JsonObject:
    """A message of the assistant's that is one text; such a message can hold nothing but texts."""
    return {'type': 'message', 'role': 'assistant', 'content': [{'type': 'output_text', 'text': text}]}


def map_prompt(content: str | Sequence[UserContent]) -> JsonObject:
    """The message of a user prompt; never an empty one.

    Args:
        content: The prompt, with every file that has to be downloaded in place.

    Raises:
        ConfigurationError: If something of it cannot be sent.
    """
    if isinstance(content, str):
        return user_text(content)
    # The backend caches by itself and has no breakpoints.
    parts = [map_content(item) for item in content if not isinstance(item, CachePoint)]
    return user_message(parts or [input_text('')])


def map_content(item: object) -> JsonObject:
    """One content part.

    Args:
        item: One of pydantic-ai's kinds of content; the newest ones are subclasses of those that are told apart here.

    Raises:
        ConfigurationError: If it cannot be sent.
    """
    match item:
        case str():
            return input_text(item)
        case TextContent():
            return input_text(item.content)
        case BinaryContent():
            return _map_binary(item)
        case ImageUrl() | DocumentUrl() | AudioUrl():
            return _map_url(item)
        case UploadedFile():
            return _map_uploaded(item)
        case _:
            raise ConfigurationError(
                f'A {type(item).__name__} cannot be sent: the backend takes texts, images and documents. Put its '
                'content into words first, or use a model that takes it.'
            )


def _map_url(file: FileUrl) -> JsonObject:
    if file.url.startswith(DATA_URL):
        return _map_binary(_content_of(file))
    _check_url(file)
    if isinstance(file, ImageUrl):
        return {'type': 'input_image', 'image_url': file.url, 'detail': _detail(file)}
    # No name beside the URL: the API takes only one of them (public reports).
    return {'type': 'input_file', 'file_url': file.url}


def _content_of(file: FileUrl) -> BinaryContent:
    """The content of a data URL."""
    try:
        content = BinaryContent.from_data_uri(file.url)
    except ValueError as error:
        raise ConfigurationError(
            f'The data URL of the {type(file).__name__} {file.identifier!r} cannot be read: {error}. Send the content '
            'as `BinaryContent`.'
        ) from error
    return BinaryContent(
        content.data,
        media_type=content.media_type,
        identifier=file.identifier,
        vendor_metadata=file.vendor_metadata,
    )


def _check_url(file: FileUrl) -> None:
    """Refuse a URL that the backend cannot load."""
    try:
        parts = urlsplit(file.url)
        is_valid = parts.scheme in ('http', 'https') and bool(parts.hostname)
    except ValueError:
        is_valid = False
    if not is_valid or any(map(str.isspace, file.url)):
        # Not shown: a signed URL is as good as a password.
        raise ConfigurationError(
            f'The {type(file).__name__} {file.identifier!r} cannot be sent: the backend loads URLs that begin with '
            '"http://" or "https://" and hold no blanks. Send the content as `BinaryContent`.'
        )


def _map_uploaded(file: UploadedFile) -> JsonObject:
    if file.provider_name not in READABLE:
        raise ConfigurationError(
            f'The uploaded file {file.file_id!r} is at {file.provider_name!r}, which the Codex backend cannot reach. '
            'Send its content as `BinaryContent`.'
        )
    if file.media_type.startswith('image/'):
        return {'type': 'input_image', 'file_id': file.file_id, 'detail': _detail(file)}
    return {'type': 'input_file', 'file_id': file.file_id}


def _map_binary(file: BinaryContent) -> JsonObject:
    media_type = file.media_type.partition(';')[0].strip().lower()
    text = _text_of(file.data, media_type)
    if text is not None:
        return input_text(quote_file(text, identifier=file.identifier, media_type=file.media_type))
    if media_type in _IMAGE_TYPES:
        _check_filled(file)
        image_url = f'{DATA_URL}{media_type};base64,{file.base64}'
        return {'type': 'input_image', 'image_url': image_url, 'detail': _detail(file)}
    extension = 'txt' if _is_text(media_type) else _DOCUMENT_EXTENSIONS.get(media_type)
    if extension is None:
        raise ConfigurationError(
            f'The file {file.identifier!r} ({type(file).__name__}) of the type {file.media_type!r} cannot be sent: the '
            'backend takes images (PNG, JPEG, GIF and WebP), documents and texts. Convert it, or put its content into '
            'words.'
        )
    _check_filled(file)
    return {'type': 'input_file', 'filename': _filename(file.identifier, extension), 'file_data': file.data_uri}


def _check_filled(file: BinaryContent) -> None:
    if not file.data:
        raise ConfigurationError(
            f'The file {file.identifier!r} ({type(file).__name__}) of the type {file.media_type!r} cannot be sent: it '
            'is empty. Leave it out.'
        )


def _text_of(data: bytes, media_type: str) -> str | None:
    """The text in a file whose type is that of a text, or unknown; `None` where there is none."""
    is_text = _is_text(media_type)
    is_known = media_type in _DOCUMENT_EXTENSIONS or media_type.startswith(('image/', 'audio/', 'video/'))
    if is_known and not is_text:
        return None
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError:
        return None
    # Binary data that happens to be UTF-8 mostly has zeros in it.
    return text if is_text or '\0' not in text else None


def _is_text(media_type: str) -> bool:
    return (
        media_type.startswith('text/') or media_type.endswith(('+json', '+xml', '+yaml')) or media_type in _TEXT_TYPES
    )


def _filename(identifier: str, extension: str) -> str:
    return identifier if identifier.lower().endswith(f'.{extension}') else f'{identifier}.{extension}'


def _detail(item: ImageUrl | BinaryContent | UploadedFile) -> str:
    detail: object = (item.vendor_metadata or {}).get('detail', 'auto')
    if detail not in _DETAILS:
        raise ConfigurationError(
            f'The `detail` {detail!r} of the image {item.identifier!r} is none; take one of {", ".join(_DETAILS)}.'
        )
    return str(detail)
