"""Typed output in two ways, by a tool and native, and a validator that sends the model back.

python examples/structured_output.py        # against the embedded simulator: no login, no network
python examples/structured_output.py --live # on your ChatGPT plan
"""

from __future__ import annotations

import re

from pydantic import BaseModel, Field
from pydantic_ai import Agent, ModelRetry, NativeOutput

from _live import heard, run_example
from pydantic_ai_codex import CodexModel
from pydantic_ai_codex.testing import RecordedRequest, Turn, call_tool, reply

LETTER = """\
Dear Ada, you owe me for two chairs at 45.00 each, and for the table, 120.50. I had to bring them up to the fourth
floor, which makes another 15. Payable by the end of May. Yours, Carpenter Cole
"""


class Line(BaseModel):
    """One thing to pay."""

    text: str
    cents: int = Field(description='The price of all pieces together.')


class Invoice(BaseModel):
    """What a letter demands."""

    sender: str
    lines: list[Line]
    total_cents: int


# A type becomes a tool that the model has to call with the output as arguments. That goes well with other tools.
by_tool = Agent(output_type=Invoice, instructions='Read the invoice.', retries=2)

# `NativeOutput` has the backend itself keep the answer to the JSON schema.
native = Agent(output_type=NativeOutput(Invoice), instructions='Read the invoice.', retries=2)


@by_tool.output_validator
@native.output_validator
def adds_up(invoice: Invoice) -> Invoice:
    """A schema cannot say this; the model reads what is wrong, and tries again."""
    total = sum(line.cents for line in invoice.lines)
    if total != invoice.total_cents:
        print(f'  (sent back: {invoice.total_cents} is not the sum of the lines)')
        raise ModelRetry(f'The lines add up to {total} cents, and total_cents is {invoice.total_cents}.')
    return invoice


async def main(model: CodexModel) -> None:
    """With your own login, `model` is `CodexModel('gpt-6-sol')`; it can be given to the agent as well."""
    for title, agent in {'By a tool': by_tool, 'Native': native}.items():
        print(f'{title}:')
        invoice = (await agent.run(LETTER, model=model)).output
        for line in invoice.lines:
            print(f'  {line.cents / 100:8.2f}  {line.text}')
        print(f'  {invoice.total_cents / 100:8.2f}  to {invoice.sender}')


INVOICE = Invoice(
    sender='Carpenter Cole',
    lines=[Line(text='2 chairs', cents=9000), Line(text='1 table', cents=12050), Line(text='Carrying', cents=1500)],
    total_cents=21050,  # Forgets the carrying.
)


def corrected(request: RecordedRequest) -> Turn:
    total, *_ = re.findall(r'add up to (\d+)', heard(request)[-1])
    return call_tool('final_result', {**INVOICE.model_dump(), 'total_cents': int(total)})


if __name__ == '__main__':
    right = INVOICE.model_copy(update={'total_cents': 22550})
    wrong_at_first = call_tool('final_result', INVOICE.model_dump())
    run_example(__doc__, main, wrong_at_first, corrected, reply(right.model_dump_json()))
