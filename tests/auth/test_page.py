from __future__ import annotations

from html.parser import HTMLParser

import pytest

from pydantic_ai_codex.auth._login.page import PAGE_HEADERS, failed_page, foreign_page, logged_in_page, result_page

VOID = {'meta', 'br', 'link'}

PAGES = [logged_in_page('user@example.com (plus plan)'), failed_page('It failed.'), foreign_page()]


class Outline(HTMLParser):
    """The elements of a page, and whether each is closed."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text: dict[str, str] = {}
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text[self.open[-1]] = self.text.get(self.open[-1], '') + data


@pytest.mark.parametrize('page', PAGES)
def test_a_page_is_accessible(page: bytes) -> None:
    outline = Outline(page)

    assert page.startswith(b'<!DOCTYPE html>\n')
    assert outline.open == []
    assert ('lang', 'en') in outline.attributes
    assert ('role', 'status') in outline.attributes
    assert outline.tags.count('h1') == 1
    assert outline.text['title'] == outline.text['h1']


@pytest.mark.parametrize('page', PAGES)
def test_a_page_loads_and_runs_nothing(page: bytes) -> None:
    outline = Outline(page)

    assert not {'script', 'link', 'img', 'iframe', 'form', 'a'} & set(outline.tags)
    assert not {'src', 'href', 'action', 'style'} & {name for name, _ in outline.attributes}
    assert b'url(' not in page
    assert "default-src 'none'" in PAGE_HEADERS['Content-Security-Policy']


def test_the_words_are_only_text() -> None:
    page = result_page('<script>alert(1)</script>', ['"&\'<b>', '$title'], ok=True)

    outline = Outline(page)
    assert outline.text['h1'] == '<script>alert(1)</script>'
    assert '"&\'<b>' in outline.text['p']
    assert '$title' in outline.text['p']


def test_what_cannot_be_written_is_replaced() -> None:
    assert b'Logged in as ?' in logged_in_page('\ud800')
