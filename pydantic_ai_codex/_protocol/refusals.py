"""Which refusals are about the model, and what to tell its user: the successor, and what the catalog lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..errors import BackendError, ModelNotServedError
from .failures import MODEL_CODES
from .model_facts import EFFORTS, RETIRED_MODELS

if TYPE_CHECKING:
    from .catalog import ModelCatalog

_CODES: Final = frozenset(MODEL_CODES)

_STATUSES: Final = frozenset({None, 400, 403, 404, 422})
"""Where the words count, as a ChatGPT login is mostly refused without any code (public reports)."""

_SLUG: Final = r"""('[^']*'|"[^"]*"|`[^`]*`|[\w/-]+(?:[.:][\w/-]+)*)"""
_MODEL: Final = rf'(?:the )?(?:requested )?(?:model )?{_SLUG}(?: model)? '
_END: Final = r'(?:$|\.(?:\s|$)| when using codex\b)'
"""Without it, the model is refused for one use only: "... is not supported with the tool web_search"."""

_REFUSED: Final = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        # openai/codex#26053 and #17642.
        rf'{_MODEL}is not supported{_END}',
        # openai/codex#43755, and what the API itself says.
        rf'{_MODEL}(?:does not exist|not found|has been deprecated)\b',
        # What relays say.
        rf'{_MODEL}(?:has been retired|is not available (?:on|for|with) your (?:\w+ )?(?:plan|account))\b',
        rf'(?:unsupported|invalid) model:? {_SLUG}{_END}',
        # openai/codex#18790.
        rf'model not found:? {_SLUG}',
    )
)
_TOO_NEW: Final = (re.compile(rf'{_MODEL}requires a newer version of codex\b', re.IGNORECASE),)
"""The backend serves newer models to newer clients only (openai/codex#31826)."""

_PRO: Final = re.compile(r'(?P<base>.+)-pro(?:-\d{4}-\d\d-\d\d)?', re.IGNORECASE | re.ASCII)
"""`gpt-5.5-pro`, with or without a date."""

_TIERS: Final = frozenset({'flex', 'priority'})
"""What somebody may take for a suffix; the one that there is for a tier is `-fast`."""

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
    raise _refusal(
        f'The model {slug!r} was not asked for, as the backend serves no "pro" model to a ChatGPT login',
        slug,
        catalog,
        _without_pro(pro['base'], catalog),
        ('An API key can use it, where the model exists.',),
    )


def _without_pro(base: str, catalog: ModelCatalog) -> str | None:
    """What to use instead of the "pro" model of a model: that one, unless it is not offered, or on its way out."""
    successor = catalog.successor_of(base)
    is_listed = any(info.slug == base for info in catalog.listed)
    return base if is_listed and not (successor and base in RETIRED_MODELS) else successor


def _refusal(
    message: str, slug: str, catalog: ModelCatalog, successor: str | None, reasons: tuple[str | None, ...]
) -> ModelNotServedError:
    """The error with its hint: why, what follows the model, and what there is."""
    listed = tuple(info.slug for info in catalog.listed)
    advice = f'Use {successor!r} instead.' if successor else None
    hint = ' '.join(filter(None, (*reasons, advice, _offers(slug, listed, catalog))))
    return ModelNotServedError(message, model=slug, successor=successor, listed=listed, hint=hint or None)


def _says(patterns: tuple[re.Pattern[str], ...], error: BackendError, slug: str) -> bool:
    """Whether the error says this of this model, and says it first: behind other words it may be a quotation."""
    if error.status_code not in _STATUSES:
        return False
    # Behind ours: "The backend answered 400: ...".
    words = error.message.partition(': ')[2]
    named = [match[1].strip('\'"`').lower() for match in (pattern.match(words) for pattern in patterns) if match]
    # Or a variant that the backend itself has made of it (openai/codex#26927).
    return any(name == slug.lower() or name.startswith(f'{slug.lower()}-') for name in named)


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
    if word in _TIERS:
        return (
            f'{slug!r} is no model that is known, but {head!r} is; {word!r} is a service tier, which is asked for with '
            'the setting `service_tier`.'
        )
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
