"""What becomes of a cached text: each transition, with the time that a test decides."""

from __future__ import annotations

import logging
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic_ai.exceptions import UserError

from pydantic_ai_codex._instructions import errand
from pydantic_ai_codex.errors import ConfigurationError
from pydantic_ai_codex.testing import CodexSimulator, answer_with, connect_error, fail, late_answer, rate_limited

from .programs import Programs, Time

pytestmark = pytest.mark.anyio

FILE = 'codex-rs/core/gpt_5_codex_prompt.md'
SLUG = 'gpt-5.1-codex'


async def test_the_first_start_fetches(programs: Programs, simulator: CodexSimulator, time: Time) -> None:
    found = await programs.start().get(SLUG)

    assert found.text == simulator.github.files()[FILE].strip()
    assert (found.ref, found.state, found.problem) == ('rust-v0.0.1', 'fetched', None)
    assert found.url == f'https://raw.githubusercontent.com/openai/codex/rust-v0.0.1/{FILE}'
    assert found.checked_at == time.moment
    assert programs.asked() == [('api', 200), ('raw', 200)]


async def test_a_fresh_text_costs_no_request(programs: Programs, time: Time) -> None:
    program = programs.start()
    first = await program.get(SLUG)
    programs.asked()
    time.passes(minutes=14, seconds=59)

    same, other = await program.get(SLUG), await programs.start().get(SLUG)

    assert (same.state, other.state) == ('fresh', 'fresh')
    assert same.text == other.text == first.text
    assert programs.asked() == []


async def test_after_fifteen_minutes_both_are_revalidated(programs: Programs, time: Time) -> None:
    await programs.start().get(SLUG)
    programs.asked()
    time.passes(minutes=15)
    program = programs.start()

    found = await program.get(SLUG)

    assert (found.state, found.checked_at) == ('revalidated', time.moment)
    assert programs.asked() == [('api', 304), ('raw', 304)]
    time.passes(minutes=14)
    assert (await program.get(SLUG)).state == 'fresh'
    assert (await programs.start().get(SLUG)).state == 'fresh'
    assert programs.asked() == []


async def test_a_release_that_was_looked_up_without_its_file_is_kept(
    programs: Programs, simulator: CodexSimulator, time: Time
) -> None:
    """The file was got a little later than the release, and so it is fresh for a little longer."""
    simulator.github.add(None, late_answer(before=lambda: time.passes(seconds=5)))
    await programs.start().get(SLUG)
    programs.asked()
    time.passes(minutes=14, seconds=58)

    assert (await programs.start().get(SLUG)).state == 'fresh'
    assert programs.asked() == [('api', 304)]
    assert (await programs.start().get(SLUG)).state == 'fresh'
    assert programs.asked() == []


async def test_a_new_release_is_taken_up(programs: Programs, simulator: CodexSimulator, time: Time) -> None:
    await programs.start().get(SLUG)
    programs.asked()
    simulator.github.publish('rust-v0.0.2')
    time.passes(minutes=15)

    found = await programs.start().get(SLUG)

    assert (found.ref, found.state) == ('rust-v0.0.2', 'fetched')
    assert found.text == simulator.github.files('rust-v0.0.2')[FILE].strip()
    assert programs.asked() == [('api', 200), ('raw', 200)]


async def test_a_file_that_changed_under_its_tag_is_fetched(
    programs: Programs, simulator: CodexSimulator, time: Time
) -> None:
    await programs.start().get(SLUG)
    programs.asked()
    simulator.github.publish('rust-v0.0.1', {**simulator.github.files(), FILE: 'Other words.'})
    time.passes(minutes=15)

    found = await programs.start().get(SLUG)

    assert (found.text, found.state) == ('Other words.', 'fetched')
    assert [host for host, status in programs.asked() if status == 200][-1] == 'raw'


