"""The models that a login may use, as the backend lists them: out of its answer, and to and from the record on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, Literal, TypeAlias, TypeGuard, cast

from pydantic_core import from_json, to_json

from .constants import HEADER_WORD
from .model_facts import CATALOG_MODELS, MODEL_ALIASES, MODEL_FACTS, RETIRED_MODELS, ModelInfo, RetiredModel
from .values import Wire, list_or_empty, object_or_empty, text_or_none

CatalogSource: TypeAlias = Literal['backend', 'cache', 'bundled']

_FORMAT: Final = 1
"""Of the record on disk; another one is not read."""

_MOST_MODELS: Final = 1000
_MOST_WORDS: Final = 32
_MOST_TOKENS: Final = 10**9
_LONGEST_SLUG: Final = 128
_LONGEST_WORD: Final = 32
_LONGEST_ETAG: Final = 256
_LONGEST_TEXT: Final = 300


class CatalogError(ValueError):
    """Why an answer is no catalog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCatalog:
    """The models that a login may use.

    Attributes:
        models: All of them by priority, those that are offered to users first.
        source: Where it comes from: the backend just now, what was kept of its answer, or this package.
        fetched_at: When the backend last said so, in UTC; `None` for the bundled one.
        etag: The backend's name for this version of the list.
        ignored: How many entries of the answer could not be read.
    """

    models: tuple[ModelInfo, ...]
    source: CatalogSource
    fetched_at: datetime | None = None
    etag: str | None = None
    ignored: int = 0

    @property
    def listed(self) -> tuple[ModelInfo, ...]:
        """The models that are offered to users, the default first."""
        return tuple(info for info in self.models if info.listed)

    @property
    def default(self) -> ModelInfo | None:
        """The model for who has no wish, or `None` where none is listed."""
        return next(iter(self.listed), None)

    @property
    def retired(self) -> tuple[RetiredModel, ...]:
        """The models that are known to be gone, and that this list does not hold; each with the listed one to take.

        Where that is not the one that was named first, as that is gone as well, the evidence tells each step.
        """
        return tuple(self._retired(slug) for slug in RETIRED_MODELS if not self.holds(slug))

    def holds(self, slug: str) -> bool:
        """Whether the list itself has the model, listed or hidden."""
        return any(info.slug == slug for info in self.models)

    def get(self, slug: str) -> ModelInfo | None:
        """What is known of a model: what the list says, else what this package knows, which may be of the past.

        Args:
            slug: The model's name on the wire.
        """
        for info in self.models:
            if info.slug == slug:
                return info
        return MODEL_FACTS.get(slug)

    def successor_of(self, slug: str) -> str | None:
        """The listed model that follows a model, over others that are gone too; `None` where that leads to none.

        Args:
            slug: The model's name on the wire, or an alias.
        """
        last = self._steps(MODEL_ALIASES.get(slug, slug))[-1:]
        return next((info.slug for info in self.listed if info.slug in last), None)

    def as_dict(self) -> dict[str, Any]:
        """The catalog as JSON can hold it."""
        return {
            'source': self.source,
            'fetched_at': self.fetched_at.isoformat() if self.fetched_at else None,
            'etag': self.etag,
            'ignored': self.ignored,
            'default': self.default.slug if self.default else None,
            'models': [_jsonable(info._asdict()) for info in self.models],
            'retired': [retired._asdict() for retired in self.retired],
        }

    def _steps(self, slug: str) -> list[str]:
        """The models that follow one another, up to the first that is listed; without circles."""
        listed = {info.slug for info in self.listed}
        steps = [slug]
        while (step := self._next(steps[-1])) is not None and step not in steps:
            steps.append(step)
            if step in listed:
                break
        return steps[1:]

    def _retired(self, slug: str) -> RetiredModel:
        pairs = list(pairwise((slug, *self._steps(slug))))
        told = [_evidence(*pair) if len(pairs) == 1 else f'{" -> ".join(pair)}: {_evidence(*pair)}' for pair in pairs]
        return RetiredModel(slug, self.successor_of(slug) or RETIRED_MODELS[slug].successor, '; '.join(told))

    def _next(self, slug: str) -> str | None:
        if (info := self.get(slug)) and info.successor:
            return info.successor
        retired = RETIRED_MODELS.get(slug)
        return retired.successor if retired else None


def _evidence(slug: str, successor: str) -> str:
    """Who says that a model follows another."""
    retired = RETIRED_MODELS.get(slug)
    return retired.evidence if retired and retired.successor == successor else 'the list says so'


BUNDLED: Final = ModelCatalog(models=CATALOG_MODELS, source='bundled')
"""What Codex CLI 0.169.0 ships (captured), for when the backend cannot be asked."""


def catalog_from_wire(body: object, *, fetched_at: datetime, etag: str | None) -> ModelCatalog:
    """The catalog of an answer. A field that cannot be read is unknown, an entry that names no model is left out.

    Args:
        body: The decoded answer: `{"models": [...]}` (captured).
        fetched_at: When it came.
        etag: Its `ETag`.

    Raises:
        CatalogError: If it is no list of models, or has none that could be asked for.
    """
    listing = object_or_empty(body)
    if not isinstance(listing.get('models'), list):
        raise CatalogError('it is no object with a list "models"')
    entries = list_or_empty(listing['models'])
    found = [_model(entry) for entry in entries[:_MOST_MODELS]]
    models: dict[str, ModelInfo] = {}
    for info in filter(None, found):
        models.setdefault(info.slug, info)
    if not models:
        raise CatalogError(f'none of its {len(entries)} entries names a model')
    return ModelCatalog(
        models=tuple(sorted(models.values(), key=_rank)),
        source='backend',
        fetched_at=fetched_at,
        etag=etag if etag is not None and _is_word(etag, _LONGEST_ETAG) else None,
        ignored=found.count(None) + len(entries[_MOST_MODELS:]),
    )


