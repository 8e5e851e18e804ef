"""`usage`: what is said of the limits of a plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from pydantic_ai_codex import Credits, RateLimits, RateLimitWindow
from pydantic_ai_codex._cli import FAILED, NO_LOGIN, OK, USAGE, main
from pydantic_ai_codex._cli._usage import bar, usage_lines
from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.testing import LimitWindow, fail, fake_access_token

from .backend import Backend
from .files import write

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

ADA = Credentials(fake_access_token(account_id='acct-ada', claims={'email': 'ada@example.com'}))


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock on the wall, wherever the tests run."""

    def local(moment: datetime) -> str:
        return f'{moment:%Y-%m-%d %H:%M}'

    monkeypatch.setattr('pydantic_ai_codex._cli._usage.local', local)


def limits(**fields: Any) -> RateLimits:
    facts: dict[str, Any] = {
        'limit_name': None,
        'plan_type': 'plus',
        'primary': RateLimitWindow(42.5, 300, NOW + timedelta(hours=2)),
        'secondary': RateLimitWindow(7, 10080, NOW + timedelta(days=3)),
        'credits': None,
        'limit_reached': False,
        'observed_at': NOW,
        'source': 'usage',
    }
    return RateLimits(**{**facts, **fields})


def screen(shown: RateLimits, *, width: int = 80, **options: Any) -> str:
    lines = usage_lines(shown, ADA, now=NOW, width=width, **options)
    assert max(map(len, lines)) <= width or width < 40
    return '\n'.join(lines)


def test_both_windows_in_80_columns() -> None:
    assert screen(limits(credits=Credits(True, False, '12.5'))) == snapshot("""\
plus plan, ada@example.com, account acct-ada
  5 h   ██████████░░░░░░░░░░░░░░  42.5 %  resets in 2 h 0 min (2026-11-21 14:00)
  week  █░░░░░░░░░░░░░░░░░░░░░░░     7 %  resets in 3 d 0 h (2026-11-24 12:00)
  credits: 12.5\
""")


def test_both_windows_in_60_columns() -> None:
    assert screen(limits(), width=60) == snapshot("""\
plus plan, ada@example.com, account acct-ada
  5 h   █████████████████░░░░░░░░░░░░░░░░░░░░░░░  42.5 %
        resets in 2 h 0 min (2026-11-21 14:00)
  week  ██░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░     7 %
        resets in 3 d 0 h (2026-11-24 12:00)\
""")


def test_a_bar_does_not_grow_beyond_what_the_eye_takes_in() -> None:
    assert screen(limits(), width=300).splitlines()[1].count('█') == 17
    assert screen(limits(), width=300).splitlines()[1].count('░') == 23


def test_a_terminal_that_knows_no_blocks() -> None:
    assert screen(limits(), cells=('#', '.')).isascii()


def test_a_window_that_blocks() -> None:
    used_up = limits(primary=RateLimitWindow(100, 300, NOW + timedelta(hours=2)), limit_reached=True)

    assert screen(used_up) == snapshot("""\
plus plan, ada@example.com, account acct-ada
  5 h   █████████████████████████  100 %  resets in 2 h 0 min (2026-11-21 14:00)
  week  █░░░░░░░░░░░░░░░░░░░░░░░░    7 %  resets in 3 d 0 h (2026-11-24 12:00)
  The 5-hour window is used up, and blocks until 2026-11-21 14:00.\
""")


def test_of_two_windows_that_block_the_one_that_ends_later() -> None:
    used_up = limits(
        primary=RateLimitWindow(100, 300, NOW + timedelta(hours=2)),
        secondary=RateLimitWindow(103.27, 10080, NOW + timedelta(days=3)),
    )

    assert screen(used_up).splitlines()[2:] == snapshot(
        [
            '  week  ███████████████████████  103.3 %  resets in 3 d 0 h (2026-11-24 12:00)',
            '  The weekly window is used up, and blocks until 2026-11-24 12:00.',
        ]
    )


def test_credits_may_be_a_way_on() -> None:
    used_up = limits(
        primary=RateLimitWindow(100, 300, NOW + timedelta(hours=2)),
        secondary=None,
        credits=Credits(True, False, '12.5'),
    )

    assert screen(used_up).splitlines()[2:] == snapshot(
        ['  credits: 12.5', '  The 5-hour window is used up until 2026-11-21 14:00; credits may stand in.']
    )


def test_a_window_that_blocks_until_nobody_knows_when() -> None:
    assert screen(limits(primary=RateLimitWindow(100), secondary=None)).splitlines()[1:] == snapshot(
        ['  primary  ████████████████████████████████████████  100 %', '  The primary window is used up.']
    )


def test_a_limit_that_is_reached_for_a_reason_of_its_own() -> None:
    assert screen(limits(limit_reached=True)).splitlines()[-1] == '  The backend says that this limit is reached.'


def test_a_period_that_is_over() -> None:
    over = limits(primary=RateLimitWindow(42.5, 300, NOW - timedelta(minutes=5)), secondary=None)

    assert 'has reset 5 minutes ago (2026-11-21 11:55)' in screen(over)