FAILURES = [
    pytest.param(connect_error(), id='offline'),
    pytest.param(fail(500), id='500'),
    pytest.param(fail(451), id='451'),
    pytest.param(rate_limited(120), id='403'),
    pytest.param(rate_limited(120, status=429), id='429'),
    pytest.param(answer_with({'no': 'release'}), id='odd'),
]


@pytest.mark.parametrize('failure', FAILURES)
async def test_a_failure_leaves_the_stale_text(
    programs: Programs, simulator: CodexSimulator, time: Time, failure: object
) -> None:
    fetched = await programs.start().get(SLUG)
    simulator.github.fail_with(failure)  # pyright: ignore[reportArgumentType]
    time.passes(days=30)

    found = await programs.start().get(SLUG)

    assert (found.text, found.ref, found.state) == (fetched.text, fetched.ref, 'stale')
    assert found.problem is not None


@pytest.mark.parametrize('failure', FAILURES)
async def test_without_a_cache_a_failure_leaves_our_own_text(
    programs: Programs, simulator: CodexSimulator, failure: object, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.github.fail_with(failure)  # pyright: ignore[reportArgumentType]
    program = programs.start()

    found = await program.get(SLUG)
    await program.get(SLUG)

    assert (found.ref, found.state) == ('built-in', 'built-in')
    assert found.text
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert found.problem is not None
    assert found.problem in caplog.text


async def test_a_failure_is_remembered_by_every_program(
    programs: Programs, simulator: CodexSimulator, time: Time
) -> None:
    simulator.github.fail_with(connect_error())
    await programs.start().get(SLUG)
    programs.asked()
    time.passes(minutes=4, seconds=59)

    again, other_family = await programs.start().get(SLUG), await programs.start().get('gpt-5.1')

    assert (again.state, other_family.state) == ('built-in', 'built-in')
    assert again.problem == 'api.github.com was not reached (ConnectError); it is asked again after 12:05 UTC.'
    assert programs.asked() == []


async def test_after_a_while_it_is_tried_again(programs: Programs, simulator: CodexSimulator, time: Time) -> None:
    simulator.github.fail_with(connect_error())
    await programs.start().get(SLUG)
    simulator.github.recover()
    programs.asked()
    time.passes(minutes=5)

    assert (await programs.start().get(SLUG)).state == 'fetched'
    assert programs.asked() == [('api', 200), ('raw', 200)]


@pytest.mark.parametrize(
    ('seconds', 'minutes'), [(0, 1), (120, 2), (1800, 30), (86400, 60)], ids=['none', 'little', 'some', 'much']
)
@pytest.mark.parametrize('status', [403, 429])
async def test_a_rate_limit_says_when_to_ask_again(
    programs: Programs, simulator: CodexSimulator, time: Time, status: int, seconds: float, minutes: float
) -> None:
    simulator.github.fail_with(rate_limited(seconds, status=status))
    await programs.start().get(SLUG)
    simulator.github.recover()
    time.passes(minutes=minutes, seconds=-2)
    assert (await programs.start().get(SLUG)).state == 'built-in'

    time.passes(seconds=2)

    assert (await programs.start().get(SLUG)).state == 'fetched'


async def test_the_page_names_the_release_where_the_api_is_limited(
    programs: Programs, simulator: CodexSimulator
) -> None:
    simulator.github.fail_with(rate_limited(), host='api')

    found = await programs.start().get(SLUG)

    assert (found.ref, found.state) == ('rust-v0.0.1', 'fetched')
    assert programs.asked() == [('api', 403), ('page', 302), ('raw', 200)]


async def test_without_a_newer_tag_the_known_release_is_asked_for_other_files(
    programs: Programs, simulator: CodexSimulator, time: Time
) -> None:
    await programs.start().get(SLUG)
    for host in ('api', 'page'):
        simulator.github.fail_with(rate_limited(), host=host)
    time.passes(hours=2)

    found = await programs.start().get('gpt-5.1')

    assert (found.ref, found.state) == ('rust-v0.0.1', 'stale')
    assert found.text == simulator.github.files()['codex-rs/core/gpt_5_1_prompt.md'].strip()


async def test_a_new_release_whose_file_is_not_to_be_had_leaves_the_text_of_the_old(
    programs: Programs, simulator: CodexSimulator, time: Time
) -> None:
    fetched = await programs.start().get(SLUG)
    simulator.github.publish('rust-v0.0.2')
    simulator.github.fail_with(fail(503), host='raw')
    time.passes(minutes=15)

    found = await programs.start().get(SLUG)

    assert (found.text, found.ref, found.state) == (fetched.text, 'rust-v0.0.1', 'stale')


async def test_a_file_that_the_release_has_dropped_is_taken_from_a_commit(
    programs: Programs, simulator: CodexSimulator
) -> None:
    sha = '1d005f8cc65b39197baed8ed69b8b8592b0db194'
    simulator.github.commit(sha, {FILE: 'The words of then.'})
    simulator.github.remove(FILE)

    found = await programs.start().get(SLUG)

    assert (found.text, found.ref, found.is_pinned) == ('The words of then.', 'rust-v0.0.1', True)
    assert found.url == f'https://raw.githubusercontent.com/openai/codex/{sha}/{FILE}'
    assert programs.asked() == [('api', 200), ('raw', 404), ('raw', 200)]


async def test_a_dropped_file_that_is_nowhere_is_not_looked_for_at_every_start(
    programs: Programs, simulator: CodexSimulator, time: Time
) -> None:
    simulator.github.remove(FILE)
    await programs.start().get(SLUG)
    programs.asked()
    time.passes(minutes=14)

    found = await programs.start().get(SLUG)

    assert found.state == 'built-in'
    assert found.problem == (
        "openai/codex has no instructions for 'gpt-5.1-codex' at 'rust-v0.0.1'; it is asked again after 12:15 UTC."
    )
    assert programs.asked() == []
    assert (await programs.start().get('gpt-5.1')).state == 'fetched'


@pytest.mark.parametrize(
    'content',
    [b'', b' \n', b'\xff\xfe', b'<!DOCTYPE html><html>Sign in to the network</html>', b'{"message": "no"}'],
    ids=['empty', 'blank', 'bytes', 'page', 'json'],
)
async def test_a_file_of_no_use_leaves_the_stale_text(
    programs: Programs, simulator: CodexSimulator, time: Time, content: bytes
) -> None:
    fetched = await programs.start().get(SLUG)
    kind = 'application/json' if content.startswith(b'{') else 'text/plain'
    simulator.github.fail_with(answer_with(content, headers={'content-type': kind}), host='raw')
    time.passes(minutes=15)

    found = await programs.start().get(SLUG)

    assert (found.text, found.state) == (fetched.text, 'stale')
    assert found.problem is not None
    assert 'is of' in found.problem


async def test_newer_models_have_theirs_from_the_catalog(programs: Programs) -> None:
    found = await programs.start().get('gpt-6.1-sol')

    assert (found.name, found.state) == ('gpt-6.1-sol', 'fetched')
    assert found.url is not None
    assert found.url.endswith('/rust-v0.0.1/codex-rs/models-manager/models.json')
    assert 'gpt-6.1-sol in rust-v0.0.1' in found.text


async def test_a_model_that_no_catalog_knows_gets_the_text_for_all(
    programs: Programs, simulator: CodexSimulator
) -> None:
    found = await programs.start().get('gpt-99')

    assert found.text == simulator.github.files()['codex-rs/core/prompt.md'].strip()


@pytest.mark.parametrize('slug', ['../../etc/passwd', 'GPT-7', 'a' * 300, '\ud800', 'con', '.', 'x@y', 'ü'])
async def test_any_name_of_a_model_can_be_kept(programs: Programs, cache_dir: Path, slug: str) -> None:
    found = await programs.start().get(slug)

    assert found.path is not None
    assert found.path.parent == cache_dir / 'pydantic-ai-codex' / 'instructions'
    assert (await programs.start().get(slug)).state == 'fresh'


# A pinned release.


async def test_a_pinned_release_is_asked_for_once(programs: Programs, simulator: CodexSimulator, time: Time) -> None:
    simulator.github.publish('rust-v0.150.0', latest=False)

    found = await programs.start().get(SLUG, ref='rust-v0.150.0')

    assert (found.ref, found.state) == ('rust-v0.150.0', 'fetched')
    assert programs.asked() == [('raw', 200)]
    time.passes(days=365)
    simulator.github.fail_with(connect_error())
    assert (await programs.start().get(SLUG, ref='rust-v0.150.0')).state == 'fresh'
    assert programs.asked() == []


async def test_a_pinned_release_without_the_file_is_an_error(programs: Programs, simulator: CodexSimulator) -> None:
    simulator.github.commit('1d005f8cc65b39197baed8ed69b8b8592b0db194', {FILE: 'The words of then.'})

    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"no instructions for 'gpt-5\.1-codex' at 'rust-v9\.9\.9'"):
            await programs.start().get(SLUG, ref='rust-v9.9.9')

    assert programs.asked() == [('raw', 404)]


