"""The page that the browser shows at the end of a login: plain, without scripts, and readable without its style."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from string import Template
from typing import Final

PAGE_HEADERS: Final[Mapping[str, str]] = {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
}
"""The page was reached by an address with a code in it, which nobody else is told."""

_PAGE: Final = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif; }
body { max-width: 34rem; margin: 15vh auto 0; padding: 0 1.5rem; overflow-wrap: anywhere; }
main { padding-left: 1.25rem; border-left: .375rem solid $color; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; text-wrap: balance; }
p:last-child { margin-bottom: 0; }
footer { margin: 3rem 0 0 1.625rem; font-size: .875rem; }
</style>
</head>
<body>
<main>
<div role="status">
<h1>$title</h1>
$paragraphs
</div>
</main>
<footer>pydantic-ai-codex</footer>
</body>
</html>
""")


def result_page(title: str, paragraphs: Sequence[str], *, ok: bool) -> bytes:
    """Make the page.

    Args:
        title: What happened.
        paragraphs: Plain texts below it.
        ok: Whether it is good news; only the color of a line depends on it.
    """
    page = _PAGE.substitute(
        title=html.escape(title),
        paragraphs='\n'.join(f'<p>{html.escape(each)}</p>' for each in paragraphs),
        color='#2e8540' if ok else '#d54309',
    )
    return page.encode('utf-8', 'replace')


def logged_in_page(who: str) -> bytes:
    """The page of a login that worked.

    Args:
        who: The user and the plan, in words.
    """
    return result_page(f'Logged in as {who}', ['You can close this tab and return to the terminal.'], ok=True)


def failed_page(reason: str) -> bytes:
    """The page of a login that did not work.

    Args:
        reason: What failed and what to do.
    """
    return result_page('Not logged in', [reason, 'You can close this tab; the terminal says the same.'], ok=False)


def foreign_page() -> bytes:
    """The page of a callback that belongs to no login which waits here."""
    reason = 'This page belongs to another login than the one that waits here, or to one that was answered already.'
    return result_page(
        'Nothing happened', [reason, 'Use the newest page that was opened, or start the login anew.'], ok=False
    )
