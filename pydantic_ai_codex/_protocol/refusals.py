"""Which refusals are about the model, and what to tell its user: the successor, and what the catalog lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..errors import BackendError, ModelNotServedError
from .model_facts import EFFORTS

if TYPE_CHECKING:
    from .catalog import ModelCatalog

_CODES: Final = frozenset({'model_not_found', 'model_not_supported', 'unsupported_model'})
"""Codes that say it; the first one is the API's (public reports), the others are what its relays say."""

_STATUSES: Final = frozenset({None, 400, 403, 404})
"""Where the words count, as a ChatGPT login is mostly refused without any code (public reports)."""

_NAMED: Final = r"""(?:'[^']*'|"[^"]*"|`[^`]*`|[\w./:-]+)"""
_REFUSED: Final = re.compile(
    # openai/codex#26053 and #17642. At the beginning alone: "tools with the 'x' model" is about tools.
    rf'(?:^|: )the {_NAMED} model is not supported\b'
    # openai/codex#43755, and what the API itself says.
    rf'|\bmodel {_NAMED} (?:does not exist|not found|has been deprecated)\b'
    # openai/codex#18790.
    rf'|\bmodel not found:? {_NAMED}',
    re.IGNORECASE,
)
_TOO_NEW: Final = re.compile(rf'(?:^|: )the {_NAMED} model requires a newer version of codex\b', re.IGNORECASE)
"""The backend serves newer models to newer clients only (openai/codex#31826)."""

_PRO: Final = re.compile(r'(?P<base>.+)-pro(?:-\d{4}-\d\d-\d\d)?', re.IGNORECASE | re.ASCII)
"""`gpt-5.5-pro`, with or without a date."""

_MOST_NAMES: Final = 20


def refused_model(error: BackendError, slug: str, catalog: ModelCatalog) -> ModelNotServedError | None:
    """The error that says what to use instead, or `None` where the refusal is not about the model.

    It keeps the backend's words and every field; the category becomes `not_found`, and the hint grows.

    Args:
        error: What the backend answered.
        slug: The model that was asked for.
        catalog: The catalog at that time.
    """
    if isinstance(error, ModelNotServedError):
        return error
    if _says(_TOO_NEW, error, slug):
        reason = f'The backend serves {slug!r} to newer clients only; look for a newer version of this package.'
    elif _CODES.intersection((error.code, error.error_type)) or _says(_REFUSED, error, slug):
        reason = _reason(slug, catalog)
    else:
        return None
    refused = _refusal(error.message, slug, catalog, catalog.successor_of(slug), (error.hint, reason))
    own = {'category': refused.category, 'hint': refused.hint}
    vars(refused).update({**vars(error), **own})
    return refused


def check_plan_model(slug: str, catalog: ModelCatalog) -> None:
    """Refuse a model that the backend serves to no ChatGPT login, before anything is sent.

    Public reports: `gpt-5.4-pro` and `gpt-5.5-pro` are refused on every plan, the most expensive one included
    (openclaw/openclaw#79158, anomalyco/opencode#19366 and #32435).

    Args:
        slug: The model.
        catalog: The catalog; what it holds is never refused here.

    Raises:
        ModelNotServedError: If it is one of them.
    """
    pro = _PRO.fullmatch(slug)
    if pro is None or catalog.holds(slug):
        return
    base = catalog.get(pro['base'])
    raise _refusal(
        f'The model {slug!r} was not asked for, as the backend serves no "pro" model to a ChatGPT login',
        slug,
        catalog,
        base.slug if base and base.listed else catalog.successor_of(pro['base']),
        ('An API key can use it, where the model exists.',),
    )


def _refusal(
    message: str, slug: str, catalog: ModelCatalog, successor: str | None, reasons: tuple[str | None, ...]
) -> ModelNotServedError:
    """The error with its hint: why, what follows the model, and what there is."""
    listed = tuple(info.slug for info in catalog.listed)
    advice = f'Use {successor!r} instead.' if successor else None
    hint = ' '.join(filter(None, (*reasons, advice, _offers(slug, listed, catalog))))
    return ModelNotServedError(message, model=slug, successor=successor, listed=listed, hint=hint or None)


def _says(words: re.Pattern[str], error: BackendError, slug: str) -> bool:
    """Whether the error says this, and of this model: the backend may name a variant of its own (openai/codex#26927)."""
    if error.status_code not in _STATUSES or slug.lower() not in error.message.lower():
        return False
    return words.search(error.message) is not None


def _reason(slug: str, catalog: ModelCatalog) -> str | None:
    """Why, where the name itself tells. Otherwise it is not guessed: it may be the plan, or the client's version."""
    if any(retired.slug == slug for retired in catalog.retired):
        return f'{slug!r} is retired.'
    if catalog.get(slug) is not None:
        return None
    head, _, word = slug.replace('/', '-').rpartition('-')
    model = catalog.get(head)
    if model is None:
        return f'{slug!r} is no model that is known.'
    if word in EFFORTS:
        return f'{slug!r} is no model that is known; write "{head}:{word}" for a reasoning effort.'
    return (
        f'{slug!r} is no model that is known, but {head!r} is; if {word!r} is meant as a reasoning effort, there are '
        f'{", ".join(model.efforts)}.'
    )


def _offers(slug: str, listed: tuple[str, ...], catalog: ModelCatalog) -> str | None:
    """The models that the catalog lists, and whose catalog that is."""
    names = [each for each in listed if each != slug]
    if len(names) > _MOST_NAMES:
        names = [*names[:_MOST_NAMES], f'{len(names) - _MOST_NAMES} more']
    itself = ['this one'] if slug in listed else []
    owner = 'catalog of this package' if catalog.source == 'bundled' else 'catalog'
    return f'The {owner} lists {", ".join(itself + names)}.' if listed else None
