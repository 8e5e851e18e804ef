"""What users say and tools return, texts and files, as the strict simulator gets it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import pytest
from inline_snapshot import snapshot
from pydantic_ai import Agent
from pydantic_ai import messages as pydantic_messages
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import (
    AudioUrl,
    BinaryContent,
    CachePoint,
    DocumentUrl,
    ImageUrl,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    NativeToolCallPart,
    TextContent,
    ToolCallPart,
    ToolReturnPart,
    UploadedFile,
    UserPromptPart,
    VideoUrl,
)

from pydantic_ai_codex._model.history.contents import map_content
from pydantic_ai_codex.testing import CodexSimulator, call, reply, turn

pytestmark = pytest.mark.anyio

Send: TypeAlias = Callable[[Sequence[ModelMessage]], Awaitable[list[dict[str, Any]]]]

PNG = b'\x89PNG\r\n\x1a\n'
PDF = b'%PDF-1.7\n\xff'
DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'


async def parts(send: Send, *content: Any) -> list[dict[str, Any]]:
    """The content parts that a user prompt becomes."""
    (item,) = await send([ModelRequest([UserPromptPart(list(content))])])
    assert item['role'] == 'user'
    return item['content']


async def returned(send: Send, content: Any, **fields: Any) -> str | list[dict[str, Any]]:
    """The output that the return of a tool becomes."""
    answer = ToolReturnPart('look', content, 'call_1', **fields)
    items = await send(
        [
            ModelRequest.user_text_prompt('Go'),
            ModelResponse([ToolCallPart('look', {}, 'call_1')]),
            ModelRequest([answer]),
        ]
    )
    return items[-1]['output']


async def test_texts(send: Send) -> None:
    assert await parts(send, 'one', TextContent('two', metadata={'never': 'sent'}), '') == snapshot(
        [
            {'type': 'input_text', 'text': 'one'},
            {'type': 'input_text', 'text': 'two'},
            {'type': 'input_text', 'text': ''},
        ]
    )


@pytest.mark.skipif(not hasattr(pydantic_messages, 'StructuredContent'), reason='newer than pydantic-ai 2.60')
async def test_structured_content_is_sent_as_its_text(send: Send) -> None:
    structured: Any = pydantic_messages
    content = structured.StructuredContent({'page': 3}, tag='ui_state')

    assert await parts(send, content) == snapshot([{'type': 'input_text', 'text': '<ui_state>{"page":3}</ui_state>'}])


async def test_cache_points_are_dropped(send: Send) -> None:
    assert await parts(send, 'one', CachePoint()) == snapshot([{'type': 'input_text', 'text': 'one'}])


@pytest.mark.parametrize('content', ['', [], [CachePoint()]], ids=['empty', 'none', 'cache-point'])
async def test_an_empty_prompt_is_kept(send: Send, content: Any) -> None:
    items = await send([ModelRequest([UserPromptPart(content)])])

    assert items == [{'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': ''}]}]


async def test_images(send: Send) -> None:
    assert await parts(
        send,
        ImageUrl('https://example.com/a.png'),
        ImageUrl('https://example.com/b', vendor_metadata={'detail': 'low'}),
        BinaryContent(PNG, media_type='image/png', vendor_metadata={'detail': 'high'}),
    ) == snapshot(
        [
            {'type': 'input_image', 'image_url': 'https://example.com/a.png', 'detail': 'auto'},
            {'type': 'input_image', 'image_url': 'https://example.com/b', 'detail': 'low'},
            {'type': 'input_image', 'image_url': 'data:image/png;base64,iVBORw0KGgo=', 'detail': 'high'},
        ]
    )


async def test_documents(send: Send) -> None:
    assert await parts(
        send,
        BinaryContent(PDF, media_type='application/pdf', identifier='report'),
        BinaryContent(b'PK\x03\x04', media_type=DOCX, identifier='Letter.DOCX'),
        DocumentUrl('https://example.com/a.pdf'),
        AudioUrl('https://example.com/a.mp3'),
    ) == snapshot(
        [
            {
                'type': 'input_file',
                'filename': 'report.pdf',
                'file_data': 'data:application/pdf;base64,JVBERi0xLjcK/w==',
            },
            {
                'type': 'input_file',
                'filename': 'Letter.DOCX',
                'file_data': 'data:application/vnd.openxmlformats-officedocument.wordprocessingml.document;base64,UEsDBA==',
            },
            {'type': 'input_file', 'file_url': 'https://example.com/a.pdf'},
            {'type': 'input_file', 'file_url': 'https://example.com/a.mp3'},
        ]
    )


async def test_data_urls_are_sent_as_their_content(send: Send) -> None:
    assert await parts(
        send,
        DocumentUrl('data:application/pdf;base64,JVBERi0=', identifier='report'),
        ImageUrl('data:image/PNG;name=a;base64,iVBORw0KGgo=', vendor_metadata={'detail': 'low'}),
        DocumentUrl('data:text/csv;base64,YSxi', identifier='table'),
    ) == snapshot(
        [
            {'type': 'input_file', 'filename': 'report.pdf', 'file_data': 'data:application/pdf;base64,JVBERi0='},
            {'type': 'input_image', 'image_url': 'data:image/png;base64,iVBORw0KGgo=', 'detail': 'low'},
            {
                'type': 'input_text',
                'text': """\
