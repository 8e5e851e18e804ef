"""Model names as users write them: the one parser, and the choice of the effort that goes on the wire."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, cast

from ..errors import ConfigurationError, ModelNameError
from .model_facts import EFFORTS, MODEL_ALIASES, MODEL_FACTS, Effort, ModelInfo

if TYPE_CHECKING:
    from .catalog import ModelCatalog

WireEffort: TypeAlias = Literal['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']
"""An effort as the backend takes it."""

MODEL_PREFIXES: Final = ('codex-oauth/', 'codex_oauth/', 'codex/', 'codex:')
"""What may stand before a name to say that it is a Codex model; in lower case."""
_BARE_PREFIX: Final = re.compile(r'codex-(?=gpt-|o\d)', re.IGNORECASE)
"""`codex-` is a prefix only before a model's own name: `codex-mini-latest` is a slug."""

_MODEL: Final = re.compile(r'gpt-|o\d|codex-', re.IGNORECASE)
_EFFORT: Final[dict[str, Effort]] = {effort: effort for effort in EFFORTS}
_FAST: Final = 'fast'
_SETTING: Final = 'the setting `codex_reasoning_effort`'
_THINKING: Final = 'the setting `thinking`'
_VARIABLE: Final = 'the environment variable `CODEX_REASONING_EFFORT`'
_SUFFIX: Final = re.compile(r'(?P<head>.*)(?P<mark>[:-])(?P<word>[^:-]*)', re.DOTALL)


class ModelName(NamedTuple):
    """A model name taken apart.

    Two are equal if they ask for the same, however they were written.

    Attributes:
        slug: What goes on the wire as `model`; never holds an effort or a tier.
        effort: The effort that the name asked for, or `None`.
        fast: Whether the name asked for the priority tier.
        readings: What the same text says where fewer of its `-words` are suffixes, the longest slug first; for models
            that only the backend knows (see `as_listed`). Empty where none was taken off.
    """

    slug: str
    effort: Effort | None = None
    fast: bool = False
    readings: tuple[ModelName, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelName) and self[:3] == other[:3]

    def __hash__(self) -> int:
        return hash(self[:3])

    @property
    def facts(self) -> ModelInfo | None:
        """What this package knows of the model, or `None` for a slug that is not known here."""
        return MODEL_FACTS.get(self.slug)


