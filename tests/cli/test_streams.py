"""Standard streams that cannot be written, are closed, or whose reader has left."""

from __future__ import annotations

import errno
import io
import sys
from pathlib import Path

import pytest

from pydantic_ai_codex._cli import FAILED, OK, main
from pydantic_ai_codex.testing import CodexSimulator

from .files import write


class Broken(io.StringIO):
    """An output that takes nothing."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str, /) -> int:
        raise self.error


@pytest.fixture(autouse=True)
def login(auth_file: Path) -> None:
    write(auth_file, CodexSimulator().auth_json())


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr('sys.stdout', Broken(OSError(errno.ENOSPC, 'No space left on device')))

    assert main(['status']) == FAILED

    assert capsys.readouterr().err == 'error: The output cannot be written: No space left on device.\n'


def test_an_error_of_the_system_that_is_not_about_the_output_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('sys.stdout', Broken(OSError(errno.ENOSPC, 'No space left on device', 'a-file')))

    with pytest.raises(OSError, match='a-file'):
        main(['status'])


@pytest.mark.parametrize(('command', 'code'), [('status', FAILED), ('doctor', FAILED), ('demo', OK)])
def test_only_an_answer_may_be_cut_by_its_reader(command: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('sys.stdout', Broken(BrokenPipeError()))

    assert main([command]) == code


@pytest.mark.parametrize('name', ['stdin', 'stdout', 'stderr'])
def test_a_stream_may_be_closed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f'sys.{name}', None)

    assert main(['status']) == OK

    getattr(sys, name).close()  # In a process, it stays until the end.
