"""A tool that works with dependencies, and that may send the model back.

python examples/tool_calling.py             # against the embedded simulator: no login, no network
python examples/tool_calling.py --live      # on your ChatGPT plan
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic_ai import Agent, ModelRetry, RunContext

from _live import heard, run_example
from pydantic_ai_codex import CodexModel
from pydantic_ai_codex.testing import RecordedRequest, Turn, call_tool, reply


@dataclass
class Shop:
    """What the tools work with; in a program of yours, this may hold a database connection."""

    customer: str
    orders: dict[str, str]


agent = Agent(
    deps_type=Shop, instructions='You answer questions about orders. Look an order up before you speak of it.'
)


@agent.instructions
def who_is_asking(ctx: RunContext[Shop]) -> str:
    return f'You speak with {ctx.deps.customer}.'


@agent.tool(retries=2)
def track_order(ctx: RunContext[Shop], number: str) -> str:
    """Where an order is right now.

    Args:
        number: The number of the order.
    """
    print(f'  -> track_order({number!r})')
    orders = ctx.deps.orders
    if number not in orders:
        # The model reads this and may call again, as often as `retries` says.
        raise ModelRetry(f'There is no order {number!r}. {ctx.deps.customer} has {", ".join(orders)}.')
    print(f'  <- {orders[number]}')
    return orders[number]


async def main(model: CodexModel) -> None:
    """With your own login, `model` is `CodexModel('gpt-6-sol')`; it can be given to the agent as well."""
    prompt = 'Where is my order 1042?'
    print(f'User: {prompt}')
    shop = Shop('Ada', orders={'A-1041': 'delivered', 'A-1042': 'on its way, due tomorrow'})
    result = await agent.run(prompt, model=model, deps=shop)
    print(f'Agent: {result.output}')


def call_again(request: RecordedRequest) -> Turn:
    *_, number = re.findall(r'A-\d+', heard(request)[-1])
    return call_tool('track_order', number=number)


def answer(request: RecordedRequest) -> Turn:
    return reply(f'Your order A-1042 is {heard(request)[-1]}.')


if __name__ == '__main__':
    run_example(__doc__, main, call_tool('track_order', number='1042'), call_again, answer)
