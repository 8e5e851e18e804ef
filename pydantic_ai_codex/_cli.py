"""The command line. Heavy imports stand inside the commands, so that `--version` and `--help` are quick."""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TextIO

from .errors import CodexError, ConfigurationError, CredentialsError

if TYPE_CHECKING:
    from pydantic_ai import Agent

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NO_LOGIN: Final = 3
INTERRUPTED: Final = 130

DEFAULT_MODEL: Final = 'gpt-5.5'

_EPILOG: Final = (
    'exit codes: 0 all well, 1 the model call failed, 2 wrong usage, 3 no usable login, 130 interrupted. '
    'CODEX_DEBUG=1 logs requests and events to standard error, prompts and answers included, the login masked.'
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments, by default those of the process.

    Returns:
        The exit code.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    command: Callable[[argparse.Namespace], int] | None = getattr(options, 'command', None)
    if command is None:
        parser.print_help(sys.stderr)
        return USAGE
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets a substitute, and not an end in the middle of an answer.
            stream.reconfigure(errors='backslashreplace')
    try:
        return command(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has seen enough. Nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except CodexError as error:
        return _fail(error, as_json=getattr(options, 'json', False))
    except RuntimeError as error:
        # pydantic-ai's errors are RuntimeErrors; anything else of that kind is a bug, and is shown whole.
        from pydantic_ai.exceptions import AgentRunError, UserError

        if not isinstance(error, AgentRunError | UserError):
            raise
        return _fail(error, as_json=getattr(options, 'json', False))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='pydantic-ai-codex', description='Run agents on a ChatGPT/Codex subscription.', epilog=_EPILOG
    )
    parser.add_argument('--version', action=_Version, help='show the version and exit')
    commands = parser.add_subparsers(metavar='command')

    demo = commands.add_parser(
        'demo', help='a tool-calling agent, streamed, against the embedded simulator', epilog=_EPILOG
    )
    demo.add_argument('--live', action='store_true', help='use your login and the real backend')
    demo.add_argument('-m', '--model', help='the model for --live')
    demo.set_defaults(command=_demo)

    run = commands.add_parser('run', help='send one prompt and stream the answer', epilog=_EPILOG)
    run.add_argument('prompt', help='the prompt, or - to read it from standard input')
    run.add_argument(
        '-m', '--model', default=DEFAULT_MODEL, help='for example gpt-5.5-high (default: %(default)s)', metavar='MODEL'
    )
    run.add_argument('--instructions', help='the instructions of the agent')
    run.add_argument('--base-url', help='what stands before /responses; the login is sent there')
    run.add_argument('--json', action='store_true', help='print one JSON object instead of streaming text')
    run.set_defaults(command=_run)

    simulate = commands.add_parser('simulate', help='serve the simulator on a port of this machine', epilog=_EPILOG)
    simulate.add_argument('--host', default='127.0.0.1', help='a loopback address (default: %(default)s)')
    simulate.add_argument('--port', type=_port, default=8321, help='0 for a free one (default: %(default)s)')
    simulate.add_argument('--refuse-retired', action='store_true', help='refuse models that the catalog lists no more')
    simulate.add_argument('--json', action='store_true', help='print the addresses and the token as one JSON object')
    simulate.set_defaults(command=_simulate)
    return parser


class _Version(argparse.Action):
    """`--version`, which looks the version up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *args: object) -> None:
        from importlib.metadata import version

        print(f'pydantic-ai-codex {version("pydantic-ai-codex")}')
        parser.exit()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f'{text!r} is no port; use 0 to 65535')
    return int(text)


def _demo(options: argparse.Namespace) -> int:
    arguments = ['--live'] * options.live + (['--model', options.model] if options.model else [])
    return _example('weather_agent').main(arguments)


def _example(name: str) -> ModuleType:
    """An example as a module: from the installed package, or from the checkout beside it."""
    here = Path(__file__).parent
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
    try:
        prompt = sys.stdin.read() if options.prompt == '-' else options.prompt
    except UnicodeDecodeError as error:
        raise ConfigurationError(f'Standard input is no text: {error}.') from error
    if not prompt.strip():
        raise ConfigurationError('The prompt is empty; write one, or - to read it from standard input.')

    import anyio
    from pydantic_ai import Agent

    from . import CodexModel, CodexProvider

    model = CodexModel(options.model, provider=CodexProvider(base_url=options.base_url))
    # pydantic-ai greets with a banner on terminals, which would stand in the middle of the answer.
    os.environ.setdefault('PYDANTIC_AI_NO_BANNER', '1')
    agent = Agent(model, instructions=options.instructions)
    anyio.run(_print_json if options.json else _print_stream, agent, prompt)
    return OK


async def _print_json(agent: Agent[None, str], prompt: str) -> None:
    async with agent:
        result = await agent.run(prompt)
    response = result.response
    usage = result.usage
    print(
        json.dumps(
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
            },
            ensure_ascii=False,
            indent=2,
        )
    )


async def _print_stream(agent: Agent[None, str], prompt: str) -> None:
    """The answer to standard output as it comes; the thinking dimmed to standard error, where that is a terminal."""
    from pydantic_ai import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta, ThinkingPart, ThinkingPartDelta

    show_thinking = sys.stderr.isatty()
    thinking = False
    async with agent, agent.run_stream_events(prompt) as events:
        async for event in events:
            match event:
                case (
                    PartStartEvent(part=ThinkingPart(content=text))
                    | PartDeltaEvent(delta=ThinkingPartDelta(content_delta=str(text)))
                ) if text and show_thinking:
                    thinking = True
                    _write(sys.stderr, text, style='2')
                case (
                    PartStartEvent(part=TextPart(content=text))
                    | PartDeltaEvent(delta=TextPartDelta(content_delta=text))
                ) if text:
                    if thinking:
                        thinking = False
                        _write(sys.stderr, '\n\n')
                    _write(sys.stdout, text)
                case _:
                    pass
    _write(sys.stdout, '\n')


def _write(stream: TextIO, text: str, *, style: str = '') -> None:
    """Write text that came from elsewhere; on a terminal without its control characters, and with a style."""
    if stream.isatty():
        text = _printable(text)
        if style and not os.environ.get('NO_COLOR'):
            text = f'\x1b[{style}m{text}\x1b[0m'
    stream.write(text)
    stream.flush()


def _printable(text: str) -> str:
    """The text without control characters, with which a terminal could be made to do things."""
    return ''.join(
        character if unicodedata.category(character) != 'Cc' or character in '\n\t' else '\N{REPLACEMENT CHARACTER}'
        for character in text
    )


def _simulate(options: argparse.Namespace) -> int:
    import anyio

    from .testing import CodexSimulator, auto_reply

    async def serve() -> None:
        simulator = CodexSimulator(default=auto_reply, refuse_retired=options.refuse_retired)
        async with simulator.serve(host=options.host, port=options.port) as server:
            facts = {'base_url': server.base_url, 'access_token': simulator.access_token}
            if options.json:
                print(json.dumps(facts), flush=True)
            else:
                print(
                    f'The simulator answers at {facts["base_url"]}, until Ctrl-C. Its token is made up. Try it:\n\n'
                    f'export CODEX_ACCESS_TOKEN={facts["access_token"]}\n'
                    f'pydantic-ai-codex run --base-url {facts["base_url"]} "Hello"\n',
                    flush=True,
                )
            await anyio.sleep_forever()

    try:
        anyio.run(serve)
    except OSError as error:
        raise ConfigurationError(
            f'The port {options.port} of {options.host} cannot be used: {error.strerror or error}. Choose another with '
            '--port, or 0 for a free one.'
        ) from error
    return OK


def _fail(error: Exception, *, as_json: bool) -> int:
    if isinstance(error, CredentialsError):
        code = NO_LOGIN
    else:
        code = USAGE if isinstance(error, ConfigurationError) else FAILED
    if as_json:
        # The names of our own errors where there is one, as the classes that join them to pydantic-ai's are private.
        ours = [base.__name__ for base in type(error).__mro__ if base.__module__ == CodexError.__module__]
        details: dict[str, Any] = {'type': ours[0] if ours else type(error).__name__, 'message': str(error)}
        for name in ('status_code', 'provider_error_code', 'retry_after'):
            if (value := getattr(error, name, None)) is not None:
                details[name] = value
        print(json.dumps({'error': details}, ensure_ascii=False, indent=2))
    else:
        red, end = ('\x1b[31m', '\x1b[0m') if sys.stderr.isatty() and not os.environ.get('NO_COLOR') else ('', '')
        print(f'{red}error:{end} {_printable(str(error))}', file=sys.stderr)
    return code
