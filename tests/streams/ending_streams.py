"""How answers begin and end, and what they say about themselves."""

from __future__ import annotations

from inline_snapshot import snapshot

from .frames import (
    added,
    args,
    args_done,
    call,
    completed,
    created,
    custom,
    data,
    done,
    frame,
    incomplete,
    message,
    stream,
    text,
    typed,
    typed_done,
)

HELLO = message('Hello')
USAGE = {
    'input_tokens': 1200,
    'input_tokens_details': {'cached_tokens': 1024},
    'output_tokens': 34,
    'output_tokens_details': {'reasoning_tokens': 12},
    'total_tokens': 1234,
}
FAILED = frame('response.failed', response={'id': 'resp_1', 'error': {'code': 'server_error', 'message': 'Boom.'}})

NO_END = [
    stream(
        'nothing at all',
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    'The stream ended before the answer was complete (0 events were received). Send the request...',
                )
            ]
        ),
    ),
    stream(
        'blank lines and comments alone',
        b'\n\n: nothing\n\n',
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    'The stream ended before the answer was complete (0 events were received). Send the request...',
                )
            ]
        ),
    ),
    stream(
        'no end',
        created(),
        text('Hello'),
        done(HELLO),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    "The stream ended before the answer was complete (3 events were received, the last 'respons...",
                )
            ]
        ),
    ),
    stream(
        'cut in the middle of a frame',
        text('Hello'),
        data(done(HELLO))[:-25],
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    "The stream ended before the answer was complete (2 events were received, the last 'respons...",
                )
            ]
        ),
    ),
    stream(
        'cut in the middle of the terminal event',
        done(HELLO),
        data(completed())[:-6],
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    "The stream ended before the answer was complete (2 events were received, the last 'respons...",
                )
            ]
        ),
    ),
    stream(
        'cut in the middle of a character',
        data(text('😀')).partition(b'\x9f')[0],
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    'The stream ended before the answer was complete (1 events were received, 1 of them no JSON...',
                )
            ]
        ),
    ),
    stream(
        'only the mark of the end',
        done(HELLO),
        b'data: [DONE]\n\n',
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    "The stream ended before the answer was complete (2 events were received, the last 'respons...",
                )
            ]
        ),
    ),
    stream(
        'an end that is none',
        done(HELLO),
        frame('response.done', response={'id': 'resp_1', 'status': 'completed', 'output': [HELLO]}),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    "The stream ended before the answer was complete (2 events were received, the last 'respons...",
                )
            ]
        ),
    ),
    stream(
        'an answer that was cancelled',
        text('Hel'),
        frame('response.cancelled'),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    "The stream ended before the answer was complete (2 events were received, the last 'respons...",
                )
            ]
        ),
    ),
    stream(
        'a page in place of events',
        b'<!doctype html>\n<html><body>Blocked</body></html>\n',
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    'The stream ended before the answer was complete (0 events were received). Send the request...',
                )
            ]
        ),
    ),
    stream(
        'JSON in place of events',
        b'{"type":"response.completed","response":{}}\n\n',
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelConnectionError',
                    'The stream ended before the answer was complete (0 events were received). Send the request...',
                )
            ]
        ),
    ),
]

FAILURES = [
    stream(
        'a failure after some text',
        created(),
        text('Hel'),
        FAILED,
        text('lo'),
        completed(),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelServerError',
                    'The backend failed in the stream (server_error): Boom.',
                )
            ]
        ),
    ),
    stream(
        'a failure after a finished item',
        done(HELLO),
        FAILED,
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelServerError',
                    'The backend failed in the stream (server_error): Boom.',
                )
            ]
        ),
    ),
    stream(
        'an error first',
        frame('error', code='rate_limit_exceeded', message='Slow down.', param=None),
        *(text('Hello'), completed()),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelRateLimitError',
                    'The backend failed in the stream (rate_limit_exceeded): Slow down.',
                )
            ]
        ),
    ),
    stream(
        'an error with its details inside',
        frame(
            'error', status=429, error={'type': 'usage_limit_reached', 'message': 'Used up.', 'resets_in_seconds': 60}
        ),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelQuotaExceededError',
                    'The backend failed in the stream (usage_limit_reached): Used up. The limit of the plan is ...',
                )
            ]
        ),
    ),
    stream(
        'an error that is a text',
        frame('error', error='Boom.'),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelAPIError',
                    'The backend failed in the stream (no code): Boom.',
                )
            ]
        ),
    ),
    stream(
        'an error that says nothing',
        frame('error'),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelAPIError',
                    'The backend failed in the stream (no code).',
                )
            ]
        ),
    ),
    stream(
        'a failure without an error',
        frame('response.failed', response={'error': None}),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelAPIError',
                    'The backend failed in the stream (no code).',
                )
            ]
        ),
    ),
    stream(
        'a failure without a response',
        frame('response.failed', response=7),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelAPIError',
                    'The backend failed in the stream (no code).',
                )
            ]
        ),
    ),
    stream(
        'an error of the wrong types',
        frame('error', code=['x'], message={'a': 1}, status='429', error=[{'code': 'x'}]),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelAPIError',
                    'The backend failed in the stream (no code).',
                )
            ]
        ),
    ),
    stream(
        'half a character in an error',
        frame('error', code='server_error', message='Boom \ud83d'),
        comes_out=snapshot(
            [
                (
                    'error',
                    'ModelServerError',
                    'The backend failed in the stream (server_error): Boom �.',
                )
            ]
        ),
    ),
    stream(
        'a failure after the end',
        done(HELLO),
        completed(),
        FAILED,
        frame('error', code='server_error'),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
]

