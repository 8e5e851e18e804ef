"""Files that are downloaded before they are sent; the download itself is pydantic-ai's."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import (
    BinaryContent,
    BinaryImage,
    DocumentUrl,
    FileUrl,
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ToolReturnPart,
    UserPromptPart,
    VideoUrl,
)
from pydantic_ai.models import ModelRequestParameters

from pydantic_ai_codex import CodexModel
from pydantic_ai_codex._model.history import downloads
from pydantic_ai_codex._model.history.downloads import download_files

pytestmark = pytest.mark.anyio


@pytest.fixture
def downloaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that were downloaded: pydantic-ai's function resolves their hosts, which needs a network."""
    urls: list[str] = []

    async def download_item(item: FileUrl, data_format: str) -> dict[str, object]:
        assert data_format == 'bytes'
        urls.append(item.url)
        return {'data': item.url.encode(), 'data_type': item.media_type}

    monkeypatch.setattr(downloads, 'download_item', download_item)
    return urls


async def test_nothing_to_download_leaves_every_message_as_it_is(downloaded: list[str]) -> None:
    messages: list[ModelMessage] = [
        ModelRequest([SystemPromptPart('Be kind.'), UserPromptPart('Hi')]),
        ModelRequest([UserPromptPart(['see', ImageUrl('https://example.com/a.png')])]),
        ModelRequest([UserPromptPart([VideoUrl('https://example.com/a.mp4', force_download=True)])]),
        ModelRequest([UserPromptPart([ImageUrl('data:image/png;base64,iVBORw0KGgo=', force_download=True)])]),
        ModelResponse([TextPart('Hello')]),
    ]

    result = await download_files(messages)

    assert result is not messages
    assert all(before is after for before, after in zip(messages, result, strict=True))
    assert downloaded == []


async def test_files_of_a_prompt(downloaded: list[str]) -> None:
    image = ImageUrl(
        'https://example.com/a.png', force_download=True, identifier='cat', vendor_metadata={'detail': 'low'}
    )
    other = UserPromptPart('And?')
    request = ModelRequest([UserPromptPart(['see', image]), other], instructions='Be kind.')

    (result,) = await download_files([request])

    assert isinstance(result, ModelRequest)
    prompt = result.parts[0]
    assert isinstance(prompt, UserPromptPart)
    content = prompt.content[1]
    assert prompt.content[0] == 'see'
    assert isinstance(content, BinaryImage)
    assert (content.data, content.media_type, content.identifier, content.vendor_metadata) == (
        b'https://example.com/a.png',
        'image/png',
        'cat',
        {'detail': 'low'},
    )
    assert result.parts[1] is other
    assert result.instructions == 'Be kind.'
    # The history is the caller's, and stays as it was.
    assert isinstance(request.parts[0], UserPromptPart)
    assert request.parts[0].content == ['see', image]
    assert downloaded == ['https://example.com/a.png']


@pytest.mark.parametrize('many', [False, True], ids=['one', 'several'])
async def test_files_of_a_tool(downloaded: list[str], many: bool) -> None:
    url = DocumentUrl('https://example.com/a.pdf', force_download='allow-local')
    part = ToolReturnPart('look', [{'rows': 2}, url] if many else url, 'call_1', metadata={'kept': True})

    (result,) = await download_files([ModelRequest([part])])

    changed: Any = result.parts[0]
    file = changed.content[1] if many else changed.content
    assert isinstance(file, BinaryContent)
    assert file.media_type == 'application/pdf'
    assert changed.metadata == {'kept': True}
    assert changed.timestamp == part.timestamp
    assert not many or changed.content[0] == {'rows': 2}
    assert downloaded == ['https://example.com/a.pdf']


async def test_nothing_is_downloaded_without_a_login(downloaded: list[str]) -> None:
    prompt = UserPromptPart([ImageUrl('https://example.com/a.png', force_download=True)])

    # There is no login in the isolated home.
    with pytest.raises(UserError, match='login'):
        await CodexModel('gpt-5.5').request([ModelRequest([prompt])], None, ModelRequestParameters())

    assert downloaded == []


async def test_a_refused_url_is_refused_in_the_words_of_pydantic_ai() -> None:
    url = ImageUrl('http://127.0.0.1/a.png', force_download=True)

    with pytest.raises(ValueError, match=r'127\.0\.0\.1'):
        await download_files([ModelRequest([UserPromptPart([url])])])
