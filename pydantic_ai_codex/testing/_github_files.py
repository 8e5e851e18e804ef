"""What the simulated repository holds: releases, commits and their files; no I/O, no lock (`SimulatedGitHub`'s).

The paths are those of openai/codex; the texts are ours, and nothing of OpenAI's stands in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .._protocol.model_facts import MODEL_FACTS
from ..errors import ConfigurationError

FIRST_TAG: Final = 'rust-v0.169.0'

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

_TAG: Final = re.compile(r'[^\s/]+')
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
            ConfigurationError: The tag cannot stand in a URL.
        """
        if not _TAG.fullmatch(tag):
            raise ConfigurationError(f'{tag!r} is no tag; use one without blanks and slashes, such as {FIRST_TAG!r}.')
        self._published += 1
        self._trees[tag] = dict(usual_files(tag) if files is None else files)
        if latest:
            self.latest = Release(tag, self._published)

    def commit(self, sha: str, files: Mapping[str, str]) -> None:
        """Add a commit that no release has.

        Raises:
            ConfigurationError: The sha is not a whole one.
        """
        if not _SHA.fullmatch(sha):
            raise ConfigurationError(f'{sha!r} is no commit; use all 40 digits of a sha.')
        self._trees[sha] = dict(files)

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