-----BEGIN FILE id="table" type="text/csv"-----
a,b
-----END FILE id="table"-----\
""",
            },
        ]
    )


async def test_the_type_of_an_image_is_sent_in_its_plain_form(send: Send) -> None:
    (part,) = await parts(send, BinaryContent(PNG, media_type='IMAGE/PNG; q=1'))

    assert part['image_url'] == 'data:image/png;base64,iVBORw0KGgo='


async def test_a_document_without_a_name_gets_one(send: Send) -> None:
    (part,) = await parts(send, BinaryContent(PDF, media_type='application/pdf'))

    assert part['filename'] == snapshot('7ed20d.pdf')


async def test_text_files_are_inlined(send: Send) -> None:
    assert [
        part['text']
        for part in await parts(
            send,
            BinaryContent(b'a,b\n1,2\n', media_type='text/csv', identifier='table'),
            BinaryContent(b'{"a": 1}', media_type='application/json; charset=utf-8', identifier='say "cheese"'),
            BinaryContent(b'<svg/>', media_type='image/svg+xml', identifier='logo'),
            BinaryContent(b'\xef\xbb\xbfkey: 1', media_type='application/x-yaml', identifier='bom'),
            BinaryContent('Größe'.encode(), media_type='application/octet-stream', identifier='unknown'),
        )
    ] == snapshot(
        [
            """\
-----BEGIN FILE id="table" type="text/csv"-----
a,b
1,2

-----END FILE id="table"-----\
""",
            """\
-----BEGIN FILE id="say \\"cheese\\"" type="application/json; charset=utf-8"-----
{"a": 1}
-----END FILE id="say \\"cheese\\""-----\
""",
            """\
-----BEGIN FILE id="logo" type="image/svg+xml"-----
<svg/>
-----END FILE id="logo"-----\
""",
            """\
-----BEGIN FILE id="bom" type="application/x-yaml"-----
key: 1
-----END FILE id="bom"-----\
""",
            """\
-----BEGIN FILE id="unknown" type="application/octet-stream"-----
Größe
-----END FILE id="unknown"-----\
""",
        ]
    )


async def test_a_text_file_that_is_no_utf8_is_sent_as_a_file(send: Send) -> None:
    content = BinaryContent('Größe'.encode('latin-1'), media_type='text/plain', identifier='old')

    assert await parts(send, content) == snapshot(
        [{'type': 'input_file', 'filename': 'old.txt', 'file_data': 'data:text/plain;base64,R3L232U='}]
    )


async def test_uploaded_files(send: Send) -> None:
    assert await parts(
        send,
        UploadedFile('file-1', 'openai'),
        UploadedFile('file-2', 'openai', media_type='image/png', vendor_metadata={'detail': 'low'}),
    ) == snapshot(
        [{'type': 'input_file', 'file_id': 'file-1'}, {'type': 'input_image', 'file_id': 'file-2', 'detail': 'low'}]
    )


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (VideoUrl('https://example.com/a.mp4'), 'VideoUrl cannot be sent'),
        (BinaryContent(b'\xff', media_type='audio/wav'), "BinaryContent.*'audio/wav'"),
        (BinaryContent(b'x', media_type='video/mp4'), "'video/mp4' cannot be sent"),
        (BinaryContent(b'\xff\xfe', media_type='application/zip'), "'application/zip' cannot be sent"),
        (BinaryContent(b'a\0b', media_type='application/octet-stream'), "'application/octet-stream' cannot be sent"),
        (BinaryContent(b'', media_type='image/png'), "'image/png' cannot be sent: it is empty"),
        (BinaryContent(b'', media_type='application/pdf'), "'application/pdf' cannot be sent: it is empty"),
        (BinaryContent(b'BM', media_type='image/bmp'), "'image/bmp' cannot be sent.*PNG, JPEG, GIF and WebP"),
        (BinaryContent(b'II', media_type='image/tiff'), "'image/tiff' cannot be sent"),
        (ImageUrl('data:image/bmp;base64,Qk0=', identifier='old'), "'old'.*'image/bmp' cannot be sent"),
        (ImageUrl('data:image/png;base64,'), 'it is empty'),
        (ImageUrl('data:image/png,abc'), 'data URL of the ImageUrl .* cannot be read'),
        (DocumentUrl('data:application/pdf;base64,JVBER'), 'data URL of the DocumentUrl .* cannot be read'),
        (AudioUrl('data:audio/wav;base64,UklGRg=='), "'audio/wav' cannot be sent"),
        (ImageUrl('gs://bucket/a.png'), 'ImageUrl .* cannot be sent.*http'),
        (DocumentUrl('s3://bucket/a.pdf'), 'DocumentUrl .* cannot be sent.*http'),
        (AudioUrl('ftp://example.com/a.mp3'), 'AudioUrl .* cannot be sent.*http'),
        (ImageUrl('https://example.com/a b.png'), 'ImageUrl .* cannot be sent.*blanks'),
        (ImageUrl('https:///a.png'), 'ImageUrl .* cannot be sent'),
        (ImageUrl('http://[/a.png'), 'ImageUrl .* cannot be sent'),
        (UploadedFile('file-1', 'anthropic'), "is at 'anthropic'"),
        (ImageUrl('https://example.com/a.png', vendor_metadata={'detail': 'huge'}), "detail` 'huge'.*auto, low"),
    ],
    ids=lambda value: value.split('.*')[0] if isinstance(value, str) else type(value).__name__,
)
async def test_what_cannot_be_sent_is_a_user_error(send: Send, content: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        await parts(send, 'see', content)


async def test_a_url_that_cannot_be_sent_is_not_shown(send: Send) -> None:
    with pytest.raises(UserError) as caught:
        await parts(send, ImageUrl('https://example.com/a b.png?signature=secret'))

    assert 'secret' not in str(caught.value)


def test_an_unknown_kind_of_content_is_named() -> None:
    with pytest.raises(ValueError, match='A complex cannot be sent'):
        map_content(1j)


async def test_a_tool_returns_files_among_texts(send: Send) -> None:
    content = [
        'A chart:',
        BinaryContent(PNG, media_type='image/png'),
        {'rows': 2},
        DocumentUrl('https://example.com/a.pdf'),
        BinaryContent(b'a,b', media_type='text/csv', identifier='table'),
    ]

    assert await returned(send, content) == snapshot(
        [
            {'type': 'input_text', 'text': 'A chart:'},
            {'type': 'input_image', 'image_url': 'data:image/png;base64,iVBORw0KGgo=', 'detail': 'auto'},
            {'type': 'input_text', 'text': '{"rows":2}'},
            {'type': 'input_file', 'file_url': 'https://example.com/a.pdf'},
            {
                'type': 'input_text',
                'text': """\