INCOMPLETE = [
    stream(
        'too many tokens, in the middle of a text',
        added(message(content=[])),
        text('Hello, wor'),
        incomplete({'reason': 'max_output_tokens'}),
        comes_out=snapshot(
            [('text', 'msg_1', 'Hello, wor'), ('end', 'length', {'finish_reason': 'max_output_tokens'})]
        ),
        once=['Hello, wor'],
    ),
    stream(
        'too many tokens, in the middle of arguments',
        added(call()),
        args('{"city":"Par'),
        incomplete({'reason': 'max_output_tokens'}),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{"city":"Par'), ('end', 'length', {'finish_reason': 'max_output_tokens'})]
        ),
        once=['Par'],
    ),
    stream(
        'too many tokens, in the middle of a free text',
        added(custom()),
        typed('rm -r build/a'),
        incomplete({'reason': 'max_output_tokens'}),
        comes_out=snapshot(
            [
                ('call', 'call_1', 'patch', '{"input":"rm -r build/a', {'type': 'custom_tool_call'}),
                ('end', 'length', {'finish_reason': 'max_output_tokens'}),
            ]
        ),
        once=['build/a'],
    ),
    stream(
        'too many tokens, before the first argument',
        added(call()),
        incomplete({'reason': 'max_output_tokens'}),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{'), ('end', 'length', {'finish_reason': 'max_output_tokens'})]
        ),
    ),
    stream(
        'too many tokens, before the first argument, with a placeholder for the arguments',
        added(call('{}')),
        args(''),
        incomplete({'reason': 'max_output_tokens'}),
        comes_out=snapshot(
            [('call', 'call_1', 'look', '{'), ('end', 'length', {'finish_reason': 'max_output_tokens'})]
        ),
    ),
    stream(
        'too many tokens, after a call without arguments',
        added(call()),
        done(call()),
        incomplete({'reason': 'max_output_tokens'}),
        comes_out=snapshot(
            [('call', 'call_1', 'look', None), ('end', 'length', {'finish_reason': 'max_output_tokens'})]
        ),
    ),
    stream(
        'too many tokens, in the middle of a free text that a message follows',
        added(custom()),
        typed('rm -r build/a'),
        added(message(content=[]), 1),
        text('Hello', index=1),
        incomplete({'reason': 'max_output_tokens'}),
        comes_out=snapshot(
            [
                ('call', 'call_1', 'patch', '{"input":"rm -r build/a', {'type': 'custom_tool_call'}),
                ('text', 'msg_1', 'Hello'),
                ('end', 'length', {'finish_reason': 'max_output_tokens'}),
            ]
        ),
        once=['build/a', 'Hello'],
    ),
    stream(
        'too many tokens, after all of a free text and before its item',
        added(custom()),
        typed_done('rm -r build/abc'),
        incomplete({'reason': 'max_output_tokens'}),
        comes_out=snapshot(
            [
                ('call', 'call_1', 'patch', '{"input":"rm -r build/abc"}', {'type': 'custom_tool_call'}),
                ('end', 'length', {'finish_reason': 'max_output_tokens'}),
            ]
        ),
        once=['build/abc'],
    ),
    stream(
        'too many tokens, after all of a free text',
        added(custom()),
        typed('rm -r build/a'),
        done(custom('rm -r build/abc')),
        incomplete({'reason': 'max_output_tokens'}),
        comes_out=snapshot(
            [
                ('call', 'call_1', 'patch', '{"input":"rm -r build/abc"}', {'type': 'custom_tool_call'}),
                ('end', 'length', {'finish_reason': 'max_output_tokens'}),
            ]
        ),
        once=['build/abc'],
    ),
    stream(
        'a content filter',
        text('Hel'),
        incomplete({'reason': 'content_filter'}),
        comes_out=snapshot([('text', 'msg_1', 'Hel'), ('end', 'content_filter', {'finish_reason': 'content_filter'})]),
        once=['Hel'],
    ),
    stream(
        'an unknown reason',
        done(HELLO),
        incomplete({'reason': 'not_yet_invented'}),
        comes_out=snapshot([('text', 'msg_1', 'Hello'), ('end', None, {'finish_reason': 'not_yet_invented'})]),
    ),
    stream(
        'no reason',
        done(HELLO),
        incomplete(None),
        comes_out=snapshot([('text', 'msg_1', 'Hello'), ('end', None, {'finish_reason': 'incomplete'})]),
    ),
    stream(
        'a reason of the wrong type',
        done(HELLO),
        incomplete({'reason': ['x']}),
        comes_out=snapshot([('text', 'msg_1', 'Hello'), ('end', None, {'finish_reason': 'incomplete'})]),
    ),
    stream(
        'details of the wrong type',
        done(HELLO),
        incomplete('max_output_tokens'),
        comes_out=snapshot([('text', 'msg_1', 'Hello'), ('end', None, {'finish_reason': 'incomplete'})]),
    ),
    stream(
        'an answer that is incomplete and all in the snapshot',
        frame(
            'response.incomplete',
            response={'output': [HELLO], 'incomplete_details': {'reason': 'max_output_tokens'}, 'usage': USAGE},
        ),
        comes_out=snapshot(
            [
                ('text', 'msg_1', 'Hello'),
                ('end', 'length', {'finish_reason': 'max_output_tokens'}),
                ('tokens', 1200, 1024, 34, 12),
            ]
        ),
        once=['Hello'],
    ),
]

