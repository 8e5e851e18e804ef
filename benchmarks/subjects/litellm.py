"""litellm's provider for the same backend, by way of chat completions."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from ..chats import chat_messages, chat_tools
from ..checks import Outcome, SameEvents
from ..logins import ACCOUNT_ID, access_token
from ..streams import STREAMS
from . import Observer

_MODEL: Final = 'chatgpt/gpt-5.4'
"""One of its list, as it does not stream what it does not know: it waits for the end and makes up a stream."""

PROMPT: Final = 'What is the answer?'


class Litellm:
    """`litellm.acompletion('chatgpt/...', stream=True)`; for a worker whose environment is isolated.

    It has no argument for the login and, though it takes one, none that counts for the base URL: both come from the
    environment. What a chat completion has no word for, such as encrypted reasoning, is not sent.

    Args:
        port: The port of the server.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._events = SameEvents()
        self._point_at('d', 'chunks')
        login = {'access_token': access_token(), 'account_id': ACCOUNT_ID}
        folder = Path(os.environ['CHATGPT_TOKEN_DIR'])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'auth.json').write_text(json.dumps(login), encoding='utf-8')
        # Not by `import`: it is installed for the benchmark alone, and a type checker knows nothing of it.
        self._litellm: Any = import_module('litellm')
        self._litellm.telemetry = False
        self._litellm.suppress_debug_info = True

    async def aclose(self) -> None:
        await self._litellm.close_litellm_async_clients()

    def versions(self) -> dict[str, str]:
        its = {f"litellm's {name}": version(name) for name in ('openai', 'httpx', 'aiohttp')}
        return {'litellm': version('litellm'), **its}

    async def run(self, stream: str, mode: str, *, through: str, observer: Observer | None) -> int:
        """Read a stream to its end, and return how many events it has on the wire."""
        _refuse_agent(through)
        count = 0
        chunks = await self._complete(stream, mode, [{'role': 'user', 'content': PROMPT}])
        if observer is None:
            async for _ in chunks:
                count += 1
        else:
            async for chunk in chunks:
                count += 1
                for kind, piece in _deltas(chunk):
                    observer(kind, piece)
        self._events.see(stream, through, count)
        return len(STREAMS[stream].frames)

    async def result(self, stream: str, *, through: str) -> Outcome:
        """Read a stream, and return everything that has come out."""
        _refuse_agent(through)
        chunks = [each async for each in await self._complete(stream, 'chunks', [{'role': 'user', 'content': PROMPT}])]
        self._events.see(stream, through, len(chunks))
        deltas = [delta for chunk in chunks for delta in _deltas(chunk)]
        return Outcome(deltas, _parts(chunks), _usage(chunks))

    def prepare_request(self, messages: int, tools: int, *, through: str) -> Callable[[], Awaitable[object]]:
        """Make a history and tools; the call that is returned does nothing but send them and read the short answer."""
        _refuse_agent(through)
        past, definitions = chat_messages(messages), chat_tools(tools)

        async def send() -> None:
            prompt = {'role': 'user', 'content': 'next'}
            async for _ in await self._complete('d', 'chunks', [*past, prompt], tools=definitions or None):
                pass

        return send

    async def _complete(
        self, stream: str, mode: str, messages: Sequence[dict[str, Any]], **options: Any
    ) -> AsyncIterator[Any]:
        self._point_at(stream, mode)
        return await self._litellm.acompletion(
            _MODEL,
            messages=list(messages),
            stream=True,
            stream_options={'include_usage': True},
            **options,
        )

    def _point_at(self, stream: str, mode: str) -> None:
        os.environ['CHATGPT_API_BASE'] = f'http://127.0.0.1:{self._port}/{stream}/{mode}'


def _refuse_agent(through: str) -> None:
    if through != 'model':
        raise NotImplementedError('litellm is no model of pydantic-ai.')


def _deltas(chunk: Any) -> list[tuple[str, str]]:
    """The deltas in a chunk, in the words of `Expected`."""
    found: list[tuple[str, str | None]] = []
    for choice in chunk.choices:
        found.append(('thinking', getattr(choice.delta, 'reasoning_content', None)))
        found.append(('text', choice.delta.content))
        found += [('args', call.function.arguments) for call in choice.delta.tool_calls or ()]
    return [(kind, piece) for kind, piece in found if piece]


def _parts(chunks: Sequence[Any]) -> list[dict[str, Any]]:
    """What a reader makes of the chunks: one part for the text, and one for each summary and call."""
    parts: dict[object, dict[str, Any]] = {}
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        if thought := getattr(choice.delta, 'reasoning_content', None):
            # The index, which is that of an alternative elsewhere, says which summary it is of.
            empty = {'kind': 'thinking', 'content': '', 'signature': None}
            parts.setdefault(('thinking', choice.index), empty)['content'] += thought
        if choice.delta.content:
            parts.setdefault('text', {'kind': 'text', 'content': ''})['content'] += choice.delta.content
        for call in choice.delta.tool_calls or ():
            empty = {'kind': 'tool-call', 'tool_name': None, 'tool_call_id': None, 'args': ''}
            part = parts.setdefault(('call', call.index), empty)
            part['tool_name'] = part['tool_name'] or call.function.name
            part['tool_call_id'] = part['tool_call_id'] or call.id
            part['args'] += call.function.arguments or ''
    return list(parts.values())


def _usage(chunks: Sequence[Any]) -> dict[str, int]:
    usage = next((found for chunk in reversed(chunks) if (found := getattr(chunk, 'usage', None))), None)
    if usage is None:
        return {}
    return {
        'input_tokens': usage.prompt_tokens,
        'output_tokens': usage.completion_tokens,
        'cache_read_tokens': getattr(usage.prompt_tokens_details, 'cached_tokens', None) or 0,
        'reasoning_tokens': getattr(usage.completion_tokens_details, 'reasoning_tokens', None) or 0,
    }
