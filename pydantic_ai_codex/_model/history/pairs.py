"""Calls and their outputs: each call gets exactly one output, after it, and nothing that is there is lost; pure.

An agent repairs its history by itself; who calls the model directly has the history that they have. Both halves of a
pair are settled within one turn, the responses and then the requests that follow them, so that a longer history begins
with the very items of the shorter one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ..._protocol.requests import JsonObject
from .calls import OUTPUTS
from .contents import input_text, user_message
from .ids import LONGEST_ID, wire_name
from .quotes import UNKNOWN_OUTCOME, quote_orphan


@dataclass(frozen=True, slots=True)
class Output:
    """What a tool returned, before it is known which call that answers.

    Attributes:
        tool: The name of the tool.
        call_id: The id of the call, as in the item of the call.
        content: The output: a text, or content parts.
    """

    tool: str
    call_id: str
    content: str | list[JsonObject]


Entry: TypeAlias = JsonObject | Output


@dataclass(frozen=True, slots=True)
class _OpenCall:
    """A call that has no output yet; `call_id` is the one of the history, which may come more than once."""

    call_id: str
    item: JsonObject

    def output(self, content: str | list[JsonObject]) -> JsonObject:
        return {'type': OUTPUTS[self.item['type']], 'call_id': self.item['call_id'], 'output': content}


class Pairing:
    """One pass over the turns of a history."""

    def __init__(self) -> None:
        self._open: list[_OpenCall] = []
        self._taken: set[str] = set()
        self._repeats: Counter[str] = Counter()

    def map_responses(self, items: Iterable[JsonObject]) -> Iterator[JsonObject]:
        """The items of a turn's responses; the ids of their calls are made distinct."""
        for item in items:
            if item.get('type') in OUTPUTS:
                call = _OpenCall(item['call_id'], {**item, 'call_id': self._free(item['call_id'])})
                self._taken.add(call.item['call_id'])
                self._open.append(call)
                yield call.item
            else:
                yield item

    def map_requests(self, entries: Iterable[Entry]) -> list[JsonObject]:
        """The items of the requests that follow, with an output for every call of the turn."""
        items: list[JsonObject] = []
        after_outputs = 0
        for entry in entries:
            if not isinstance(entry, Output):
                items.append(entry)
            elif call := self._called_by(entry):
                items.append(call.output(entry.content))
                after_outputs = len(items)
            else:
                items.append(_quote(entry))
        items[after_outputs:after_outputs] = self.close()
        return items

    def close(self) -> list[JsonObject]:
        """The outputs of the calls that have none."""
        outputs = [call.output(UNKNOWN_OUTCOME) for call in self._open]
        self._open.clear()
        return outputs

    def _called_by(self, output: Output) -> _OpenCall | None:
        """The call that an output answers: of those with its id the first of its tool, or else the first."""
        calls = [call for call in self._open if call.call_id == output.call_id]
        if not calls:
            return None
        name = wire_name(output.tool)
        call = next((call for call in calls if call.item.get('name') == name), calls[0])
        self._open.remove(call)
        return call

    def _free(self, call_id: str) -> str:
        """The id that a call goes out with: some services number their calls anew in each turn, or have no ids."""
        if call_id and call_id not in self._taken:
            return call_id
        beginning = call_id[: LONGEST_ID - 10] or 'call'
        while True:
            self._repeats[beginning] += 1
            candidate = f'{beginning}_{self._repeats[beginning] + 1}'
            if candidate not in self._taken:
                return candidate


def _quote(output: Output) -> JsonObject:
    parts = [input_text(output.content)] if isinstance(output.content, str) else output.content
    text = '\n'.join(part['text'] for part in parts if part['type'] == 'input_text')
    files = [part for part in parts if part['type'] != 'input_text']
    return user_message([input_text(quote_orphan(output.tool, output.call_id, text)), *files])
