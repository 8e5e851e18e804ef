"""Images go in: bytes, a URL, and what a tool returns.

python examples/image_input.py              # against the embedded simulator: no login, no network
python examples/image_input.py --live       # on your ChatGPT plan
"""

from __future__ import annotations

import base64
import re
import struct
import zlib

from pydantic_ai import Agent, BinaryContent, ImageUrl

from _live import run_example
from pydantic_ai_codex import CodexModel
from pydantic_ai_codex.testing import RecordedRequest, Turn, call_tool, reply

RED, BLUE, YELLOW = b'\xd0\x10\x30', b'\x00\x57\xb7', b'\xff\xd7\x00'
NAMES = {RED: 'red', BLUE: 'blue', YELLOW: 'yellow'}
# Goes out as a URL. Whether the backend fetches it is unverified: the Codex CLI sends bytes, and so does
# `ImageUrl(LOGO, force_download=True)`.
LOGO = 'https://www.python.org/static/img/python-logo.png'

agent = Agent(instructions='Say in a few words what you see. Look at the camera when you are asked about it.')


def flag(*stripes: bytes) -> BinaryContent:
    """A PNG of horizontal stripes; yours comes from `BinaryContent.from_path('photo.jpg')`, or from an upload."""
    width, height = 60, 20
    rows = b''.join(b'\x00' + stripe * width for stripe in stripes for _ in range(height))
    header = struct.pack('>IIBBBBB', width, height * len(stripes), 8, 2, 0, 0, 0)
    png = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')
    return BinaryContent(png, media_type='image/png')


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


@agent.tool_plain
def look() -> BinaryContent:
    """What the camera sees right now."""
    print('  -> look()')
    return flag(RED, YELLOW)


async def main(model: CodexModel) -> None:
    """With your own login, `model` is `CodexModel('gpt-6-sol')`; it can be given to the agent as well."""
    for prompt in (
        ['Which colours has this flag, from top to bottom?', flag(BLUE, YELLOW)],
        ['And what is this?', ImageUrl(LOGO)],
        ['What does the camera see?'],
    ):
        print('User:', *(part if isinstance(part, str) else f'[{part.kind}]' for part in prompt))
        result = await agent.run(prompt, model=model)
        print(f'Agent: {result.output}')


def see(request: RecordedRequest) -> Turn:
    """Answer from the newest picture in the request: the colours of its pixels, or its URL."""
    url = re.findall(r"'image_url': '([^']+)'", str(request.body['input']))[-1]
    if not url.startswith('data:'):
        return reply(f'A picture at {url}')
    png = base64.b64decode(url.partition(',')[2])
    pixels = zlib.decompressobj().decompress(png.partition(b'IDAT')[2])
    colours = sorted((colour for colour in NAMES if colour in pixels), key=pixels.index)
    return reply(' above '.join(NAMES[colour] for colour in colours))


if __name__ == '__main__':
    run_example(__doc__, main, see, see, call_tool('look'), see)
