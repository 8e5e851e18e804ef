"""`simulate`: the simulator on a port of this machine."""

from __future__ import annotations

import argparse
import json
from typing import Final

from .._protocol.constants import REVOKE_PATH, TOKEN_PATH
from ..errors import ConfigurationError
from ._options import Commands, add_command, add_json
from ._output import OK, is_about_output


def add_simulate(commands: Commands) -> None:
    """Add `simulate`."""
    simulate = add_command(commands, 'simulate', _simulate, 'serve the simulator on a port of this machine')
    simulate.add_argument('--host', default='127.0.0.1', help='a loopback address (default: %(default)s)')
    simulate.add_argument('--port', type=_port, default=8321, help='0 for a free one (default: %(default)s)')
    simulate.add_argument('--refuse-retired', action='store_true', help='refuse models that the catalog lists no more')
    simulate.add_argument(
        '--token-lifetime', type=_seconds, metavar='SECONDS', help='how long access tokens live (default: ten days)'
    )
    add_json(simulate, 'print the addresses and the token as one JSON object')


_HELP: Final = """\
The simulator answers at {base_url}, until Ctrl-C. Its token is made up.
Try it; the second line keeps programs from asking the real GitHub for instructions:

export CODEX_ACCESS_TOKEN={access_token}
export CODEX_MODE=0
pydantic-ai-codex run --base-url {base_url} "Hello"

To try a login, in another terminal:

export CODEX_MODE=0
pydantic-ai-codex login --issuer {issuer} --store /tmp/simulated.json
pydantic-ai-codex run --store /tmp/simulated.json --base-url {base_url} "Hello"

A login that does not say where it comes from, such as one that you wrote yourself, is refreshed and revoked here with:

export CODEX_REFRESH_TOKEN_URL_OVERRIDE={token_url}
export CODEX_REVOKE_TOKEN_URL_OVERRIDE={revoke_url}
"""

_LONGEST_LIFETIME: Final = 10 * 365 * 86400


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f'{text!r} is no port; use 0 to 65535')
    return int(text)


def _seconds(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _LONGEST_LIFETIME:
        raise argparse.ArgumentTypeError(f'{text!r} is no lifetime; use whole seconds from 1 to {_LONGEST_LIFETIME}')
    return int(text)


def _simulate(options: argparse.Namespace) -> int:
    import anyio

    from ..testing import CodexSimulator, auto_reply

    async def serve() -> None:
        simulator = CodexSimulator(default=auto_reply, refuse_retired=options.refuse_retired)
        if options.token_lifetime is not None:
            simulator.oauth.access_token_lifetime = options.token_lifetime
        async with simulator.serve(host=options.host, port=options.port) as server:
            facts = {
                'base_url': server.base_url,
                'access_token': simulator.access_token,
                'issuer': server.issuer,
                'token_url': f'{server.issuer}{TOKEN_PATH}',
                'revoke_url': f'{server.issuer}{REVOKE_PATH}',
            }
            if options.json:
                print(json.dumps(facts), flush=True)
            else:
                print(_HELP.format(**facts), flush=True)
            await anyio.sleep_forever()

    try:
        anyio.run(serve)
    except OSError as error:
        if is_about_output(error):
            raise
        raise ConfigurationError(
            f'The port {options.port} of {options.host} cannot be used: {error.strerror or error}. Choose another with '
            '--port, or 0 for a free one.'
        ) from error
    return OK