async def test_a_pinned_release_that_cannot_be_had_is_no_error(programs: Programs, simulator: CodexSimulator) -> None:
    simulator.github.fail_with(connect_error())

    assert (await programs.start().get(SLUG, ref='rust-v0.0.1')).state == 'built-in'


async def test_the_text_of_another_release_does_not_stand_in_for_a_pinned_one(
    programs: Programs, simulator: CodexSimulator
) -> None:
    await programs.start().get(SLUG)
    simulator.github.publish('rust-v0.150.0', latest=False)
    simulator.github.fail_with(connect_error())

    assert (await programs.start().get(SLUG, ref='rust-v0.150.0')).state == 'built-in'


async def test_a_cache_folder_of_nobody_is_an_error(simulator: CodexSimulator) -> None:
    program = simulator.provider(cache_dir='~nobody-of-that-name/cache').client.instructions

    with pytest.raises(ConfigurationError, match='no home folder'):
        await program.get(SLUG)


@pytest.mark.parametrize('cache_dir', [True, 7, b'x'])
def test_what_is_no_cache_folder_is_an_error(simulator: CodexSimulator, cache_dir: Any) -> None:
    with pytest.raises(UserError, match='`cache_dir` takes a folder'):
        simulator.provider(cache_dir=cache_dir)


