"""Calls: of functions, of custom tools and of the shell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, cast

from pydantic_core import to_json

from ..events import CallKind, Event, ToolCallDelta, ToolCallDone, ToolCallStarted
from ..values import Wire, text_or_none
from .base import Events, OutputItem
from .pieces import Pieces

LOCAL_SHELL: Final = 'local_shell'
"""What a local shell call calls its tool; the item itself names none."""


class Call(OutputItem):
    """A function call, with JSON as its arguments, or a custom call, with a free text as its input."""

    def __init__(self, item_id: str, kind: str) -> None:
        super().__init__(item_id, kind)
        self._field: Literal['arguments', 'input'] = 'arguments' if kind == 'function_call' else 'input'
        self._arguments = Pieces()
        self._are_whole = False
        """Whether the backend has said what all the arguments are."""
        self._name: str | None = None
        self._namespace: str | None = None
        self._started = False

    def added(self, item: Wire) -> Sequence[Event]:
        self._read(item)
        # At the start of a call `{}` is a placeholder; anything else is what there is of its arguments so far.
        if item.get(self._field) != '{}' and not self._arguments:
            self._arguments.settle(0, item.get(self._field))
        return tuple(self._start()) if self.call_id else ()

    def delta(self, wire: Wire) -> Events:
        """Take `function_call_arguments.delta` or `custom_tool_call_input.delta`."""
        delta = self.piece(wire)
        if delta is None:
            return None
        self._arguments.add(0, delta)
        # Before its name is known there is no call to hand out; the pieces follow its start.
        return (ToolCallDelta(self.id, delta),) if delta and self._started else ()

    def whole(self, wire: Wire) -> Events:
        """Take `function_call_arguments.done` or `custom_tool_call_input.done`."""
        self._are_whole |= isinstance(wire.get(self._field), str)
        return self._settle(wire)

    def conclude(self, *, cut: bool) -> Iterator[Event]:
        yield from self._start()
        if self._started:
            # Without any arguments it is cut even where the backend says that the answer is whole.
            yield ToolCallDone(self.id, not self._are_whole and (cut or not self._arguments))

    def missing(self, record: Wire) -> Iterator[Event]:
        self._read(record)
        yield from self._settle(record)
        yield from self._start()
        if self._started:
            yield ToolCallDone(self.id)

    def is_empty(self, record: Wire) -> bool:
        return not record.get(self._field)

    def amended(self, record: Wire) -> Iterator[Event]:
        if self._started and self._arguments.settle(0, record.get(self._field)):
            yield ToolCallDelta(self.id, self._arguments.joined(0), replaces=True)

    def _read(self, item: Wire) -> None:
        if self._started:
            return
        self._name = text_or_none(item.get('name')) or self._name
        self._namespace = text_or_none(item.get('namespace')) or self._namespace
        self.call_id = text_or_none(item.get('call_id')) or self.call_id

    def _settle(self, wire: Wire) -> Sequence[Event]:
        rest = self._arguments.settle(0, wire.get(self._field))
        return (ToolCallDelta(self.id, rest.text, rest.replaces),) if rest and self._started else ()

    def _start(self) -> Iterator[Event]:
        if self._started or self._name is None:
            return
        self._started = True
        kind = cast(CallKind, self.kind)
        yield ToolCallStarted(self.id, self.call_id or self.id, self._name, kind, self._namespace)
        if arguments := self._arguments.joined(0):
            yield ToolCallDelta(self.id, arguments)


class LocalShellCall(OutputItem):
    """A call of the shell; what to run comes whole, as an `action`."""

    def added(self, item: Wire) -> Sequence[Event]:
        return ()

    def missing(self, record: Wire) -> Iterator[Event]:
        action = record.get('action')
        if isinstance(action, dict):
            self.call_id = text_or_none(record.get('call_id')) or self.id
            yield ToolCallStarted(self.id, self.call_id, LOCAL_SHELL, 'local_shell_call')
            # The type is always `exec`; that and what says nothing would be parameters of every tool that answers.
            arguments = {
                name: value
                for name, value in cast('Wire', action).items()
                if name != 'type' and value not in (None, {})
            }
            yield ToolCallDelta(self.id, to_json(arguments).decode())
            yield ToolCallDone(self.id)
