"""The pages of the simulated login service: plain HTML, for people, screen readers and headless browsers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

from .._protocol.constants import AUTHORIZE_PATH, DEVICE_PAGE_PATH
from ._grants import Account

PAGE_HEADERS: Final[Mapping[str, str]] = {
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    # Browsers apply `form-action` to the redirect that answers the form as well.
    'content-security-policy': (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' http://127.0.0.1:* http://localhost:*"
    ),
}

_STYLE: Final = (
    ':root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;'
    'padding:0 1rem}button,input{font:inherit;padding:.5rem 1rem;margin:.25rem .5rem .25rem 0}'
)


def consent_page(account: Account, request: str, originator: str) -> str:
    """Ask whether a program may log in."""
    return _page(
        'Log in to the simulator?',
        f'<p><strong>{escape(originator)}</strong> asks for a login as {_who(account)}.</p>\n'
        f'<form method="post" action="{AUTHORIZE_PATH}">\n'
        f'<input type="hidden" name="request" value="{escape(request)}">\n{_BUTTONS}\n</form>',
    )


def problems_page(problems: Iterable[str]) -> str:
    """Say what is wrong with an authorize URL."""
    items = '\n'.join(f'<li>{escape(problem)}</li>' for problem in problems)
    return _page(
        'This login cannot begin',
        f'<p role="alert">The simulated login service refuses the request:</p>\n<ul>\n{items}\n</ul>',
    )


def device_page(account: Account, problem: str | None = None) -> str:
    """Ask for the code of a device login."""
    alert = '' if problem is None else f'<p role="alert">{escape(problem)}</p>\n'
    return _page(
        'Log in on another device',
        f'{alert}<p>Type the code that the program shows, to log it in as {_who(account)}.</p>\n'
        f'<form method="post" action="{DEVICE_PAGE_PATH}">\n<p><label for="user_code">Code</label>\n'
        '<input id="user_code" name="user_code" required autocomplete="off" autofocus></p>\n'
        f'{_BUTTONS}\n</form>',
    )


def done_page(text: str) -> str:
    """Say how it ended."""
    return _page(text, '<p role="status">You can close this page, and go back to the program.</p>')


_BUTTONS: Final = (
    '<button id="allow" name="decision" value="allow">Allow</button>\n'
    '<button id="deny" name="decision" value="deny" formnovalidate>Deny</button>'
)


def _who(account: Account) -> str:
    return f'{escape(account.email)} (account {escape(account.account_id)}, plan {escape(account.plan_type)})'


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f'<title>{escape(title)} – Codex simulator</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n'
        f'<h1>{escape(title)}</h1>\n{body}\n'
        '<p><small>Codex simulator: nothing here is a real login.</small></p>\n</main>\n</body>\n</html>\n'
    )