def test_other_limits_have_a_heading() -> None:
    other = limits(limit_id='codex_review', limit_name='Code review', secondary=None)
    nameless = limits(limit_id='codex_other', primary=None, secondary=None)

    assert screen(limits(others=(other, nameless))).splitlines()[3:] == snapshot(
        [
            'Code review',
            '  5 h  ██████████░░░░░░░░░░░░░░░  42.5 %  resets in 2 h 0 min (2026-11-21 14:00)',
            'codex_other',
            '  The backend tells of no window.',
        ]
    )


@pytest.mark.parametrize(
    ('credits', 'words'),
    [
        (Credits(True, False, '12.5'), '  credits: 12.5'),
        (Credits(True, True, None), '  credits: unlimited'),
        (Credits(False, False, '0'), '  credits: none'),
        (Credits(None, None, '3'), '  credits: 3'),
    ],
)
def test_credits(credits: Credits, words: str) -> None:
    assert words in screen(limits(credits=credits)).splitlines()


@pytest.mark.parametrize('credits', [None, Credits(), Credits(True)])
def test_credits_that_nobody_knows_are_not_shown(credits: Credits | None) -> None:
    assert 'credits' not in screen(limits(credits=credits))


def test_a_limit_of_which_little_is_known() -> None:
    unknown = limits(plan_type=None, primary=None, secondary=RateLimitWindow(0), limit_reached=None)

    assert usage_lines(unknown, Credentials('token'), now=NOW, width=80) == snapshot(
        ['unknown plan', '  secondary  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0 %']
    )


@pytest.mark.parametrize(
    ('percent', 'style'), [(0, '32'), (79.9, '32'), (80, '33'), (94.9, '33'), (95, '31'), (1e6, '31')]
)
def test_a_bar_has_the_colour_of_its_danger(percent: float, style: str) -> None:
    window = limits(primary=RateLimitWindow(percent), secondary=None)

    lines = usage_lines(window, ADA, now=NOW, width=80, paint=lambda text, style: f'<{style}>{text}</>')

    assert f'<{style}>' in lines[1]


@pytest.mark.parametrize(
    ('percent', 'drawn'),
    [(0, '..........'), (0.1, '#.........'), (42.5, '####......'), (99.9, '#########.'), (100, '##########'),
     (250, '##########')],
)  # fmt: skip
def test_a_bar_is_full_when_everything_is_used_up_and_not_before(percent: float, drawn: str) -> None:
    assert bar(percent, 10, ('#', '.')) == drawn


def test_a_percentage_is_not_rounded_up_to_the_end() -> None:
    assert ' 99.9 %' in screen(limits(primary=RateLimitWindow(99.99), secondary=None))


def test_what_the_backend_says_cannot_steer_the_terminal() -> None:
    shown = screen(limits(plan_type='pl\x1b[31mus\n', credits=Credits(True, False, '\u202e1')))

    assert '\x1b' not in shown
    assert '\u202e' not in shown


# The command.


def usage(backend: Backend, *arguments: str) -> int:
    return main(['usage', '--base-url', backend.base_url, *arguments])


def test_the_backend_is_asked_each_time(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    assert usage(backend) == OK
    backend.simulator.limits.use(primary=100)
    assert usage(backend) == OK

    out, err = capsys.readouterr()
    assert (out.count('  42 %  resets in '), out.count('  The 5-hour window is used up until ')) == (1, 1)
    assert err == ''
    assert backend.pages == ['usage', 'usage']


def test_as_json(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    assert usage(backend, '--json') == OK

    told = json.loads(capsys.readouterr().out)
    assert told['primary']['used_percent'] == 42
    assert told['account']['account_id'] == backend.simulator.credentials.account_id
    assert 'blocking' not in told


def test_a_backend_that_does_not_tell(backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    backend.simulator.fail_lookups(fail(503, message='Away.'))

    assert usage(backend) == FAILED
    assert usage(backend, '--json') == FAILED

    out, err = capsys.readouterr()
    assert json.loads(out)['error']['status_code'] == 503
    assert err.startswith('error: The backend answered 503: Away.')


def test_without_a_login(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['usage']) == NO_LOGIN

    assert '`codex login`' in capsys.readouterr().err


def test_an_api_key_has_no_plan(auth_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(auth_file, {'OPENAI_API_KEY': 'sk-secret'})

    assert main(['usage']) == FAILED

    err = capsys.readouterr().err
    assert err.startswith('error: Plan limits belong to ChatGPT logins, and this login is an API key.')
    assert 'secret' not in err


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['usage', '--base-url', 'http://example.com']) == USAGE

    assert '`--base-url`' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('environment', 'cell', 'has_colour'),
    [
        ({'PYTHONIOENCODING': 'utf-8'}, '█', True),
        ({'PYTHONIOENCODING': 'ascii'}, '#', True),
        ({'PYTHONIOENCODING': 'utf-8', 'NO_COLOR': '1'}, '█', False),
    ],
)
def test_the_screen_of_a_terminal(
    environment: dict[str, str], cell: str, has_colour: bool, backend: Backend, terminal: Callable[..., Any]
) -> None:
    backend.simulator.limits.secondary = LimitWindow(96, 10_080, 500_000)
    session = terminal('usage', '--base-url', backend.base_url, **backend.environment, **environment)

    assert session.end() == OK
    assert cell * 8 in session.shown
    assert ('\x1b[32m' in session.shown, '\x1b[31m' in session.shown) == (has_colour, has_colour)
