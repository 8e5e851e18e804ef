"""A chat in the browser: FastAPI, each answer shown as it comes, a history for each session.

    python examples/web_chat.py                 # sends itself two messages, and shows what a browser gets
    python examples/web_chat.py --serve         # goes on serving, for your browser; still without login or network
    python examples/web_chat.py --serve --live  # on your ChatGPT plan

It needs `pip install fastapi uvicorn`. pydantic-ai's own `agent.to_web()` is a single line, and the better choice for a
first look at an agent. Its page comes from a CDN, though, and the history from the browser, with each message. This
page loads nothing from elsewhere, and the history stays on the server.
"""

from __future__ import annotations

import asyncio
import html
import json
import logging
import secrets
import socket
import sys
from asyncio import Queue
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Annotated, TypeAlias

import anyio
import httpx2
from pydantic import BaseModel, StringConstraints
from pydantic_ai import (
    Agent,
    AgentRunError,
    AgentRunResultEvent,
    ModelMessage,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    UserPromptPart,
)

from _live import argument_parser, command_line, heard, port
from pydantic_ai_codex import CodexError, CodexModel
from pydantic_ai_codex.errors import BackendError
from pydantic_ai_codex.testing import CodexSimulator, RecordedRequest, Turn, reply

try:
    import uvicorn
    from fastapi import Cookie, FastAPI, HTTPException, Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse
    from starlette.middleware.trustedhost import TrustedHostMiddleware
except ModuleNotFoundError as missing:
    sys.exit(f'error: {missing}. Run `pip install fastapi uvicorn`.')

Event: TypeAlias = dict[str, str]

PAGE = Template(Path(__file__).with_name('web_chat.html').read_text(encoding='utf-8'))
POLICY = Template(
    "default-src 'none'; connect-src 'self'; script-src 'nonce-$nonce'; style-src 'nonce-$nonce'; img-src data:"
)

MANY = 1000  # chats at a time

logger = logging.getLogger(__name__)

agent = Agent(instructions='You chat with a visitor of a web page, in plain text. Be brief.')


@dataclass
class Session:
    """One visitor's chat, in which one message is answered after the other."""

    history: list[ModelMessage] = field(default_factory=list[ModelMessage])
    turn: anyio.Lock = field(default_factory=anyio.Lock)


