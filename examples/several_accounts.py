"""Two accounts at once, each with a login file of its own.

    python examples/several_accounts.py                     # against the embedded simulator: no login, no network
    python examples/several_accounts.py --live [LOGIN ...]  # with logins of yours, files such as ~/.codex/auth.json

`pydantic-ai-codex login --store PATH` makes such a file.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from itertools import cycle
from pathlib import Path

from pydantic_ai import Agent

from _live import MODEL, add_logins, argument_parser, chosen_logins, command_line, heard
from pydantic_ai_codex import CodexModel, CodexProvider
from pydantic_ai_codex.auth import AuthFile
from pydantic_ai_codex.testing import CodexSimulator, RecordedRequest, Turn, reply

ANSWERS = {
    'What is the capital of Chile?': 'Santiago',
    'Who wrote Emma?': 'Jane Austen',
    'What is 6 * 7?': '42',
    'How many legs has a spider?': 'Eight',
}

agent = Agent(instructions='Answer in as few words as you can.')


def live_model(name: str, login: str) -> CodexModel:
    """The provider reads the login from its file, refreshes it when it is due, and writes it back."""
    return CodexModel(name, provider=CodexProvider(credentials=AuthFile(login)))


async def ask(question: str, account: str, model: CodexModel) -> None:
    print(f'{account} is asked: {question}')
    result = await agent.run(question, model=model)
    print(f'{account} answers: {result.output}')


async def main(models: dict[str, CodexModel]) -> None:
    """All questions at once, dealt out to the accounts."""
    dealt = zip(ANSWERS, cycle(models.items()), strict=False)
    await asyncio.gather(*(ask(question, account, model) for question, (account, model) in dealt))


def answer(request: RecordedRequest) -> Turn:
    return reply(f'{ANSWERS[heard(request)[-1]]} (on the plan of {request.headers["chatgpt-account-id"]})')


def simulated_model(login: Path, account_id: str) -> CodexModel:
    simulator = CodexSimulator(default=answer, account_id=account_id)
    login.touch(mode=0o600)  # A login is nobody else's business.
    login.write_text(json.dumps(simulator.auth_json()), encoding='utf-8')
    return simulator.model(MODEL, provider=simulator.provider(credentials=AuthFile(login)))


if __name__ == '__main__':
    parser = argument_parser(__doc__)
    add_logins(parser)
    with command_line(parser) as options, tempfile.TemporaryDirectory() as folder:
        if options.live:
            models = {login: live_model(options.model, login) for login in chosen_logins(options)}
        else:
            models = {name: simulated_model(Path(folder, f'{name}.json'), f'{name}-id') for name in ('home', 'work')}
        asyncio.run(main(models))