-----BEGIN FILE id="table" type="text/csv"-----
a,b
-----END FILE id="table"-----\
""",
            },
        ]
    )


async def test_a_tool_returns_one_file(send: Send) -> None:
    assert await returned(send, ImageUrl('https://example.com/a.png')) == snapshot(
        [{'type': 'input_image', 'image_url': 'https://example.com/a.png', 'detail': 'auto'}]
    )


async def test_a_failed_tool_returns_a_file(send: Send) -> None:
    content = ['It broke.', ImageUrl('https://example.com/a.png')]

    assert await returned(send, content, outcome='failed') == snapshot(
        [
            {'type': 'input_text', 'text': '{"error":"It broke."}'},
            {'type': 'input_image', 'image_url': 'https://example.com/a.png', 'detail': 'auto'},
        ]
    )


async def test_an_agent_sends_what_its_tools_return() -> None:
    """Images as they are; of what no model of the backend takes, pydantic-ai makes a note."""
    simulator = CodexSimulator(turn(call('look'), call('listen')), reply('A cat.'))
    agent = Agent(simulator.model('gpt-5.5'))

    @agent.tool_plain
    def look() -> BinaryContent:
        return BinaryContent(PNG, media_type='image/png')

    @agent.tool_plain
    def listen() -> BinaryContent:
        return BinaryContent(b'RIFF', media_type='audio/wav')

    result = await agent.run('Look and listen.')

    body = simulator.requests[1].body
    assert body is not None
    seen, heard = [item['output'] for item in body['input'] if item['type'] == 'function_call_output']
    assert [part['type'] for part in seen] == ['input_image']
    assert 'audio/wav' in str(heard)
    assert result.output == 'A cat.'


async def test_a_tool_returns_a_list_without_files(send: Send) -> None:
    assert await returned(send, ['a', {'b': 1}]) == '["a",{"b":1}]'


async def test_a_tool_returns_what_has_no_json_form(send: Send) -> None:
    with pytest.raises(UserError, match='no JSON form'):
        await returned(send, {'half': '\ud83d'})


@pytest.mark.parametrize('args', [{'half': '\ud83d'}, '{"half": "\ud83d"}', '\ud83d'], ids=['mapping', 'json', 'text'])
@pytest.mark.parametrize('kind', ['function_call', 'custom_tool_call', 'local_shell_call', 'web_search_call'])
async def test_a_tool_is_called_with_half_a_character(send: Send, kind: str, args: Any) -> None:
    call = ToolCallPart('look', args, 'call_1', provider_name='codex', provider_details={'type': kind})
    search = NativeToolCallPart('web_search', args, 'call_1', provider_name='codex')

    with pytest.raises(UserError, match=r"the call 'call_1' of '.*' have no JSON form.*surrogate"):
        await send(
            [
                ModelRequest.user_text_prompt('Go'),
                ModelResponse([search if kind == 'web_search_call' else call]),
                ModelRequest.user_text_prompt('So?'),
            ]
        )
