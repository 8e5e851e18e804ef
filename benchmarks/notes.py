"""Why a bar is missed, written by hand after a look at the profile; `docs/performance.md` shows it beside the bar."""

from __future__ import annotations

_HTTP = (
    'By the profile (`--profile ours 10/0`) most of such a request is the HTTP client, its parser and its event loop, and '
    'what is ours is spread over all steps. The limit is `httpx2` with `h11`.'
)

NOTES: dict[str, str] = {
    '4: 10/0': _HTTP,
    '4: 10/100': (
        'By the profile (`--profile ours 10/100`) the tools themselves are an eighth of it: they are written out, to find '
        'what was made of the same tools before. Half of the rest is the HTTP client, which `aiohttp_client` makes '
        'cheaper. To write the tools out is what keeps an edit of a schema from going unnoticed.'
    ),
    '4: 1000/10': (
        'By the profile (`--profile ours 1000/10`) nearly half of it is the mapping of the messages, some 30 calls for each '
        '(`tests/test_hot_path.py`), and the rest is their JSON, the HTTP client with half a megabyte of body, and giving '
        'the memory back. The limit is the interpreter. Only a cache of encoded messages would get below it, and that would '
        'have to notice every edit in place; it is left out.'
    ),
    '2a': 'It is near the bar, and what else the machine did decides; other runs had 19.5 and 20.6.',
    '6': _HTTP,
    '8: time': (
        'It is some 90 small modules and the classes in them, and at the edge: other runs had 36.7 to 46.7 ms, by what '
        'else the machine did.'
    ),
}
"""The name of a bar, as `benchmarks/bars.py` has it, and a sentence or two."""
