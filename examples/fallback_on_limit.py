"""When the plan is used up, another model answers: here that of a second account.

python examples/fallback_on_limit.py                        # against the embedded simulator: no login, no network
python examples/fallback_on_limit.py --live [LOGIN ...]     # with logins of yours, files such as ~/.codex/auth.json
"""

from __future__ import annotations

import asyncio

from pydantic_ai import Agent
from pydantic_ai.models.fallback import FallbackModel

from _live import add_logins, argument_parser, chosen_logins, command_line
from pydantic_ai_codex import CodexModel, CodexProvider
from pydantic_ai_codex.auth import AuthFile
from pydantic_ai_codex.errors import BackendError
from pydantic_ai_codex.testing import CodexSimulator, reply, usage_limit

agent = Agent(instructions='Answer in one sentence.')


def is_used_up(error: Exception) -> bool:
    """Whether the next model may answer. Without this, it does so after any failure of the backend."""
    match error.__cause__:  # pydantic-ai's error stands on one of ours, which knows more.
        case BackendError(category='quota', resets_at=resets_at):
            when = f'until {resets_at.astimezone():%A, %H:%M}' if resets_at else 'for now'
            print(f'  (the plan is used up {when})')
            return True
        case _:
            return False


async def main(first: CodexModel, *others: CodexModel) -> None:
    model = FallbackModel(first, *others, fallback_on=is_used_up)
    prompt = 'Why is the sky blue?'
    print(f'User: {prompt}')
    result = await agent.run(prompt, model=model)
    print(f'Agent: {result.output}')


def live_models(name: str, logins: list[str]) -> list[CodexModel]:
    return [CodexModel(name, provider=CodexProvider(credentials=AuthFile(login))) for login in logins]


def simulated_models() -> list[CodexModel]:
    used_up = CodexSimulator(usage_limit(resets_in_seconds=90 * 60), account_id='home')
    other = CodexSimulator(reply('Air scatters blue light more than red.'), account_id='work')
    return [used_up.model('gpt-6-sol'), other.model('gpt-6-sol')]


if __name__ == '__main__':
    parser = argument_parser(__doc__)
    add_logins(parser)
    with command_line(parser) as options:
        models = live_models(options.model, chosen_logins(options)) if options.live else simulated_models()
        asyncio.run(main(*models))
