"""Several calls of one turn run side by side, but for those of a tool that has to run alone.

python examples/parallel_tools.py           # against the embedded simulator: no login, no network
python examples/parallel_tools.py --live    # on your ChatGPT plan
"""

from __future__ import annotations

import asyncio

from pydantic_ai import Agent

from _live import heard, run_example
from pydantic_ai_codex import CodexModel
from pydantic_ai_codex.testing import RecordedRequest, Turn, call, reply, turn

PRICES = {'Paris': 140, 'Oslo': 120, 'Rome': 95}
SECONDS = {'Paris': 0.3, 'Oslo': 0.2, 'Rome': 0.1}

agent = Agent(instructions='You book hotels. Ask for all prices at once, before you book anything.')


@agent.tool_plain
async def price(city: str) -> int:
    """What a night in a city costs, in euros.

    Args:
        city: The name of the city.
    """
    print(f'  price({city}) begins')
    await asyncio.sleep(SECONDS.get(city, 0))  # Stands for a slow service: the other calls go on meanwhile.
    print(f'  price({city}) ends')
    return PRICES.get(city, 100)


@agent.tool_plain(sequential=True)  # One payment after the other.
async def book(city: str) -> str:
    """Book a night in a city.

    Args:
        city: The name of the city.
    """
    print(f'  book({city}) begins')
    await asyncio.sleep(0.1)
    print(f'  book({city}) ends')
    return f'{city} is booked'


async def main(model: CodexModel) -> None:
    """With your own login, `model` is `CodexModel('gpt-6-sol')`; it can be given to the agent as well."""
    prompt = 'Paris, Oslo, Rome: book a night in each of the two that are cheapest.'
    print(f'User: {prompt}')
    result = await agent.run(prompt, model=model)
    print(f'Agent: {result.output}')


def book_the_cheapest(request: RecordedRequest) -> Turn:
    # The outputs stand in the order of the calls, whichever tool was ready first.
    prices = dict(zip(PRICES, map(int, heard(request)[-3:]), strict=True))
    cheapest = sorted(prices, key=lambda city: prices[city])[:2]
    return turn(*(call('book', city=city) for city in cheapest))


def answer(request: RecordedRequest) -> Turn:
    return reply(f'Done: {", and ".join(heard(request)[-2:])}.')


if __name__ == '__main__':
    ask_for_prices = turn(*(call('price', city=city) for city in PRICES))
    run_example(__doc__, main, ask_for_prices, book_the_cheapest, answer)