@pytest.mark.parametrize('ref', ['', ' ', 'a/b', '../x', '-x', 'x' * 200, 'a b', 'rust-v1\n', 'ü'])
async def test_what_cannot_be_a_ref_is_an_error(programs: Programs, ref: str) -> None:
    with pytest.raises(ConfigurationError, match='neither the tag of a release'):
        await programs.start().get(SLUG, ref=ref)


async def test_our_own_text_can_be_pinned(programs: Programs) -> None:
    found = await programs.start().get(SLUG, ref='built-in')

    assert (found.state, found.problem) == ('built-in', None)
    assert programs.asked() == []


# What a conversation began with.


async def test_a_conversation_keeps_its_release(programs: Programs, simulator: CodexSimulator, time: Time) -> None:
    first = await programs.start().get(SLUG)
    simulator.github.publish('rust-v0.0.2')
    time.passes(hours=1)
    assert (await programs.start().get(SLUG)).ref == 'rust-v0.0.2'
    programs.asked()

    kept = await programs.start().get(SLUG, used=first.ref)

    assert (kept.text, kept.ref, kept.state) == (first.text, 'rust-v0.0.1', 'fresh')
    assert programs.asked() == []


async def test_a_conversation_of_another_machine_gets_its_release(
    programs: Programs, simulator: CodexSimulator
) -> None:
    simulator.github.publish('rust-v0.150.0', latest=False)

    found = await programs.start().get(SLUG, used='rust-v0.150.0')

    assert found.ref == 'rust-v0.150.0'
    assert programs.asked() == [('raw', 200)]


