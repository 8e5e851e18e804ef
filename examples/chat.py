"""A chat of many turns, kept in a file and taken up again.

python examples/chat.py                         # against the embedded simulator: no login, no network
python examples/chat.py --live [FILE]           # talk to it on your ChatGPT plan; Ctrl+D ends
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError
from pydantic_ai import Agent, AgentRunError, ModelMessage, ModelMessagesTypeAdapter

from _live import argument_parser, chosen_model, command_line, heard, readable
from pydantic_ai_codex import CodexModel
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import RecordedRequest, Turn, reply

agent = Agent(instructions='You are a patient teacher of Norwegian. Answer in one sentence.')


def load(file: Path) -> list[ModelMessage]:
    try:
        return ModelMessagesTypeAdapter.validate_json(file.read_bytes())
    except FileNotFoundError:
        return []
    except ValidationError as error:
        raise ConfigurationError(f'{file} holds no chat. Choose another file.') from error


def save(file: Path, history: list[ModelMessage]) -> None:
    # Replaced in one step: a kill in the middle must not cost the whole history. A link stays one, and a temporary
    # file is for nobody else's eyes.
    file = file.resolve()
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f'{file.name}.', delete=False) as draft:
        draft.write(ModelMessagesTypeAdapter.dump_json(history, indent=2))
    Path(draft.name).replace(file)


async def answer(prompt: str, history: list[ModelMessage], model: CodexModel) -> list[ModelMessage]:
    """Print the answer as it comes; returns the longer history."""
    async with agent.run_stream(prompt, message_history=history, model=model) as result:
        print('Agent: ', end='')
        try:
            async for text in result.stream_text(delta=True):
                print(text, end='', flush=True)
        finally:
            print()
    return result.all_messages()


def chat(prompts: Iterable[str], file: Path, model: CodexModel) -> None:
    """With your own login, `model` is `CodexModel('gpt-6-sol')`; it can be given to the agent as well."""
    history = load(file)
    save(file, history)  # An answer that cannot be kept is not asked for.
    print(f'({len(history)} messages in {file.name})')
    # One event loop for all answers keeps the connection open. It stands still while the user types, as it has nothing
    # else to do.
    with asyncio.Runner() as runner:
        for prompt in prompts:
            try:
                history = runner.run(answer(prompt, history, model))
                save(file, history)
            except AgentRunError as error:  # The next question may well be answered.
                print(f'error: {readable(error)}', file=sys.stderr)


def typed() -> Iterator[str]:
    with suppress(ImportError):
        import readline as readline  # Arrow keys and a history of lines; not there on Windows.
    with suppress(EOFError):
        while True:
            if prompt := input('User: ').strip():
                yield prompt
    print()


def scripted(*prompts: str) -> Iterator[str]:
    for prompt in prompts:
        print(f'User: {prompt}')
        yield prompt


def remember(request: RecordedRequest) -> Turn:
    return reply(f'Your first question was: {heard(request)[0]}')


def twice(model: CodexModel) -> None:
    """Two chats, as if the program had been ended between them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'chat.json')
        chat(scripted('How do I say "thank you"?', 'And "you are welcome"?'), file, model)
        print('\nThe next day:')
        chat(scripted('What did I ask first?'), file, model)


if __name__ == '__main__':
    parser = argument_parser(__doc__)
    parser.add_argument('file', nargs='?', type=Path, help='the history, for --live (default: chat.json)')
    script = (reply('You say "takk".'), reply('You say "vær så god".'), remember)
    with command_line(parser) as options, chosen_model(options, *script) as model:
        if options.live:
            chat(typed(), options.file or Path('chat.json'), model)
        else:
            twice(model)
