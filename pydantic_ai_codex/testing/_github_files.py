"""What the simulated repository holds: releases, commits and their files; no I/O, no lock (`SimulatedGitHub`'s).

The paths are those of openai/codex; the texts are ours, and nothing of OpenAI's stands in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from .._protocol.model_facts import MODEL_FACTS
from ..errors import ConfigurationError

FIRST_TAG: Final = 'rust-v0.0.1'
"""None of the real ones: whatever is kept under it, nobody takes for an official text."""

CATALOG_PATH: Final = 'codex-rs/models-manager/models.json'

_FAMILIES: Final[Mapping[str, str]] = {
    'codex-rs/core/prompt.md': 'generic',
    'codex-rs/core/gpt_5_codex_prompt.md': 'gpt-5-codex',
    'codex-rs/core/gpt_5_1_prompt.md': 'gpt-5.1',
    'codex-rs/core/gpt_5_2_prompt.md': 'gpt-5.2',
    'codex-rs/core/gpt-5.1-codex-max_prompt.md': 'gpt-5.1-codex-max',
    'codex-rs/core/gpt-5.2-codex_prompt.md': 'gpt-5.2-codex',
}
"""Which family each file is for."""

_TAG: Final = re.compile(r'(?=.{1,64}\Z)(?:[A-Za-z]+-){0,4}v?[0-9]+(?:\.[0-9]+)+(?:[.-][0-9A-Za-z.-]+)?')
"""A tag that ends with a version; for others there is `answer_with({'tag_name': ...})`."""

_SHA: Final = re.compile(r'[0-9a-f]{40}')


def usual_files(tag: str) -> dict[str, str]:
    """The files of a release, by path; each text names its family, or its model, and the release."""
    files = {path: f'{_text(family, tag)}\n' for path, family in _FAMILIES.items()}
    listed = [slug for slug, facts in MODEL_FACTS.items() if facts.listed]
    catalog = {'models': [_catalog_entry(slug, tag) for slug in listed]}
    return {**files, CATALOG_PATH: f'{json.dumps(catalog, indent=2)}\n'}


@dataclass(frozen=True, slots=True)
class Release:
    """A release.

    Attributes:
        tag: Its tag.
        number: 1 for the first that was published.
    """

    tag: str
    number: int


@dataclass(eq=False, slots=True)
class Repository:
    """Releases and commits, and the files of each.

    Attributes:
        latest: The newest release, which is not always the last that was published.
    """

    latest: Release = field(init=False)
    _published: int = field(default=0, init=False)
    _trees: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]], init=False)

    def __post_init__(self) -> None:
        self.publish(FIRST_TAG, None, latest=True)

    def publish(self, tag: str, files: Mapping[str, str] | None, *, latest: bool) -> None:
        """Add a release, or replace one.

        Raises:
            ConfigurationError: The tag is none of a release, or the files are no texts by path.
        """
        _check_ref(tag, _TAG, f'is no tag of a release; use one such as {FIRST_TAG!r}')
        tree = usual_files(tag) if files is None else _tree(files)
        self._published += 1
        self._trees[tag] = tree
        if latest:
            self.latest = Release(tag, self._published)

    def commit(self, sha: str, files: Mapping[str, str]) -> None:
        """Add a commit that no release has.

        Raises:
            ConfigurationError: The sha is not a whole one, or the files are no texts by path.
        """
        _check_ref(sha, _SHA, 'is no commit; use all 40 digits of a sha')
        self._trees[sha] = _tree(files)

    def tree(self, ref: str | None) -> dict[str, str]:
        """The files at a tag or commit, to be changed in place.

        Raises:
            ConfigurationError: There is no such tag or commit.
        """
        ref = self.latest.tag if ref is None else ref
        if ref not in self._trees:
            raise ConfigurationError(f'There is no {ref!r}, only {", ".join(self._trees)}; publish it first.')
        return self._trees[ref]

    def remove(self, path: str, ref: str | None) -> None:
        """Drop a file.

        Raises:
            ConfigurationError: There is no such file.
        """
        files = self.tree(ref)
        if path not in files:
            raise ConfigurationError(f'There is no {path!r}, only {", ".join(files)}.')
        del files[path]

    def content(self, ref: str, path: str) -> str | None:
        """A file, or `None` where there is none."""
        return self._trees.get(ref, {}).get(path)


def _check_ref(ref: object, pattern: re.Pattern[str], problem: str) -> None:
    if not isinstance(ref, str) or not pattern.fullmatch(ref):
        raise ConfigurationError(f'{ref!r} {problem}.')


def _tree(files: object) -> dict[str, str]:
    """A copy of the files of a test. To a client, a mistake in them would look like a file that is not there."""
    if not isinstance(files, Mapping):
        raise ConfigurationError(f'The files are texts by path, such as {{"{CATALOG_PATH}": "..."}}, not {files!r}.')
    for path, text in cast('Mapping[object, object]', files).items():
        if not isinstance(path, str) or not {'', '.', '..'}.isdisjoint(path.split('/')):
            raise ConfigurationError(f'{path!r} is no path in a repository; write it as {CATALOG_PATH!r}.')
        if not isinstance(text, str):
            raise ConfigurationError(
                f'The file {path!r} is of the type {type(text).__name__}; use a string. For other bytes there is '
                '`github.add(answer_with(b"..."))`.'
            )
    return dict(cast('Mapping[str, str]', files))


def _text(name: str, tag: str) -> str:
    return f'These are the simulated instructions of {name} in {tag}. Say what you do, and what you could not do.'


def _catalog_entry(slug: str, tag: str) -> dict[str, Any]:
    """An entry in the shape that the releases have (public reports), with what matters here.

    A template has variables, which nobody may take for words to the model.
    """
    return {
        'slug': slug,
        'display_name': slug.upper(),
        'visibility': 'list',
        'base_instructions': _text(slug, tag),
        'model_messages': {
            'instructions_template': f'{_text(slug, tag)}\n\n{{{{ personality }}}}\n\nBe brief.',
            'instructions_variables': {
                'personality_default': '',
                'personality_friendly': 'Be warm.',
                'personality_pragmatic': 'Be dry.',
            },
        },
    }
