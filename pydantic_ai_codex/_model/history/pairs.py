"""Calls and their outputs: each call gets exactly one output, after it, and nothing that is there is lost; pure.

An agent repairs its history by itself; who calls the model directly has the history that they have. Both halves of a
pair are settled within one turn, the responses and then the requests that follow them, so that each time the model has
answered a longer history begins with the very items of the shorter one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from ..._protocol.requests import JsonObject
from .calls import OUTPUTS
from .contents import input_text, user_message
from .ids import LONGEST_ID, wire_name
from .quotes import UNKNOWN_OUTCOME, quote_orphan


class Output(NamedTuple):
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


class Pairing:
    """One pass over the turns of a history, which collects its items.

    Attributes:
        items: The items so far.
    """

    def __init__(self) -> None:
        self.items: list[JsonObject] = []
        # The calls that have no output yet, in order and by the ids that they go out with.
        self._open: dict[str, JsonObject] = {}
        # Those ids by the one in the history, which may come more than once.
        self._meant: defaultdict[str, list[str]] = defaultdict(list)
        self._taken: set[str] = set()
        self._repeats: Counter[str] = Counter()

    def add_responses(self, items: Iterable[JsonObject]) -> None:
        """Add the items of a turn's responses; the ids of their calls are made distinct."""
        for item in items:
            if item['type'] in OUTPUTS:
                meant = item['call_id']
                call_id = self._free(meant)
                self._taken.add(call_id)
                self._meant[meant].append(call_id)
                self._open[call_id] = item = item if call_id == meant else {**item, 'call_id': call_id}
            self.items.append(item)

    def add_requests(self, entries: Iterable[Entry]) -> None:
        """Add the items of all requests that follow, with an output for every call of the turn."""
        items = self.items
        after_outputs = len(items)
        for entry in entries:
            if not isinstance(entry, Output):
                items.append(entry)
            elif call := self._called_by(entry):
                items.append(_output(call, entry.content))
                after_outputs = len(items)
            else:
                items.append(_quote(entry))
        self.close(after_outputs)

    def close(self, at: int | None = None) -> None:
        """Add the outputs of the calls that have none.

        Args:
            at: Where among the items; by default at their end.
        """
        if self._open:
            at = len(self.items) if at is None else at
            self.items[at:at] = [_output(call, UNKNOWN_OUTCOME) for call in self._open.values()]
            self._open.clear()
        self._meant.clear()

    def _called_by(self, output: Output) -> JsonObject | None:
        """The call that an output answers: of those with its id the first of its tool, or else the first."""
        meant = self._meant.get(output.call_id)
        if not meant:
            return None
        if len(meant) == 1:
            return self._open.pop(meant.pop())
        name = wire_name(output.tool)
        at = next((at for at, call_id in enumerate(meant) if self._open[call_id].get('name') == name), 0)
        return self._open.pop(meant.pop(at))

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


def _output(call: JsonObject, content: str | list[JsonObject]) -> JsonObject:
    return {'type': OUTPUTS[call['type']], 'call_id': call['call_id'], 'output': content}


def _quote(output: Output) -> JsonObject:
    parts = [input_text(output.content)] if isinstance(output.content, str) else output.content
    text = '\n'.join(part['text'] for part in parts if part['type'] == 'input_text')
    files = [part for part in parts if part['type'] != 'input_text']
    return user_message([input_text(quote_orphan(output.tool, output.call_id, text)), *files])
