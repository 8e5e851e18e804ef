"""`SimulatedCatalog`: the list of models that the simulated backend serves, as a test sees and changes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from threading import Lock
from typing import Any, NamedTuple, TypeAlias, cast

from ..errors import ConfigurationError
from ._catalog_entries import effort_levels, new_entry, usual_entries

Json: TypeAlias = dict[str, Any]


class Served(NamedTuple):
    """What the checks of a request want to know of the list.

    Attributes:
        efforts: The efforts of each model, by slug.
        is_complete: Whether other models than these are refused: a test has said which there are.
    """

    efforts: Mapping[str, tuple[str, ...]]
    is_complete: bool


class _State(NamedTuple):
    """A list and what follows from it; replaced as a whole and never edited, so that it is read without the lock."""

    entries: list[Json]
    content: bytes
    etag: str
    served: Served


class SimulatedCatalog:
    """The list of models that `GET models` answers: `CodexSimulator().catalog`.

    To begin with, it is the list that Codex CLI 0.169.0 ships, with texts of our own, and the backend serves retired
    models as well (see `refuse_retired`). Once a test has changed it, a ChatGPT login gets no model that it does not
    hold. It can be used from several threads and event loops.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._state = _state(usual_entries(), is_complete=False)

    def __repr__(self) -> str:
        return f'<SimulatedCatalog: {", ".join(self.served.efforts)}>'

    @property
    def models(self) -> list[Json]:
        """The entries as they are answered; a copy."""
        return json.loads(self._state.content)['models']

    @property
    def etag(self) -> str:
        """The entity tag of the list, another whenever that changes; with it answers say `x-models-etag`."""
        return self._state.etag

    def add(self, slug: str, *, efforts: Sequence[str] | None = None, **fields: Any) -> None:
        """Add a model, or change the one that has this slug.

        Args:
            slug: Its slug.
            efforts: The efforts it takes, from least to most; in place of `supported_reasoning_levels`.
            **fields: Fields of its entry as they are answered, such as `priority=0`, `visibility='hide'`,
                `default_reasoning_level='high'`, `service_tiers=[]` or `upgrade={'model': 'gpt-6-sol'}`.

        Raises:
            ConfigurationError: The fields are no JSON.
        """
        changes = _copied(
            fields if efforts is None else {**fields, 'supported_reasoning_levels': effort_levels(efforts)}
        )

        def changed(entries: list[Json]) -> list[Json]:
            known = any(entry.get('slug') == slug for entry in entries)
            return [
                _with_default({**entry, **changes}, fields) if entry.get('slug') == slug else entry
                for entry in (entries if known else [*entries, new_entry(slug)])
            ]

        self._change(changed)

    def remove(self, slug: str) -> None:
        """Drop a model: its slug is refused from now on, as that of a retired one.

        Raises:
            ConfigurationError: There is no such model.
        """

        def without(entries: list[Json]) -> list[Json]:
            left = [entry for entry in entries if entry.get('slug') != slug]
            if len(left) == len(entries):
                raise ConfigurationError(f'The simulated catalog holds no model {slug!r}.')
            return left

        self._change(without)

    def replace(self, models: Sequence[Mapping[str, Any]]) -> None:
        """Serve these models and no others.

        Args:
            models: The entries as they are answered, whatever is in them. For an answer that is no list at all, see
                `CodexSimulator.fail_lookups`.

        Raises:
            ConfigurationError: An entry is no JSON object.
        """
        entries = [_copied(entry) for entry in models]
        self._change(lambda _: entries)

    @property
    def answer(self) -> tuple[bytes, str]:
        """The body of the answer, and the entity tag that it had at the same time."""
        state = self._state
        return state.content, state.etag

    @property
    def served(self) -> Served:
        """What the backend serves."""
        return self._state.served

    def _change(self, change: Callable[[list[Json]], list[Json]]) -> None:
        with self._lock:
            self._state = _state(change(self._state.entries), is_complete=True)


def _state(entries: list[Json], *, is_complete: bool) -> _State:
    content = json.dumps({'models': entries}).encode()
    efforts = {slug: _efforts(entry) for entry in entries if isinstance(slug := entry.get('slug'), str)}
    return _State(entries, content, f'"{sha256(content).hexdigest()[:16]}"', Served(efforts, is_complete))


def _copied(fields: Mapping[str, Any]) -> Json:
    try:
        return json.loads(json.dumps(dict(fields)))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f'{fields!r} cannot be an entry of a model, a JSON object: {error}') from error


def _efforts(entry: Json) -> tuple[str, ...]:
    levels: object = entry.get('supported_reasoning_levels')
    found = cast('list[object]', levels) if isinstance(levels, list) else []
    efforts = (cast(Json, level).get('effort') for level in found if isinstance(level, dict))
    return tuple(effort for effort in efforts if isinstance(effort, str))


def _with_default(entry: Json, fields: Mapping[str, Any]) -> Json:
    """The entry with a default effort that is among its efforts, unless a test says otherwise."""
    levels: object = entry.get('supported_reasoning_levels')
    if 'default_reasoning_level' in fields or not isinstance(levels, list) or not levels:
        return entry
    efforts = [cast('Json', level).get('effort') for level in cast('list[object]', levels) if isinstance(level, dict)]
    is_known = entry.get('default_reasoning_level') in efforts
    return entry if is_known or not efforts else {**entry, 'default_reasoning_level': efforts[0]}