async def test_a_conversation_that_began_with_our_own_text_keeps_it(programs: Programs) -> None:
    assert (await programs.start().get(SLUG, used='built-in')).state == 'built-in'
    assert programs.asked() == []


@pytest.mark.parametrize('used', ['main', '0' * 40, 'refs/heads/x', '../..', 'x' * 500, ''])
async def test_a_history_cannot_name_any_commit(programs: Programs, used: str) -> None:
    found = await programs.start().get(SLUG, used=used)

    assert found.ref == 'rust-v0.0.1'


# Refreshing on demand.


async def test_a_refresh_asks_whatever_is_cached_and_remembered(
    programs: Programs, simulator: CodexSimulator, time: Time
) -> None:
    await programs.start().get(SLUG)
    simulator.github.fail_with(connect_error())
    time.passes(minutes=15)
    await programs.start().get(SLUG)
    simulator.github.recover()
    programs.asked()
    time.passes(seconds=1)

    found = await programs.start().get(SLUG, refresh=True)

    assert found.state == 'revalidated'
    assert programs.asked() == [('api', 304), ('raw', 304)]
    assert (await programs.start().get(SLUG)).state == 'fresh'


async def test_a_refresh_that_fails_says_so(programs: Programs, simulator: CodexSimulator, time: Time) -> None:
    fetched = await programs.start().get(SLUG)
    simulator.github.fail_with(connect_error())
    time.passes(seconds=1)

    found = await programs.start().get(SLUG, refresh=True)

    assert (found.text, found.state) == (fetched.text, 'stale')
    assert found.problem == 'api.github.com was not reached (ConnectError); it is asked again after 12:05 UTC.'


# Time and patience.


@pytest.mark.parametrize('span', [-3600, 10**9])
async def test_a_clock_that_jumps_only_makes_it_ask_again(
    programs: Programs, simulator: CodexSimulator, time: Time, span: float
) -> None:
    await programs.start().get(SLUG)
    programs.asked()
    time.passes(seconds=span)

    found = await programs.start().get(SLUG)

    assert found.state == 'revalidated'
    simulator.github.fail_with(connect_error())
    time.passes(days=-30)
    assert (await programs.start().get(SLUG)).state == 'stale'


@pytest.mark.parametrize('has_text', [True, False])
async def test_github_that_does_not_answer_is_not_waited_for_longer_than_the_budget(
    programs: Programs, simulator: CodexSimulator, time: Time, monkeypatch: pytest.MonkeyPatch, has_text: bool
) -> None:
    assert (errand.BUDGET, errand.STALE_BUDGET) == (20, 2)
    if has_text:
        await programs.start().get(SLUG)
        time.passes(minutes=15)
    monkeypatch.setattr(errand, 'STALE_BUDGET' if has_text else 'BUDGET', 1)
    simulator.github.fail_with(late_answer(seconds=math.inf))

    found = await programs.start().get(SLUG)

    assert found.state == ('stale' if has_text else 'built-in')
    assert found.problem is not None
    assert 'did not answer in time' in found.problem
    programs.asked()
    await programs.start().get(SLUG)
    assert programs.asked() == []


async def test_nothing_is_written_where_nothing_shall_be(
    simulator: CodexSimulator, cache_dir: Path, time: Time
) -> None:
    program = simulator.provider(cache_dir=False).client.instructions

    found = await program.get(SLUG)

    assert (found.state, found.path) == ('fetched', None)
    assert (await program.get(SLUG)).state == 'fresh'
    time.passes(minutes=15)
    assert (await program.get(SLUG)).state == 'revalidated'
    assert not await anyio.Path(cache_dir).exists()


def test_the_spans_are_those_that_are_promised() -> None:
    from pydantic_ai_codex._instructions import steps

    assert timedelta(minutes=15) == steps.TTL
