"""Streams as data: what they are made of, and what has to come out of them.

Frames are written out here and not made by the simulator, which writes well-behaved streams only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Frame: TypeAlias = dict[str, Any]

OMIT: Any = ...
"""In place of a field's value: the field is left out."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One nasty stream.

    Attributes:
        name: What is nasty about it.
        content: Its bytes.
        comes_out: What `outlines.outline` makes of its answer, or of the error that it ends in.
        once: What has to be in the parts, each exactly once.
        reads_json: Whether the answer is asked for as JSON.
        huge: Whether it is too large to be cut at every byte.
    """

    name: str
    content: bytes = field(repr=False)
    comes_out: object = field(repr=False)
    once: Sequence[str] = ()
    reads_json: bool = False
    huge: bool = False


def stream(name: str, *frames: Frame | bytes, comes_out: object, once: Sequence[str] = (), **options: Any) -> Stream:
    """A stream of frames; bytes stand for themselves, and so need not be a frame at all."""
    content = b''.join(each if isinstance(each, bytes) else data(each) for each in frames)
    return Stream(name=name, content=content, comes_out=comes_out, once=once, **options)


def data(frame: Frame, *, ascii_only: bool = False, end: str = '\n') -> bytes:
    """The bytes of a frame, with its name (captured). Half a character can only be written as an escape."""
    text = json.dumps(frame, ensure_ascii=ascii_only, separators=(',', ':'))
    name = f'event: {frame["type"]}{end}' if isinstance(frame.get('type'), str) else ''
    try:
        return f'{name}data: {text}{end}{end}'.encode()
    except UnicodeEncodeError:
        return data(frame, ascii_only=True, end=end)


def frame(kind: str, **fields: Any) -> Frame:
    """An event of the wire."""
    return {'type': kind, **{name: value for name, value in fields.items() if value is not OMIT}}


def created(**response: Any) -> Frame:
    return frame('response.created', response={'id': 'resp_1', 'model': 'gpt-x', **response})


def completed(**response: Any) -> Frame:
    return frame('response.completed', response={'id': 'resp_1', **response})


def incomplete(details: object) -> Frame:
    return frame('response.incomplete', response={'id': 'resp_1', 'incomplete_details': details})


def added(item: Frame, index: Any = 0) -> Frame:
    """An item as it begins: with all that is given."""
    return frame('response.output_item.added', output_index=index, item=item)


def done(item: Frame, index: Any = 0) -> Frame:
    """The item of record."""
    return frame('response.output_item.done', output_index=index, item=item)


# Items.


def message(*texts: str, item_id: Any = 'msg_1', content: Any = OMIT, phase: Any = OMIT) -> Frame:
    parts = [output_text(text) for text in texts] if content is OMIT else content
    return frame('message', id=item_id, role='assistant', content=parts, phase=phase)


def output_text(text: object, **fields: Any) -> Frame:
    return frame('output_text', text=text, **fields)


def refusal_part(text: str) -> Frame:
    return frame('refusal', refusal=text)


def reasoning(*summaries: str, item_id: Any = 'rs_1', sealed: Any = 'sealed', raw: Any = OMIT) -> Frame:
    summary = [frame('summary_text', text=text) for text in summaries]
    content = OMIT if raw is OMIT else [frame('reasoning_text', text=text) for text in raw]
    return frame('reasoning', id=item_id, summary=summary, encrypted_content=sealed, content=content)


def call(
    arguments: Any = '', item_id: Any = 'fc_1', call_id: Any = 'call_1', name: Any = 'look', namespace: Any = OMIT
) -> Frame:
    return frame('function_call', id=item_id, call_id=call_id, name=name, arguments=arguments, namespace=namespace)


def custom(text: Any = '', item_id: Any = 'ctc_1', call_id: Any = 'call_1', name: Any = 'patch') -> Frame:
    return frame('custom_tool_call', id=item_id, call_id=call_id, name=name, input=text)


def shell(action: Any, item_id: Any = 'lsh_1', call_id: Any = 'call_1') -> Frame:
    return frame('local_shell_call', id=item_id, call_id=call_id, action=action)


def search(action: Any = OMIT, status: str = 'completed', item_id: Any = 'ws_1') -> Frame:
    return frame('web_search_call', id=item_id, status=status, action=action)


def image(result: Any = OMIT, item_id: Any = 'ig_1', **fields: Any) -> Frame:
    return frame('image_generation_call', id=item_id, result=result, **fields)


# Pieces of items, and what ends the pieces.


def text(delta: Any, item_id: Any = 'msg_1', index: Any = 0, part: Any = 0) -> Frame:
    return frame('response.output_text.delta', item_id=item_id, output_index=index, content_index=part, delta=delta)


def text_done(whole: Any, item_id: Any = 'msg_1', index: Any = 0, part: Any = 0, **fields: Any) -> Frame:
    at = {'item_id': item_id, 'output_index': index, 'content_index': part}
    return frame('response.output_text.done', **at, text=whole, **fields)


def annotation(value: Any, item_id: Any = 'msg_1', part: Any = 0) -> Frame:
    at = {'item_id': item_id, 'output_index': 0, 'content_index': part}
    return frame('response.output_text.annotation.added', **at, annotation=value)


def refusal(delta: Any, item_id: Any = 'msg_1', index: Any = 0, part: Any = 0) -> Frame:
    return frame('response.refusal.delta', item_id=item_id, output_index=index, content_index=part, delta=delta)


def refusal_done(whole: Any, item_id: Any = 'msg_1', index: Any = 0, part: Any = 0) -> Frame:
    return frame('response.refusal.done', item_id=item_id, output_index=index, content_index=part, refusal=whole)


def summary(delta: Any, number: Any = 0, item_id: Any = 'rs_1', index: Any = 0) -> Frame:
    at = {'item_id': item_id, 'output_index': index, 'summary_index': number}
    return frame('response.reasoning_summary_text.delta', **at, delta=delta)


def summary_done(whole: Any, number: Any = 0, item_id: Any = 'rs_1', index: Any = 0) -> Frame:
    at = {'item_id': item_id, 'output_index': index, 'summary_index': number}
    return frame('response.reasoning_summary_text.done', **at, text=whole)


def summary_part_done(whole: Any, number: Any = 0, item_id: Any = 'rs_1', index: Any = 0) -> Frame:
    at = {'item_id': item_id, 'output_index': index, 'summary_index': number}
    return frame('response.reasoning_summary_part.done', **at, part=frame('summary_text', text=whole))


def raw(delta: Any, part: Any = 0, item_id: Any = 'rs_1', index: Any = 0) -> Frame:
    return frame('response.reasoning_text.delta', item_id=item_id, output_index=index, content_index=part, delta=delta)


def raw_done(whole: Any, part: Any = 0, item_id: Any = 'rs_1', index: Any = 0) -> Frame:
    return frame('response.reasoning_text.done', item_id=item_id, output_index=index, content_index=part, text=whole)


def args(delta: Any, item_id: Any = 'fc_1', index: Any = 0) -> Frame:
    return frame('response.function_call_arguments.delta', item_id=item_id, output_index=index, delta=delta)


def args_done(whole: Any, item_id: Any = 'fc_1', index: Any = 0) -> Frame:
    return frame('response.function_call_arguments.done', item_id=item_id, output_index=index, arguments=whole)


def typed(delta: Any, item_id: Any = 'ctc_1', index: Any = 0) -> Frame:
    """A piece of the free text of a custom call."""
    return frame('response.custom_tool_call_input.delta', item_id=item_id, output_index=index, delta=delta)


def typed_done(whole: Any, item_id: Any = 'ctc_1', index: Any = 0) -> Frame:
    return frame('response.custom_tool_call_input.done', item_id=item_id, output_index=index, input=whole)


def partial_image(encoded: Any, item_id: Any = 'ig_1', index: Any = 0) -> Frame:
    at = {'item_id': item_id, 'output_index': index}
    return frame('response.image_generation_call.partial_image', **at, partial_image_b64=encoded)
