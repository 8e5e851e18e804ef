"""The flagship: an agent that thinks, calls two tools at once and answers, all of it streamed.

    python examples/weather_agent.py            # against the embedded simulator: no login, no network
    python examples/weather_agent.py --live     # on your ChatGPT plan

The agent itself is the part between the two lines; the rest shows its events on a terminal.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import sys
from collections.abc import Sequence

from pydantic_ai import (
    Agent,
    AgentRunError,
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
)

from pydantic_ai_codex import CodexError, CodexModel
from pydantic_ai_codex.errors import BackendError
from pydantic_ai_codex.testing import CodexSimulator, call, say, think, turn

# ---------------------------------------------------------------------------------------------------------------------

WEATHER = {'paris': ('sunny', 21), 'oslo': ('snow', -3)}


def make_agent(model: CodexModel) -> Agent[None, str]:
    """An agent with one tool. With your own login, `model` is simply `CodexModel('gpt-6-sol')`."""
    agent = Agent(model, instructions='You are a weather assistant. Look the weather up before you answer.')

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city right now.

        Args:
            city: The name of the city.
        """
        sky, degrees = WEATHER.get(city.lower(), ('unknown', 15))
        return f'{sky}, {degrees} °C'

    return agent


# ---------------------------------------------------------------------------------------------------------------------

PROMPT = 'I pack for Paris and Oslo. What do I need?'
MODEL = 'gpt-6-sol'


def simulated_model(*, delay: float) -> CodexModel:
    """A model whose backend is the simulator, with the turns of this demo as its script."""
    simulator = CodexSimulator(
        turn(
            think(
                '**Checking both cities**\n\nThe two forecasts do not depend on each other, so I ask for both at once.'
            ),
            call('get_weather', city='Paris'),
            call('get_weather', city='Oslo'),
            delay=delay,
        ),
        turn(
            think('**Comparing**\n\nSun at 21 °C against snow at -3 °C: two sets of clothes.'),
            say('Pack for two seasons: a shirt and sunglasses for Paris (sunny, 21 °C), and a warm coat, gloves and '),
            say('boots for Oslo (snow, -3 °C).'),
            delay=delay,
        ),
    )
    return simulator.model(MODEL)


def describe(event: object) -> tuple[str, str]:
    """What to show of an event: a heading, and a text, which is empty where there is nothing to show."""
    match event:
        case PartStartEvent(part=ThinkingPart(content=text)):
            return 'thinking', text
        case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=str(text))):
            return 'thinking', text
        case PartStartEvent(part=TextPart(content=text)):
            return 'answer', text
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return 'answer', text
        case FunctionToolCallEvent(part=part):
            return 'tools', f'-> {part.tool_name}({part.args_as_json_str()})\n'
        case FunctionToolResultEvent(part=part):
            return 'tools', f'<- {part.content}\n'
        case _:
            return '', ''


async def run(model: CodexModel) -> None:
    """Run the agent and print every event as it comes."""
    agent = make_agent(model)
    print(f'{style("prompt", "1")}\n{PROMPT}', flush=True)
    shown, end = 'prompt', '\n'
    try:
        async with agent, agent.run_stream_events(PROMPT) as events:
            async for event in events:
                kind, text = describe(event)
                if not text:
                    continue
                if kind != shown:
                    print(f'{"" if end == chr(10) else chr(10)}\n{style(kind, "1")}')
                shown, end = kind, text[-1]
                print(style(text, '2') if kind == 'thinking' else text, end='', flush=True)
    finally:
        print()  # After half an answer, too.


def style(text: str, code: str) -> str:
    """The text in a terminal style, where there is a terminal."""
    if not sys.stdout.isatty() or os.environ.get('NO_COLOR'):
        return text
    return f'\x1b[{code}m{text}\x1b[0m'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    # pydantic-ai greets with a banner on terminals, which would stand in the middle of the stream.
    os.environ.setdefault('PYDANTIC_AI_NO_BANNER', '1')
    parser = argparse.ArgumentParser(prog='weather_agent', description='A tool-calling agent, streamed.')
    parser.add_argument('--live', action='store_true', help='use your login and the real backend')
    parser.add_argument('-m', '--model', help=f'the model for --live (default: {MODEL})')
    options = parser.parse_args(argv)
    if options.model and not options.live:
        parser.error('-m goes with --live; the simulator answers for any model alike')
    if options.live:
        name = options.model or MODEL
        print(f'Live: {name} on your login.\n')
        model = CodexModel(name)
    else:
        print(f'Simulated: {MODEL} answers from a script, without a login or a network (--live: for real).\n')
        model = simulated_model(delay=0.03 if sys.stdout.isatty() else 0)
    asyncio.run(run(model))
    return 0


def readable(error: Exception) -> str:
    """pydantic-ai's text of an HTTP error is the raw answer; that of ours, behind it, says what the answer means."""
    return str(error.__cause__ if isinstance(error.__cause__, BackendError) else error)


if __name__ == '__main__':
    sys.stdout = sys.stdout or open(os.devnull, 'w', encoding='utf-8')  # noqa: SIM115 - where it is closed
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')  # Not every terminal knows every character.
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Nothing more is tried at exit.
        if not isinstance(error, BrokenPipeError):  # Else whoever read this has seen enough.
            sys.exit(f'error: {error}')
    except (CodexError, AgentRunError) as error:
        sys.exit(f'error: {readable(error)}')