class Message(BaseModel):
    """What the page sends."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


def make_app(model: CodexModel) -> FastAPI:
    """With your own login, `model` is `CodexModel('gpt-6-sol')`. A plan is for your own use, so this page is, too."""
    sessions: dict[str, Session] = {}  # Yours are in a database, and end some day.

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        # The connections of the model are kept for as long as the server runs. Each answer has a task of its own, so
        # it is not cut off with the connection of its visitor, who finds it when the page is loaded again.
        async with model, anyio.create_task_group() as app.state.answers:
            yield
            app.state.answers.cancel_scope.cancel()

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    # Any web page could lead a name of its own to this address, and read along.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=['127.0.0.1', 'localhost'])

    @app.get('/')
    async def page(web_chat: Annotated[str | None, Cookie()] = None) -> HTMLResponse:
        key = web_chat if web_chat in sessions else secrets.token_urlsafe()
        session = sessions[key] = sessions.pop(key, None) or Session()
        if len(sessions) > MANY:
            del sessions[next(iter(sessions))]  # The one that was not loaded for longest.
        nonce = secrets.token_urlsafe()
        headers = {'Content-Security-Policy': POLICY.substitute(nonce=nonce), 'Cache-Control': 'no-store'}
        page = HTMLResponse(PAGE.substitute(nonce=nonce, messages=as_html(session.history)), headers=headers)
        # Sent where a link of another site leads here, and not with what another site posts.
        page.set_cookie('web_chat', key, httponly=True, samesite='lax')
        return page

    @app.post('/messages')
    async def messages(message: Message, web_chat: Annotated[str, Cookie()]) -> StreamingResponse:
        if web_chat not in sessions:
            raise HTTPException(403, 'There is no such session; load the page again.')
        events = Queue[Event | None]()
        app.state.answers.start_soon(answer, message.text, sessions[web_chat], model, events)
        return StreamingResponse(as_lines(events), media_type='application/x-ndjson')

    @app.exception_handler(RequestValidationError)
    async def refuse(request: Request, error: Exception) -> PlainTextResponse:
        # FastAPI's own answer repeats the message, which may be one that cannot be sent.
        return PlainTextResponse('That is no message.', 422)

    return app


async def answer(prompt: str, session: Session, model: CodexModel, events: Queue[Event | None]) -> None:
    """Put the pieces of the text, or what went wrong, into the queue, and then `None`."""
    try:
        async with (
            session.turn,
            agent.run_stream_events(prompt, message_history=session.history, model=model) as run,
        ):
            async for event in run:
                match event:
                    case (
                        PartStartEvent(part=TextPart(content=text))
                        | PartDeltaEvent(delta=TextPartDelta(content_delta=text))
                    ):
                        events.put_nowait({'text': text})
                    case AgentRunResultEvent(result=result):
                        session.history = result.all_messages()
                    case _:
                        pass
    except (CodexError, AgentRunError) as error:
        logger.error('There was no answer: %s', error)
        events.put_nowait({'error': apology(error)})
    except Exception as error:  # A mistake of ours, such as in a tool: it must not end the server.
        logger.exception('There was no answer')
        events.put_nowait({'error': apology(error)})
    finally:
        events.put_nowait(None)


def apology(error: Exception) -> str:
    """What visitors are told. The rest is in the log: it would show them the account, and paths of the server."""
    match error.__cause__:
        case BackendError(category='quota', resets_at=resets_at) if resets_at:
            return f'The plan is used up until {resets_at.astimezone():%A, %H:%M}.'
        case _:
            return 'There is no answer just now. Please try again later.'


async def as_lines(events: Queue[Event | None]) -> AsyncGenerator[str]:
    """Lines of JSON, as the status has been sent by the time that something goes wrong."""
    while event := await events.get():
        yield json.dumps(event) + '\n'


def as_html(history: Iterable[ModelMessage]) -> str:
    parts = [part for message in history for part in message.parts]
    said = [part for part in parts if isinstance(part, UserPromptPart | TextPart)]
    return '\n'.join(
        f'<p class="{"agent" if isinstance(part, TextPart) else "user"}">{html.escape(str(part.content))}</p>'
        for part in said
    )


async def main(model: CodexModel, port: int, *, serve: bool) -> None:
    with socket.create_server(('127.0.0.1', port)) as listener:
        url = f'http://127.0.0.1:{listener.getsockname()[1]}/'
        server = uvicorn.Server(uvicorn.Config(make_app(model), log_level='warning'))
        if serve:
            print(f'Open {url} in your browser; Ctrl+C ends.', flush=True)
            await server.serve([listener])
            return
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await visit(url)
        finally:
            server.should_exit = True
            await serving


async def visit(url: str) -> None:
    """Do what a browser does, and show what it gets."""
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=300) as browser:
        await browser.get('/')  # For the cookie.
        for text in ('Hello, I am Ada.', 'What is <b>my</b> name?'):
            print(f'User: {text}')
            async with browser.stream('POST', '/messages', json={'text': text}) as response:
                response.raise_for_status()
                events = [json.loads(line) async for line in response.aiter_lines()]
            if error := events[-1].get('error'):
                raise CodexError(error)
            print('Agent:', '|'.join(event['text'] for event in events))
        page = (await browser.get('/')).text
        print('\nThe page, loaded again:', page[page.index('<main') : page.index('</main>')], sep='\n')


def simulated_answer(request: RecordedRequest) -> Turn:
    *before, last = heard(request)
    return reply(f'You wrote "{last}", and before that: {" ".join(before) or "nothing"}', delay=0.05)


if __name__ == '__main__':
    parser = argument_parser(__doc__)
    parser.add_argument('--serve', action='store_true', help='go on serving')
    parser.add_argument('--port', type=port, default=0, help='the port on this machine (default: a free one)')
    with command_line(parser) as options:
        name = options.model
        model = CodexModel(name) if options.live else CodexSimulator(default=simulated_answer).model(name)
        asyncio.run(main(model, options.port, serve=options.serve))
