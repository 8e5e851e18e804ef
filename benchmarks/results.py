"""What a run has found, as data that can be kept as JSON and read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from .figures import Samples
from .peers import is_ours

FAILS = 'it fails'
"""What the reason of an absence begins with that is no decision of anybody's."""


@dataclass
class Results:
    """What a run has found.

    Attributes:
        about: Of the machine, the versions and the run: names and values for a person.
        versions: The versions of what was compared.
        rounds: How many rounds each task had.
        samples: For each series and subject a value for each round.
        problems: For each subject and stream (`a/model`) what it made of it that was not sent.
        absent: For each task and subject why there is nothing.
        loaded: For each import what it loaded and must not.
    """

    about: dict[str, str] = field(default_factory=dict[str, str])
    versions: dict[str, str] = field(default_factory=dict[str, str])
    rounds: dict[str, int] = field(default_factory=dict[str, int])
    samples: dict[str, dict[str, list[float | None]]] = field(default_factory=dict[str, dict[str, list[float | None]]])
    problems: dict[str, dict[str, list[str]]] = field(default_factory=dict[str, dict[str, list[str]]])
    absent: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    loaded: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def add(self, series: str, subject: str, round_number: int, value: float) -> None:
        """Keep a sample; a round without one before it stays empty."""
        values = self.samples.setdefault(series, {}).setdefault(subject, [])
        values.extend([None] * (round_number + 1 - len(values)))
        values[round_number] = value

    def leave_out(self, task: str, subject: str, reason: str) -> None:
        """Keep why there is nothing of a subject; what there was so far goes, as it is no whole figure."""
        self.absent.setdefault(task, {})[subject] = reason
        for series, found in self.samples.items():
            if series.rpartition('/')[0] == task:
                found.pop(subject, None)

    def is_absent(self, task: str, subject: str) -> bool:
        """Whether it is known that nothing comes of asking."""
        return any(subject in self.absent.get(key, {}) for key in ('all', task))

    def of(self, series: str, subject: str) -> Samples:
        """The samples of a subject, none if there are none."""
        return self.samples.get(series, {}).get(subject, [])

    def note_problems(self, subject: str, stream: str, problems: list[str]) -> None:
        """Keep what a check has said, which may be nothing: then it was checked and is right."""
        self.problems.setdefault(subject, {})[stream] = problems

    def problems_of(self, subject: str, streams: tuple[str, ...] = ()) -> Iterator[str]:
        """What is wrong with a subject, on these streams or on any."""
        for stream, problems in self.problems.get(subject, {}).items():
            if not streams or stream in streams:
                yield from (f'{stream}: {problem}' for problem in problems)

    def to_json(self) -> str:
        """All of it as JSON."""
        return json.dumps(asdict(self), indent=1)

    def failures(self) -> list[str]:
        """Where this package failed that it should have gone on."""
        return [
            f'{subject}, {task}: {why}'
            for task, found in self.absent.items()
            for subject, why in found.items()
            if is_ours(subject) and why.startswith(FAILS)
        ]

    @classmethod
    def from_json(cls, text: str) -> Results:
        """What `to_json` has written."""
        loaded: dict[str, Any] = json.loads(text)
        return cls(**loaded)
