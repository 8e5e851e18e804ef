"""Calls and their outputs: each call gets exactly one output, after it, and nothing that is there is lost; pure.

An agent repairs its history by itself; who calls the model directly has the history that they have. Both halves of a
pair are settled within one turn, the responses and then the requests that follow them, so that each time the model has
answered a longer history begins with the very items of the shorter one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from ..._protocol.requests import JsonObject
from .calls import OUTPUTS
from .contents import input_text, user_message
from .ids import LONGEST_ID, wire_name
from .quotes import UNKNOWN_OUTCOME, quote_orphan


class Pairing:
    """One pass over the turns of a history, which collects its items.

    Attributes:
        items: The items so far. Those of requests, which have nothing to do with calls, are added to them directly.
    """

    def __init__(self) -> None:
        self.items: list[JsonObject] = []
        # Where the items of the turn's responses end, and the outputs of its calls so far.
        self._outputs_end = 0
        # The calls that have no output yet, in order and by the ids that they go out with.
        self._open: dict[str, JsonObject] = {}
        # Those ids by the one in the history, which may come more than once.
        self._meant: defaultdict[str, list[str]] = defaultdict(list)
        self._taken: set[str] = set()
        self._repeats: Counter[str] = Counter()

    def add_response(self, items: Iterable[JsonObject]) -> None:
        """Add the items of a response; the ids of its calls are made distinct.

        Args:
            items: The items.
        """
        for item in items:
            if item['type'] in OUTPUTS:
                item = self._opened(item)
            self.items.append(item)
        self._outputs_end = len(self.items)

    def add_output(self, tool: str, call_id: str, content: str | list[JsonObject]) -> None:
        """Add what a tool returned, which is quoted where it answers no call of the turn.

        Args:
            tool: The name of the tool.
            call_id: The id of the call, as in the item of the call.
            content: The output: a text, or content parts.
        """
        if call := self._called_by(tool, call_id):
            self.items.append(_output(call, content))
            self._outputs_end = len(self.items)
        else:
            self.items.append(_quote(tool, call_id, content))

    def close(self) -> None:
        """End a turn: each of its calls that has no output gets one, behind those that are there."""
        if self._open:
            at = self._outputs_end
            self.items[at:at] = [_output(call, UNKNOWN_OUTCOME) for call in self._open.values()]
            self._open.clear()
        self._meant.clear()

    def _opened(self, call: JsonObject) -> JsonObject:
        """A call with the id that it goes out with, which waits for its output."""
        meant = call['call_id']
        call_id = self._free(meant)
        if call_id != meant:
            call = {**call, 'call_id': call_id}
        self._taken.add(call_id)
        self._meant[meant].append(call_id)
        self._open[call_id] = call
        return call

    def _called_by(self, tool: str, call_id: str) -> JsonObject | None:
        """The call that an output answers: of those with its id the first of its tool, or else the first."""
        meant = self._meant.get(call_id)
        if not meant:
            return None
        if len(meant) == 1:
            return self._open.pop(meant.pop())
        name = wire_name(tool)
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


def _quote(tool: str, call_id: str, content: str | list[JsonObject]) -> JsonObject:
    parts = [input_text(content)] if isinstance(content, str) else content
    text = '\n'.join(part['text'] for part in parts if part['type'] == 'input_text')
    files = [part for part in parts if part['type'] != 'input_text']
    return user_message([input_text(quote_orphan(tool, call_id, text)), *files])