def dump_catalog(catalog: ModelCatalog) -> bytes:
    """The record of a catalog, for the disk.

    Args:
        catalog: One that the backend gave.
    """
    return to_json(
        {
            'format': _FORMAT,
            'fetched_at': catalog.fetched_at.isoformat() if catalog.fetched_at else None,
            'etag': catalog.etag,
            'ignored': catalog.ignored,
            # In the backend's words, so that the same rules read them.
            'models': [_entry(info) for info in catalog.models],
        }
    )


def load_catalog(content: bytes) -> ModelCatalog | None:
    """The catalog of a record, or `None` for one that is broken, or not of this version.

    Args:
        content: What was on the disk.
    """
    try:
        record = object_or_empty(from_json(content))
        if record['format'] != _FORMAT:
            return None
        fetched_at = datetime.fromisoformat(record['fetched_at'])
        if fetched_at.tzinfo is None:
            return None
        etag = text_or_none(record['etag'])
        catalog = catalog_from_wire(record, fetched_at=fetched_at.astimezone(UTC), etag=etag)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    return replace(catalog, source='cache', ignored=_number(record.get('ignored')) or 0)


def _model(entry: object) -> ModelInfo | None:
    """The model of an entry, or `None` for one that names none."""
    wire = object_or_empty(entry)
    slug = wire.get('slug')
    if not _is_word(slug, _LONGEST_SLUG):
        return None
    return ModelInfo(
        slug=slug,
        efforts=_words(_each(wire.get('supported_reasoning_levels'), 'effort')),
        default_effort=_word(wire.get('default_reasoning_level')),
        context_window=_number(wire.get('context_window')) or None,
        max_context_window=_number(wire.get('max_context_window')) or None,
        service_tiers=_tiers(wire),
        listed=wire.get('visibility') == 'list',
        priority=_number(wire.get('priority')),
        successor=_successor(wire, slug),
        display_name=_text(wire.get('display_name')),
        description=_text(wire.get('description')),
        # The CLI takes the two for granted where nothing stands (from its source).
        input_modalities=_words(list_or_empty(wire.get('input_modalities'))) or ('text', 'image'),
    )


def _entry(info: ModelInfo) -> Wire:
    """The entry that reads as this model."""
    return {
        'slug': info.slug,
        'supported_reasoning_levels': [{'effort': effort} for effort in info.efforts],
        'default_reasoning_level': info.default_effort,
        'context_window': info.context_window,
        'max_context_window': info.max_context_window,
        'service_tiers': None if info.service_tiers is None else [{'id': tier} for tier in info.service_tiers],
        'visibility': 'list' if info.listed else 'hide',
        'priority': info.priority,
        'upgrade': {'model': info.successor} if info.successor else None,
        'display_name': info.display_name,
        'description': info.description,
        'input_modalities': info.input_modalities,
    }


def _rank(info: ModelInfo) -> tuple[bool, bool, int]:
    return (not info.listed, info.priority is None, info.priority or 0)


def _tiers(wire: Wire) -> tuple[str, ...] | None:
    """The tiers of an entry, which may be none; `None` where it does not say."""
    if isinstance(wire.get('service_tiers'), list):
        return _words(_each(wire['service_tiers'], 'id'))
    # What older lists said instead (public reports).
    speeds = wire.get('additional_speed_tiers')
    if not isinstance(speeds, list):
        return None
    return ('priority',) if 'fast' in speeds else ()


def _successor(wire: Wire, slug: str) -> str | None:
    successor = object_or_empty(wire.get('upgrade')).get('model')
    return successor if _is_word(successor, _LONGEST_SLUG) and successor != slug else None


def _each(value: object, key: str) -> list[object]:
    """What the objects of a list hold; a bare text stands for itself."""
    return [each if isinstance(each, str) else object_or_empty(each).get(key) for each in list_or_empty(value)]


def _words(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in map(_word, values) if word))[:_MOST_WORDS]


def _word(value: object) -> str | None:
    return value if _is_word(value, _LONGEST_WORD) else None


def _is_word(value: object, longest: int) -> TypeGuard[str]:
    """Whether it is a text that fits in a header."""
    return isinstance(value, str) and len(value) <= longest and bool(HEADER_WORD.fullmatch(value))


def _text(value: object) -> str | None:
    """A text for people, on one line, without what moves a terminal's cursor."""
    text = ' '.join((text_or_none(value) or '').split())
    return ''.join(filter(str.isprintable, text))[:_LONGEST_TEXT] or None


def _number(value: object) -> int | None:
    """A number that can be one of tokens, or a place in a list."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= _MOST_TOKENS else None


def _jsonable(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: list(cast('tuple[str, ...]', v)) if isinstance(v, tuple) else v for name, v in fields.items()}
