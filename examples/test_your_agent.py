"""How to test an agent of yours: a simulated backend plays a script, and refuses what the real one would refuse.

    pytest examples/test_your_agent.py          # no login, no network

The fixture `codex_simulator` comes with the package. It fails a test that leaves a turn of its script unused, or that
sends a request for which there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pydantic_ai import Agent, ModelHTTPError, ModelRetry, RunContext, UsageLimitExceeded, UsageLimits
from pydantic_ai.exceptions import ModelConnectionError

from pydantic_ai_codex import CodexModel, TransportPolicy
from pydantic_ai_codex.testing import CodexSimulator, call_tool, fail, reply, say, turn, usage_limit

# What is tested; in your project it is imported from elsewhere. ------------------------------------------------------


@dataclass
class Account:
    """Whose money it is."""

    balance: int
    sent: dict[str, int] = field(default_factory=dict[str, int])


agent = Agent(CodexModel('gpt-6-sol'), deps_type=Account, instructions='You are a teller. Be brief.')


@agent.tool
def send_money(ctx: RunContext[Account], to: str, amount: int) -> str:
    """Send money to someone."""
    if amount > ctx.deps.balance:
        raise ModelRetry(f'Only {ctx.deps.balance} are left.')
    ctx.deps.balance -= amount
    ctx.deps.sent[to] = amount
    return f'{ctx.deps.balance} are left'


def teller(prompt: str, account: Account) -> str:
    """What the application calls."""
    try:
        return agent.run_sync(prompt, deps=account, usage_limits=UsageLimits(request_limit=3)).output
    except ModelHTTPError as error:
        if error.status_code == 429:
            return f'The counter is closed for {error.retry_after or 0:.0f} seconds.'
        raise


# The tests. ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def simulator(codex_simulator: CodexSimulator) -> Iterator[CodexSimulator]:
    """The agent as it is, with the simulator in place of the backend."""
    with agent.override(model=codex_simulator.model('gpt-6-sol')):
        yield codex_simulator


def test_the_tool_gets_its_arguments_and_the_model_its_result(simulator: CodexSimulator) -> None:
    simulator.add(call_tool('send_money', to='Bob', amount=5), reply('Bob has it.'))
    account = Account(balance=20)

    assert teller('Send 5 to Bob.', account) == 'Bob has it.'

    assert account == Account(balance=15, sent={'Bob': 5})
    assert simulator.requests[1].body['input'][-1]['output'] == '15 are left'


def test_the_model_is_sent_what_it_needs(simulator: CodexSimulator) -> None:
    simulator.add(reply('Good morning.'))

    teller('Hello', Account(balance=20))

    body = simulator.requests[0].body
    assert body['model'] == 'gpt-6-sol'
    assert [tool['name'] for tool in body['tools']] == ['send_money']
    assert set(body['tools'][0]['parameters']['properties']) == {'to', 'amount'}


def test_too_much_is_sent_back_to_the_model(simulator: CodexSimulator) -> None:
    simulator.add(call_tool('send_money', to='Bob', amount=50), reply('You have only 20.'))
    account = Account(balance=20)

    teller('Send 50 to Bob.', account)

    assert account.sent == {}
    assert 'Only 20 are left.' in simulator.requests[1].body['input'][-1]['output']


def test_a_model_that_goes_in_circles_is_stopped(simulator: CodexSimulator) -> None:
    simulator.add(*[call_tool('send_money', to='Bob', amount=1)] * 3)

    with pytest.raises(UsageLimitExceeded):
        teller('Send 1 to Bob.', Account(balance=20))

    assert simulator.remaining == 0


def test_a_used_up_plan_is_told(simulator: CodexSimulator) -> None:
    simulator.add(usage_limit(resets_in_seconds=600))

    assert teller('Hello', Account(balance=20)) == 'The counter is closed for 600 seconds.'


def test_half_an_answer_is_none(simulator: CodexSimulator) -> None:
    simulator.add(turn(say('Your balance is one hundred'), cut_after=6))

    with pytest.raises(ModelConnectionError):
        teller('What is my balance?', Account(balance=20))


def test_an_overloaded_backend_is_asked_again(codex_simulator: CodexSimulator) -> None:
    codex_simulator.add(fail(503), fail(503), reply('Good morning.'))

    # The retries of production; no time passes in the waits between them.
    with agent.override(model=codex_simulator.model('gpt-6-sol', policy=TransportPolicy())):
        assert teller('Hello', Account(balance=20)) == 'Good morning.'
