"""A chat of many turns, kept in a file and taken up again.

python examples/chat.py                         # against the embedded simulator: no login, no network
python examples/chat.py --live [FILE]           # talk to it on your ChatGPT plan; Ctrl+D ends
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pydantic_ai import Agent, ModelMessage, ModelMessagesTypeAdapter

from _live import argument_parser, chosen_model, errors_in_one_line, heard, parse
from pydantic_ai_codex import CodexModel
from pydantic_ai_codex.testing import RecordedRequest, Turn, reply

agent = Agent(instructions='You are a patient teacher of Norwegian. Answer in one sentence.')


def load(file: Path) -> list[ModelMessage]:
    return ModelMessagesTypeAdapter.validate_json(file.read_bytes()) if file.exists() else []


def save(file: Path, history: list[ModelMessage]) -> None:
    # Replaced in one step: a kill in the middle must not cost the whole history.
    draft = file.with_name(f'{file.name}.new')
    draft.write_bytes(ModelMessagesTypeAdapter.dump_json(history, indent=2))
    draft.replace(file)


async def answer(prompt: str, history: list[ModelMessage], model: CodexModel) -> list[ModelMessage]:
    """Print the answer as it comes; returns the longer history."""
    async with agent.run_stream(prompt, message_history=history, model=model) as result:
        print('Agent: ', end='')
        async for text in result.stream_text(delta=True):
            print(text, end='', flush=True)
    print()
    return result.all_messages()


def chat(prompts: Iterable[str], file: Path, model: CodexModel) -> None:
    """With your own login, `model` is `CodexModel('gpt-5.5')`; it can be given to the agent as well."""
    history = load(file)
    print(f'({len(history)} messages in {file.name})')
    # One event loop for all answers keeps the connection open. It stands still while the user types, as it has nothing
    # else to do.
    with asyncio.Runner() as runner:
        for prompt in prompts:
            history = runner.run(answer(prompt, history, model))
            save(file, history)


def typed() -> Iterator[str]:
    with suppress(ImportError):
        import readline as readline  # Arrow keys and a history of lines; not there on Windows.
    with suppress(EOFError):
        while True:
            if prompt := input('User: ').strip():
                yield prompt


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
    parser.add_argument('file', nargs='?', type=Path, default=Path('chat.json'), help='the history, for --live')
    options = parse(parser)
    script = (reply('You say "takk".'), reply('You say "vær så god".'), remember)
    with errors_in_one_line(), chosen_model(options, *script) as model:
        if options.live:
            chat(typed(), options.file, model)
        else:
            twice(model)