TERMINAL = [
    stream('nothing but the end', completed(), comes_out=snapshot([])),
    stream(
        'a call of which nothing came',
        added(call()),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', '{')]),
    ),
    stream(
        'a call whose arguments ended, and were none',
        added(call()),
        args_done(''),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'look', None)]),
    ),
    stream(
        'a custom call of which nothing came',
        added(custom()),
        completed(),
        comes_out=snapshot([('call', 'call_1', 'patch', '{"input":"', {'type': 'custom_tool_call'})]),
    ),
    stream(
        'an end without a response',
        done(HELLO),
        frame('response.completed'),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
    ),
    stream(
        'an end with a response of the wrong type',
        done(HELLO),
        frame('response.completed', response=[{'output': [message('x')]}]),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
    ),
    stream(
        'a second end',
        done(HELLO),
        completed(usage=USAGE),
        completed(usage={'input_tokens': 1}, output=[message('more', item_id='msg_2')]),
        incomplete({'reason': 'max_output_tokens'}),
        comes_out=snapshot([('text', 'msg_1', 'Hello'), ('tokens', 1200, 1024, 34, 12)]),
        once=['Hello'],
    ),
    stream('nothing after the end', done(HELLO), completed(), comes_out=snapshot([('text', 'msg_1', 'Hello')])),
    stream(
        'events before the response was created',
        text('Hel'),
        created(),
        text('lo'),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'a response that is created twice',
        created(),
        text('Hel'),
        created(id='resp_2', model='gpt-y'),
        text('lo'),
        frame('response.in_progress', response={'id': 'resp_3'}),
        done(HELLO),
        completed(),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'the beginning of a response of the wrong types',
        frame('response.created'),
        frame('response.created', response=[]),
        created(id=7, model=['x'], created_at='yesterday'),
        done(HELLO),
        completed(id={}, model=7, service_tier=['x']),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
        once=['Hello'],
    ),
    stream(
        'a tier',
        done(HELLO),
        completed(service_tier='priority'),
        comes_out=snapshot(
            [('text', 'msg_1', 'Hello'), ('end', 'stop', {'finish_reason': 'completed', 'service_tier': 'priority'})]
        ),
    ),
]

COUNTED = [
    stream(
        'usage',
        done(HELLO),
        completed(usage=USAGE),
        comes_out=snapshot([('text', 'msg_1', 'Hello'), ('tokens', 1200, 1024, 34, 12)]),
    ),
    stream('usage that is null', done(HELLO), completed(usage=None), comes_out=snapshot([('text', 'msg_1', 'Hello')])),
    stream(
        'usage in part',
        done(HELLO),
        completed(usage={'output_tokens': 34, 'input_tokens_details': None}),
        comes_out=snapshot([('text', 'msg_1', 'Hello'), ('tokens', 0, 0, 34, 0)]),
    ),
    stream(
        'usage of the wrong type',
        done(HELLO),
        completed(usage=[1200, 34]),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
    ),
    stream(
        'counts of the wrong types',
        done(HELLO),
        completed(
            usage={
                'input_tokens': '1200',
                'input_tokens_details': [1],
                'output_tokens': True,
                'output_tokens_details': {'reasoning_tokens': 1.5},
            }
        ),
        comes_out=snapshot([('text', 'msg_1', 'Hello')]),
    ),
    stream(
        'counts below zero',
        done(HELLO),
        completed(usage={'input_tokens': -1, 'output_tokens': 34}),
        comes_out=snapshot([('text', 'msg_1', 'Hello'), ('tokens', 0, 0, 34, 0)]),
    ),
]

STREAMS = [*NO_END, *FAILURES, *INCOMPLETE, *TERMINAL, *COUNTED]