def parse_model_name(name: str) -> ModelName:
    """Take a model name apart.

    `[codex:|codex/|codex-oauth/|codex_oauth/|codex-]slug[-effort|:effort][-fast|:fast]`, the last two in either order.
    Known slugs and aliases are matched before suffixes, so `gpt-5.1-codex-max` is a slug and not an effort. Known
    parts are case-insensitive; an unknown slug stays as typed, with every `-word` that is no effort.

    Args:
        name: The name as the user wrote it.

    Raises:
        ModelNameError: If it is no text, empty, holds an unknown word behind a colon, or asks for two efforts.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ModelNameError(f'The model name has to be a text, not {name!r}.')
    rest = _without_prefixes(name.strip())
    effort: Effort | None = None
    fast = False
    readings: list[ModelName] = []
    while (slug := _known_slug(rest)) is None:
        match = _SUFFIX.fullmatch(rest)
        reading = ModelName(rest, effort, fast)
        word = match['word'].lower() if match else ''
        if match and word == _FAST and not fast:
            fast = True
        elif match and word in _EFFORT and effort is None:
            effort = _EFFORT[word]
        else:
            _check_rest(name, rest, repeated=word == _FAST or word in _EFFORT)
            break
        if ':' not in rest:
            readings.append(reading)
        rest = match['head'].rstrip()
    if not (slug or rest):
        raise ModelNameError(
            f'The model name {name!r} names no model; write a slug such as "gpt-5.5", "gpt-5.1-codex-high" or '
            '"codex:gpt-5.5:low".'
        )
    return ModelName(slug or rest, effort, fast, tuple(readings))


def as_listed(name: ModelName, catalog: ModelCatalog) -> ModelName:
    """The name as the catalog reads it: `gpt-7-max` is a model where that is listed, and else an effort of gpt-7.

    `gpt-7:max` always means the effort.

    Args:
        name: The parsed model name.
        catalog: The models of the login. Only what it holds itself counts; what is known here, the parser knew.
    """
    if not name.readings:
        return name
    slugs = {info.slug.lower(): info.slug for info in catalog.models}
    for reading in name.readings:
        if slug := slugs.get(reading.slug.lower()):
            return reading._replace(slug=slug)
    return name


class ChosenEffort(NamedTuple):
    """The effort of a request, and how it came about.

    Attributes:
        effort: What goes on the wire, or `None` to leave the choice to the backend.
        asked: What was asked for, or `None` where it is the model's own.
        where: The place that asked for it.
        is_clamped: Whether the model does not take what was asked for, so that another one stands in for it.
    """

    effort: WireEffort | None
    asked: Effort | None = None
    where: str | None = None
    is_clamped: bool = False


def choose_effort(
    name: ModelName,
    *,
    info: ModelInfo | None = None,
    setting: str | None = None,
    thinking: bool | str | None = None,
    default: str | None = None,
) -> ChosenEffort:
    """Choose the effort for the wire.

    The first that is given wins: the explicit setting, the unified `thinking`, the name's suffix, the environment's
    default, the model's default. The result is clamped to what the model takes; a model whose efforts are not known gets
    what was asked.

    Args:
        name: The parsed model name.
        info: What the catalog says of the model; by default what this package knows.
        setting: The value of `codex_reasoning_effort`.
        thinking: The value of pydantic-ai's `thinking`. `True` only says that the model shall think, so a suffix or
            default still says how much; `False` asks for `none`.
        default: The value of `CODEX_REASONING_EFFORT`.

    Raises:
        ConfigurationError: If `setting`, `thinking` or `default` is no effort.
    """
    info = info or name.facts
    if info is not None and setting in info.efforts and setting not in _EFFORT:
        # Newer than this package: the list is right.
        return ChosenEffort(cast('WireEffort', setting), where=_SETTING)
    asked, where = _asked(name, setting, thinking, default)
    if asked is None or (asked == 'none' and thinking is True and setting is None):
        return ChosenEffort(_own_effort(info, thinking=bool(thinking)))
    effort = asked if info is None else clamp_effort(asked, info.efforts)
    return ChosenEffort(_on_the_wire(effort), asked, where, is_clamped=effort != asked)


def clamp_effort(effort: Effort, efforts: tuple[str, ...]) -> Effort:
    """The effort itself where the model takes it, else the next higher one, else the model's highest.

    Args:
        effort: The effort.
        efforts: What the model takes. Words that are not known have no place in the order, so they do not count, and
            where no other stands the effort is as good as any.
    """
    known: list[Effort] = [each for each in EFFORTS if each in efforts]
    rank = EFFORTS.index(effort)
    for each in known:
        if EFFORTS.index(each) >= rank:
            return each
    return known[-1] if known else effort


def check_effort(value: object, where: str) -> Effort:
    """The value as an effort; a `ConfigurationError` that names `where` it came from if it is none."""
    effort = _EFFORT.get(value.lower()) if isinstance(value, str) else None
    if effort is None:
        raise ConfigurationError(f'{value!r} in {where} is no reasoning effort; use one of {", ".join(EFFORTS)}.')
    return effort


def _asked(
    name: ModelName, setting: str | None, thinking: bool | str | None, default: str | None
) -> tuple[Effort | None, str | None]:
    """The effort that somebody asked for, and where."""
    if setting is not None:
        return check_effort(setting, _SETTING), _SETTING
    if thinking is False:
        return 'none', _THINKING
    if isinstance(thinking, str):
        return check_effort(thinking, _THINKING), _THINKING
    if name.effort is not None:
        return name.effort, 'the model name'
    if default:
        return check_effort(default, _VARIABLE), _VARIABLE
    return None, None


def _own_effort(info: ModelInfo | None, *, thinking: bool) -> WireEffort | None:
    """The model's own effort; one that is not known is left to the backend."""
    if info is None:
        return 'medium' if thinking else None
    effort = _EFFORT.get(info.default_effort or '')
    return None if effort is None else _on_the_wire(clamp_effort(effort, info.efforts))


def _on_the_wire(effort: Effort) -> WireEffort:
    # Captured: the CLI sends `xhigh` where the user chose `ultra`.
    return 'xhigh' if effort == 'ultra' else effort


def _without_prefixes(name: str) -> str:
    while True:
        lowered = name.lower()
        prefix = next((prefix for prefix in MODEL_PREFIXES if lowered.startswith(prefix)), None)
        if prefix is None:
            match = _BARE_PREFIX.match(name)
            prefix = match[0] if match else None
        if prefix is None:
            return name
        name = name[len(prefix) :].lstrip()


def _known_slug(text: str) -> str | None:
    lowered = text.lower()
    if lowered in MODEL_FACTS:
        return lowered
    return MODEL_ALIASES.get(lowered)


def _check_rest(name: str, rest: str, *, repeated: bool) -> None:
    """Refuse what can only be a mistake; anything else is a slug that is not known here."""
    head, _, word = rest.rpartition('-')
    # Of the words that are efforts, only `max` is known as a part of slugs.
    if repeated and (':' in rest or word.lower() != 'max' or _known_slug(head)):
        raise ModelNameError(f'The model name {name!r} has two suffixes of one kind (an effort, or "fast"); keep one.')
    before, colon, behind = rest.rpartition(':')
    if colon and _MODEL.match(behind):
        raise ModelNameError(
            f'{before!r} in the model name {name!r} is no prefix of ours; write "codex:{behind}", or pass the name '
            'to the model class of that provider.'
        )
    if colon:
        raise ModelNameError(
            f'{behind!r} in the model name {name!r} is no reasoning effort; behind the colon of a model name stands '
            f'one of {", ".join(EFFORTS)} or fast.'
        )
