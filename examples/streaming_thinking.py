"""What the model thinks, and then says, as it comes.

python examples/streaming_thinking.py           # against the embedded simulator: no login, no network
python examples/streaming_thinking.py --live    # on your ChatGPT plan
"""

from __future__ import annotations

from pydantic_ai import (
    Agent,
    AgentRunResultEvent,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
)

from _live import run_example
from pydantic_ai_codex import CodexModel, CodexModelSettings
from pydantic_ai_codex.testing import say, think, turn

# The backend keeps the reasoning itself to itself, and streams a summary of it.
settings = CodexModelSettings(codex_reasoning_effort='high', codex_reasoning_summary='detailed')

agent = Agent(instructions='Answer in one sentence.', model_settings=settings)


async def main(model: CodexModel) -> None:
    """With your own login, `model` is `CodexModel('gpt-6-sol')`; it can be given to the agent as well."""
    prompt = 'A bat and a ball cost 1.10 together. The bat costs 1 more than the ball. What does the ball cost?'
    print(f'User: {prompt}\n')
    async with agent.run_stream_events(prompt, model=model) as events:
        async for event in events:
            match event:
                case PartStartEvent(part=ThinkingPart(content=text)):
                    show(f'[thinking] {text}')
                case PartStartEvent(part=TextPart(content=text)):
                    show(f'[answer] {text}')
                case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=str(text))):
                    show(text)
                case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
                    show(text)
                case PartEndEvent():
                    show('\n\n')
                case AgentRunResultEvent(result=result):
                    reasoning = result.usage.details.get('reasoning_tokens', 0)
                    show(f'{result.usage.output_tokens} tokens, {reasoning} of them for thinking\n')
                case _:
                    pass


def show(text: str) -> None:
    print(text, end='', flush=True)


THOUGHTS = (
    '**Setting it up**\n\nThe tempting answer is 0.10, but then the bat costs 1.10, and both 1.20.',
    '**Solving**\n\nWith x for the ball, x + (x + 1) = 1.10, so x = 0.05.',
)

if __name__ == '__main__':
    run_example(__doc__, main, turn(think(THOUGHTS), say('The ball costs 0.05, and the bat 1.05.'), delay=0.03))
