"""Where the instructions of each model family are to be had: in the releases of the Codex CLI; facts and pure functions.

Sources: the paths stand in the repository's history, and public tools fetch them from release tags (public reports);
that the catalog holds the texts of the newer models was seen in Codex CLI 0.169.0 (captured). Which release still has
which file was not tried.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, cast
from urllib.parse import quote

from pydantic_core import from_json

from ..errors import ConfigurationError
from .values import object_or_empty

GITHUB_API: Final = 'https://api.github.com'
GITHUB: Final = 'https://github.com'
GITHUB_RAW: Final = 'https://raw.githubusercontent.com'
REPOSITORY: Final = 'openai/codex'

RELEASE_URL: Final = f'{GITHUB_API}/repos/{REPOSITORY}/releases/latest'
"""The newest release; GitHub answers it 60 times an hour for each address (its documentation)."""

RELEASE_PAGE_URL: Final = f'{GITHUB}/{REPOSITORY}/releases/latest'
"""Redirects to the page of the newest release, whose address ends with its tag; not counted as the other is."""

BUILT_IN: Final = 'built-in'
"""Stands in the place of a tag for the text of our own."""

LARGEST_FILE: Final = 16 * 1024 * 1024
"""Bytes; the catalog has less than one million."""

LARGEST_TEXT: Final = 1024 * 1024
"""Bytes; a text has about twenty thousand."""

_SHA: Final = re.compile(r'[0-9a-f]{40}')
_RELEASE: Final = re.compile(r'(?=.{1,64}\Z)(?:[A-Za-z]+-){0,4}v?[0-9]+(?:\.[0-9]+)+(?:[.-][0-9A-Za-z.-]+)?')
"""A tag that ends with a version. Today's are like `rust-v0.169.0`."""

_NAME: Final = re.compile(r'[a-z0-9][a-z0-9._-]{0,63}')

_MARK: Final = re.compile(r'<!-- ([A-Za-z0-9_]{1,64}):(start|end) -->')
_VARIABLE: Final = re.compile(r'\{\{ {0,8}([A-Za-z0-9_]{1,64}) {0,8}\}\}')
_PAGE: Final = re.compile(r'<(?:!doctype|html)\b', re.IGNORECASE)
"""What a proxy that wants something of its user gives in place of any file."""


@dataclass(frozen=True, slots=True)
class InstructionFile:
    """A file of the repository that holds instructions.

    Attributes:
        path: Where it is.
        sha: The commit to take it from; without one it is taken from the release.
        is_catalog: Whether it is the catalog of all models, and not a text.
    """

    path: str
    sha: str | None = None
    is_catalog: bool = False

    def url(self, ref: str) -> str:
        """Where it is to be had.

        Args:
            ref: The tag or commit, where it is not pinned to one.
        """
        return f'{GITHUB_RAW}/{REPOSITORY}/{quote(self.sha or ref, safe="")}/{quote(self.path)}'


@dataclass(frozen=True, slots=True)
class InstructionSource:
    """Where the instructions of a model come from.

    Attributes:
        slug: The model.
        name: What they are kept under: a family has one text for all its models.
        files: Where to look, in this order.
    """

    slug: str
    name: str
    files: tuple[InstructionFile, ...]


class UnusableTextError(ValueError):
    """A file does not hold what it should; the message says so in the middle of a sentence."""


def _family(file: str, sha: str) -> tuple[InstructionFile, ...]:
    return (InstructionFile(f'codex-rs/core/{file}'), InstructionFile(f'codex-rs/core/{file}', sha))


# The commits are those under which a public index of the repository holds the files; that index mixes branches and forks,
# so each text was looked at, and yet that the commits are OpenAI's own is unverified.
_FAMILIES: Final = (
    (
        re.compile('codex-max'),
        _family('gpt-5.1-codex-max_prompt.md', '1f8c82670eeffd5e26861f732dfa2e6f1def0e45'),
    ),
    (
        # Public tools take the text of 5.2 for 5.3.
        re.compile(r'gpt-5\.[23]-codex'),
        _family('gpt-5.2-codex_prompt.md', 'b26112125433eb921b9bdda21c82d3785230d146'),
    ),
    (
        re.compile(r'gpt-5(?:\.1)?-codex|codex-mini'),
        _family('gpt_5_codex_prompt.md', '1d005f8cc65b39197baed8ed69b8b8592b0db194'),
    ),
    (re.compile(r'gpt-5\.2(?![\w.])'), _family('gpt_5_2_prompt.md', '1f8c82670eeffd5e26861f732dfa2e6f1def0e45')),
    (re.compile(r'gpt-5\.1(?![\w.])'), _family('gpt_5_1_prompt.md', '1023c8c71d39d2bd2215f726408a4f67fa6c9fcd')),
)
"""The families whose text is a file of its own, by what their slugs hold; the first that matches counts."""

