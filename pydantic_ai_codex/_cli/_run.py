"""`demo` and `run`: agents from the command line."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from ..errors import ConfigurationError
from ._options import Commands, add_base_url, add_command, add_json, add_store
from ._output import DIM, OK, print_json, say, warn, write
from ._places import file_place

if TYPE_CHECKING:
    from pydantic_ai import Agent

    from .._model.provider import CodexProvider
    from .._policy import Retry

DEFAULT_MODEL: Final = 'gpt-5.5'
"""The model where no list names another."""

_CUT_OFF: Final = {'length': 'it is as long as it may be', 'content_filter': 'a filter of the backend stopped it'}
"""Why an answer may end before its end."""


def add_demo(commands: Commands) -> None:
    """Add `demo`."""
    demo = add_command(commands, 'demo', _demo, 'a tool-calling agent, streamed, against the embedded simulator')
    demo.add_argument('--live', action='store_true', help='use your login and the real backend')
    demo.add_argument('-m', '--model', help='the model for --live')
    add_store(demo, 'whose login for --live (default: the one in use)')


def add_run(commands: Commands) -> None:
    """Add `run`."""
    run = add_command(commands, 'run', _run, 'send one prompt and stream the answer')
    run.add_argument('prompt', help='the prompt, or - to read it from standard input')
    run.add_argument('-m', '--model', help="for example gpt-5.5-high (default: the first of your plan's list)")
    run.add_argument('--instructions', help='the instructions of the agent')
    add_base_url(run)
    add_store(run, 'whose login (default: the one in use)')
    add_json(run, 'print one JSON object instead of streaming text')


def _demo(options: argparse.Namespace) -> int:
    arguments = ['--live'] * options.live + (['--model', options.model] if options.model else [])
    if options.store is not None and not options.live:
        raise ConfigurationError('--store goes with --live; the simulator needs no login.')
    with _login_of(options.store):
        return _example('weather_agent').main(arguments)


@contextmanager
def _login_of(option: str | None) -> Generator[None]:
    """Point the environment to a login: the example is a program of its own, and finds its login as every program does."""
    before = {name: os.environ.get(name) for name in ('CODEX_ACCESS_TOKEN', 'CODEX_AUTH_FILE')}
    try:
        if option is not None:
            os.environ.pop('CODEX_ACCESS_TOKEN', None)
            os.environ['CODEX_AUTH_FILE'] = str(file_place(option).path)
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _example(name: str) -> ModuleType:
    """An example as a module: from the installed package, or from the checkout beside it."""
    here = Path(__file__).parents[1]
    path = next(
        path for path in (here / '_examples' / f'{name}.py', here.parent / 'examples' / f'{name}.py') if path.exists()
    )
    spec = importlib.util.spec_from_file_location(f'pydantic_ai_codex._examples.{name}', path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(options: argparse.Namespace) -> int:
    prompt = _read_prompt() if options.prompt == '-' else options.prompt
    if not prompt.strip():
        raise ConfigurationError('The prompt is empty; write one, or - to read it from standard input.')

    import anyio

    # pydantic-ai greets with a banner on terminals, which would stand in the middle of the answer.
    os.environ.setdefault('PYDANTIC_AI_NO_BANNER', '1')
    anyio.run(_answer, prompt, options)
    return OK


async def _answer(prompt: str, options: argparse.Namespace) -> None:
    from pydantic_ai import Agent

    from .. import CodexModel, CodexProvider

    store = None if options.store is None else file_place(options.store).store
    provider = CodexProvider(credentials=store, base_url=options.base_url, on_retry=_say_retry)
    async with provider:
        model = CodexModel(options.model or await _default_model(provider), provider=provider)
        agent = Agent(model, instructions=options.instructions)
        await (_print_json if options.json else _print_stream)(agent, prompt)


async def _default_model(provider: CodexProvider) -> str:
    """The model that the backend lists first; asked for only where the turn itself would ask."""
    default = (await provider.models()).default
    return DEFAULT_MODEL if default is None else default.slug


def _say_retry(retry: Retry) -> None:
    """Tell the person at the terminal why nothing comes yet."""
    if sys.stderr.isatty():
        say(str(retry), style=DIM)


def _read_prompt() -> str:
    """The prompt that standard input holds, or that is typed until the end of the input."""
    if sys.stdin.isatty():
        end = 'Ctrl-Z and Enter' if sys.platform == 'win32' else 'Ctrl-D'
        say(f'Type the prompt; {end} on a line of its own ends it.', style=DIM)
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f'Standard input is no text: {error}.') from error


async def _print_json(agent: Agent[None, str], prompt: str) -> None:
    async with agent:
        result = await agent.run(prompt)
    response = result.response
    usage = result.usage
    print_json(
        {
            'model': response.model_name,
            'output': result.output,
            'thinking': response.thinking,
            'finish_reason': response.finish_reason,
            'response_id': response.provider_response_id,
            'usage': {
                'input_tokens': usage.input_tokens,
                'cached_tokens': usage.cache_read_tokens,
                'output_tokens': usage.output_tokens,
                'reasoning_tokens': usage.details.get('reasoning_tokens', 0),
            },
        }
    )


async def _print_stream(agent: Agent[None, str], prompt: str) -> None:
    """The answer to standard output as it comes; the thinking dimmed to standard error, where that is a terminal."""
    from pydantic_ai import (
        AgentRunResultEvent,
        PartDeltaEvent,
        PartStartEvent,
        TextPart,
        TextPartDelta,
        ThinkingPart,
        ThinkingPartDelta,
    )

    show_thinking = sys.stderr.isatty()
    thinking = is_begun = False
    cut_off = None
    try:
        async with agent, agent.run_stream_events(prompt) as events:
            async for event in events:
                match event:
                    case (
                        PartStartEvent(part=ThinkingPart(content=text))
                        | PartDeltaEvent(delta=ThinkingPartDelta(content_delta=str(text)))
                    ) if text and show_thinking:
                        thinking = True
                        write(sys.stderr, text, style=DIM)
                    case (
                        PartStartEvent(part=TextPart(content=text))
                        | PartDeltaEvent(delta=TextPartDelta(content_delta=text))
                    ) if text:
                        if thinking:
                            thinking = False
                            write(sys.stderr, '\n\n')
                        is_begun = True
                        write(sys.stdout, text)
                    case AgentRunResultEvent(result=result):
                        is_begun = True
                        cut_off = _CUT_OFF.get(result.response.finish_reason or '')
                    case _:
                        pass
    finally:
        if is_begun:  # Where the answer breaks off, the error has a line of its own.
            write(sys.stdout, '\n')
    if cut_off:
        warn(f'The answer is cut off: {cut_off}.')