_CATALOG: Final = (
    InstructionFile('codex-rs/models-manager/models.json', is_catalog=True),
    InstructionFile('codex-rs/core/models.json', is_catalog=True),  # where it was before
    InstructionFile('codex-rs/models-manager/models.json', '069e6b19ceabf8b79d29948dc20976bf116e02ee', is_catalog=True),
    # For models that no catalog knows, the CLI has a text that fits all (captured).
    InstructionFile('codex-rs/protocol/src/prompts/base_instructions/default.md'),
    InstructionFile('codex-rs/core/prompt.md'),
)


def source_of(slug: str) -> InstructionSource:
    """Where the instructions of a model come from.

    Args:
        slug: The model, as it goes on the wire.
    """
    for pattern, files in _FAMILIES:
        if pattern.search(slug.lower()):
            return InstructionSource(slug, files[0].path.rpartition('/')[2].removesuffix('.md'), files)
    is_plain = _NAME.fullmatch(slug) and not slug.endswith('_prompt')  # which the names of families do
    name = slug if is_plain else f'model-{sha256(slug.encode("utf-8", "surrogatepass")).hexdigest()[:16]}'
    return InstructionSource(slug, name, _CATALOG)


def check_ref(ref: object) -> str:
    """A tag or commit that a user names.

    Raises:
        ConfigurationError: If it cannot be one.
    """
    if is_ref(ref):
        return cast(str, ref)
    shown = repr(ref) if len(repr(ref)) < 80 else f'A text of {len(repr(ref))} characters'
    raise ConfigurationError(
        f'{shown} is neither the tag of a release of {REPOSITORY} nor a whole commit; write one such as "rust-v0.169.0".'
    )


def is_ref(value: object) -> bool:
    """Whether it can be the tag of a release, or a commit. A branch is neither: its text would change."""
    return is_release(value) or (isinstance(value, str) and _SHA.fullmatch(value) is not None)


def is_release(ref: object) -> bool:
    """Whether it can be the tag of a release, or stands for the text of our own.

    What a history says is only believed if it is: GitHub serves the commits of every fork under the repository's name,
    and so a commit that a history names might hold anybody's text.
    """
    return isinstance(ref, str) and (ref == BUILT_IN or _RELEASE.fullmatch(ref) is not None)


def read_text(content: bytes, file: InstructionFile, slug: str) -> str | None:
    """The instructions in a file.

    What the file holds only for optional features of the CLI is left out, as the CLI does where these are off, and so
    are variables, which stand for choices that nobody made.

    Args:
        content: The file.
        file: Which one it is.
        slug: The model.

    Returns:
        The text, or `None` where a catalog does not have the model.

    Raises:
        UnusableTextError: If the file is not what it should be.
    """
    text, variables = _from_catalog(content, slug) if file.is_catalog else (_decoded(content), {})
    if text is None:
        return None
    if len(text) > LARGEST_TEXT:
        raise UnusableTextError('it is far too long')
    text = _VARIABLE.sub(lambda match: variables.get(f'{match[1]}_default', ''), _without_features(text)).strip()
    if not text or _PAGE.match(text):
        raise UnusableTextError('it holds no instructions')
    return text


def _without_features(text: str) -> str:
    """The text without what stands between the marks of a feature; each mark is looked at once."""
    marks = list(_MARK.finditer(text))
    ends: dict[str, list[re.Match[str]]] = {}
    for mark in reversed(marks):
        if mark[2] == 'end':
            ends.setdefault(mark[1], []).append(mark)
    kept: list[str] = []
    position = 0
    for mark in marks:
        if mark[2] == 'end' or mark.start() < position:
            continue
        closing = ends.get(mark[1], [])
        while closing and closing[-1].start() < mark.start():
            closing.pop()
        if closing:
            kept.append(text[position : mark.start()])
            position = closing[-1].end()
            position += len(text[position : position + 8]) - len(text[position : position + 8].lstrip('\n'))
    return ''.join((*kept, text[position:]))


def _decoded(content: bytes) -> str:
    try:
        return content.decode('utf-8')
    except UnicodeDecodeError:
        raise UnusableTextError('it is no UTF-8 text') from None


def _from_catalog(content: bytes, slug: str) -> tuple[str | None, dict[str, str]]:
    try:
        catalog: object = from_json(content)
    except ValueError:
        raise UnusableTextError('it is no JSON') from None
    models: object = object_or_empty(catalog).get('models')
    if not isinstance(models, list):
        raise UnusableTextError('it lists no models')
    model = next(
        (object_or_empty(entry) for entry in cast('list[Any]', models) if object_or_empty(entry).get('slug') == slug),
        None,
    )
    if model is None:
        return None, {}
    messages = object_or_empty(model.get('model_messages'))
    texts = [text for text in (messages.get('instructions_template'), model.get('base_instructions')) if _is_text(text)]
    if not texts:
        raise UnusableTextError(f'its entry for {slug!r} holds no instructions')
    variables = {
        name: text for name, text in object_or_empty(messages.get('instructions_variables')).items() if _is_text(text)
    }
    return texts[0], variables


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
