"""What a driver does with its processes, of which these are made up, and say what they are told to."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchmarks import imports, peers, profiling
from benchmarks import processes as processes_module
from benchmarks.__main__ import how_it_stopped, main
from benchmarks.measures import TASKS, Task, chosen
from benchmarks.peers import MODELS
from benchmarks.processes import LineProcess, Processes, ProcessFailed
from benchmarks.results import Results
from benchmarks.run import OursIsWrong, check, measure, turned

SERVER = (sys.executable, '-c', 'import sys; print(\'{"port": 7}\', flush=True); sys.stdin.read()')

WORKER = """
import json, sys
for line in sys.stdin:
    order = json.loads(line)
    if order['do'] == 'die':
        sys.exit('it was too much')
    if order['do'] == 'hang':
        sys.stdin.read()
    print('{"subject": "made up", "number": 1}' if order['do'] == 'about' else 'nonsense', flush=True)
"""


class Made(Processes):
    """Workers that are the program above."""

    def worker_command(self, subject: str) -> tuple[str, ...]:
        return (sys.executable, '-c', WORKER)


@pytest.fixture
def made() -> Iterator[Made]:
    with Made(SERVER) as found:
        yield found


def ignore(what: str, done: float) -> None:
    """Nobody looks at the progress."""


# Processes.


def test_the_server_says_where_it_is(made: Made) -> None:
    assert made.port == 7


def test_a_worker_answers(made: Made) -> None:
    assert made.ask('one', {'do': 'about'}) == {'subject': 'made up', 'number': 1}
    assert made.ask_anew('one', {'do': 'about'}) == {'subject': 'made up', 'number': 1}


def test_a_worker_that_dies_says_why_and_the_next_question_finds_another(made: Made) -> None:
    dead = made.ask('one', {'do': 'die'})

    assert dead['error'].startswith('one ended')
    assert 'it was too much' in dead['error']
    assert made.ask('one', {'do': 'about'})['number'] == 1


def test_what_is_no_json_is_an_error(made: Made) -> None:
    assert "said b'nonsense" in made.ask('one', {'do': 'else'})['error']


def test_a_worker_that_hangs_is_killed(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes_module, 'ANSWER', 0.05)

    assert 'silent' in made.ask('one', {'do': 'hang'})['error']


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[LineProcess]:
    """The processes, as they are started."""
    found: list[LineProcess] = []

    class Kept(LineProcess):
        def __init__(self, name: str, command: Sequence[str]) -> None:
            super().__init__(name, command)
            found.append(self)

    monkeypatch.setattr(processes_module, 'LineProcess', Kept)
    return found


def test_every_process_ends_with_the_run(started: list[LineProcess]) -> None:
    with pytest.raises(KeyboardInterrupt) as stop, Made(SERVER) as made:
        made.ask('one', {'do': 'about'})
        raise KeyboardInterrupt

    assert [process.name for process in started] == ['the server', 'one']
    assert all(process.poll() is not None for process in started)
    assert how_it_stopped(stop.value) == 'Stopped; the server and the workers have ended.'


def test_a_second_interrupt_does_not_keep_the_others_from_ending(
    started: list[LineProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(close: Callable[[], None]) -> None:
        close()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stop, Made(SERVER) as made:
        made.ask('one', {'do': 'about'})
        made.ask('two', {'do': 'about'})
        monkeypatch.setattr(started[1], 'close', partial(interrupted, started[1].close))
        raise KeyboardInterrupt

    assert all(process.poll() is not None for process in started)
    assert how_it_stopped(stop.value) == 'Stopped at once; some process may still run.'


def test_a_server_that_is_gone_ends_the_run() -> None:
    with Made((sys.executable, '-c', 'print(\'{"port": 1}\', flush=True); raise SystemExit("out of memory")')) as made:
        with pytest.raises(ProcessFailed, match=r'the server did not answer'):
            made.server_says('/stats')
        with pytest.raises(ProcessFailed, match=r'(?s)the server ended with 1.*out of memory'):
            for _ in range(1000):  # it takes a moment to end
                made.ask('one', {'do': 'die'})


def test_who_has_no_environment_is_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peers, 'LITELLM_PYTHON', tmp_path / 'python')
    reason = {'unsupported': 'its environment is not there, `make bench` makes it'}

    with Processes(SERVER) as processes:
        assert processes.ask('litellm', {'do': 'about'}) == reason
        assert processes.ask_anew('litellm', {'do': 'about'}) == reason
    assert imports.imported('import litellm') == reason


@pytest.mark.parametrize(
    ('subject', 'what', 'mistake'),
    [
        ('ours', 'a', None),
        ('ours', '10/0', None),
        ('ours', 'x/y', "'x/y' is neither a stream, such as a, nor MESSAGES/TOOLS"),
        ('ours', 'z', "'z' is neither a stream, such as a, nor MESSAGES/TOOLS"),
    ],
)
def test_what_can_be_profiled(subject: str, what: str, mistake: str | None) -> None:
    assert profiling.mistake(subject, what) == mistake


def test_whom_nobody_can_profile(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['--profile', 'theirs', 'a'])

    assert "--profile: there is no subject 'theirs'; there are ours, " in capsys.readouterr().err


def test_a_server_that_does_not_start_is_said() -> None:
    with (
        pytest.raises(ProcessFailed, match=r'(?s)the server ended.*no port'),
        Made((sys.executable, '-c', 'exit("no port")')),
    ):
        pass


def test_a_process_that_is_gone_cannot_be_asked(until: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
    gone = LineProcess('it', (sys.executable, '-c', 'pass'))
    try:
        with pytest.raises(ProcessFailed, match='it ended'):
            gone.hear(30)
        anyio.run(until, lambda: gone.poll() is not None)

        with pytest.raises(ProcessFailed, match='it is not there any more'):
            gone.say({'do': 'about'})
    finally:
        gone.close()


# A run.


class Answers:
    """Processes that answer as they are told, and note whom they were asked about."""

    def __init__(self, answers: Mapping[tuple[str, str], dict[str, Any]]) -> None:
        self._answers = answers
        self._running: set[str] = set()
        self.asked: list[tuple[str, str]] = []

    def ask(self, subject: str, order: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append((subject, order['do']))
        self._running.add(subject)
        usual: dict[str, dict[str, Any]] = {
            'about': {'versions': {subject: '1'}},
            'check': {'problems': []},
            'stream': {'cpu': 1.0, 'wall': 2.0, 'events': 10},
        }
        answer = self._answers.get((subject, order['do'])) or usual[order['do']]
        if 'error' in answer:
            self._running.discard(subject)
        return answer

    ask_anew = ask

    def is_running(self, subject: str) -> bool:
        return subject in self._running

    def end(self, subject: str) -> None:
        self.asked.append((subject, 'end'))
        self._running.discard(subject)

    def timed(self, what: str) -> list[str]:
        """Who was asked for it, without the checks and the untimed run before."""
        found = [subject for subject, each in self.asked if each == what]
        return found[len(set(found)) :]

    def server_says(self, path: str) -> dict[str, Any]:
        return {'body_bytes': 2_000_000, 'last_body_bytes': 5_000}


def task(key: str) -> Task:
    return next(each for each in TASKS if each.key == key)


def test_subjects_are_asked_by_turns_and_another_one_is_the_first_each_time() -> None:
    asked = Answers({})

    measure(asked, Results(), [(task('stream/a/agent'), 3)], ignore)

    timed = asked.timed('stream')
    assert sorted(timed) == sorted(MODELS * 3)
    assert sorted(timed[:: len(MODELS)]) == sorted(MODELS)


def test_every_order_has_every_subject() -> None:
    orders = [turned('abc', number) for number in range(4)]

    assert orders == [['a', 'b', 'c'], ['b', 'c', 'a'], ['c', 'a', 'b'], ['a', 'b', 'c']]


def test_everybody_does_a_task_once_before_it_is_timed() -> None:
    orders: list[Mapping[str, Any]] = []

    class Kept(Answers):
        def ask(self, subject: str, order: Mapping[str, Any]) -> dict[str, Any]:
            orders.append(order)
            return super().ask(subject, order)

    results, asked = Results(), Kept({})
    check(asked, results, MODELS, ignore)
    orders.clear()
    measure(asked, results, [(task('stream/d/agent'), 2)], ignore)

    assert [order['count'] for order in orders] == [1] * len(MODELS) + [20] * 2 * len(MODELS)
    assert len(results.of('stream/d/agent/cpu', 'ours')) == 2


def test_a_worker_that_begins_anew_is_checked_before_it_is_timed() -> None:
    results, asked = Results(), Answers({})
    check(asked, results, MODELS, ignore)
    asked.end('upstream')
    asked.asked.clear()

    measure(asked, results, [(task('stream/a/agent'), 1)], ignore)

    assert {subject for subject, what in asked.asked if what == 'check'} == {'upstream'}
    assert asked.asked.index(('upstream', 'check')) < asked.asked.index(('upstream', 'stream'))


def test_what_came_before_a_failure_is_no_figure() -> None:
    class Dying(Answers):
        def ask(self, subject: str, order: Mapping[str, Any]) -> dict[str, Any]:
            is_third = self.asked.count((subject, 'stream')) == 2
            return {'error': 'it died'} if (subject, is_third) == ('upstream', True) else super().ask(subject, order)

    results = Results()
    measure(Dying({}), results, [(task('stream/a/agent'), 3)], ignore)

    assert results.of('stream/a/agent/cpu', 'upstream') == []
    assert results.absent['stream/a/agent']['upstream'] == 'it fails: it died'
    assert len(results.of('stream/a/agent/cpu', 'ours')) == 3


def test_an_answer_becomes_samples() -> None:
    results = Results()

    measure(Answers({}), results, [(task('stream/a/agent'), 2)], ignore)

    assert results.of('stream/a/agent/cpu', 'ours') == [1e5, 1e5]
    assert results.of('stream/a/agent/rate', 'ours') == [5.0, 5.0]
    assert results.rounds == {'stream/a/agent': 2}


def test_who_cannot_is_asked_once_and_the_others_go_on() -> None:
    results = Results()
    asked = Answers({('upstream', 'stream'): {'unsupported': 'no'}, ('ours-aiohttp', 'stream'): {'error': 'a crash'}})

    measure(asked, results, [(task('stream/a/agent'), 3)], ignore)

    assert results.absent == {'stream/a/agent': {'upstream': 'no', 'ours-aiohttp': 'it fails: a crash'}}
    assert asked.asked.count(('upstream', 'stream')) == 1
    assert results.of('stream/a/agent/cpu', 'upstream') == []
    assert len(results.of('stream/a/agent/cpu', 'ours')) == 3
    assert results.failures() == ['ours-aiohttp, stream/a/agent: it fails: a crash']


def test_the_server_counts_the_bytes() -> None:
    results = Results()
    asked = Answers({(name, 'conversation'): {'messages': 200} for name in MODELS})

    measure(asked, results, [(task('bytes'), 1)], ignore)

    assert results.of('bytes/total', 'ours') == [2.0]
    assert results.of('bytes/last', 'upstream') == [5.0]


def test_memory_is_measured_in_a_process_that_has_done_nothing_else() -> None:
    asked = Answers(
        {(name, 'memory'): {'rss': {'0': 1, '500': 2, '1000': 3}} for name in task('memory').subjects},
    )

    measure(asked, Results(), [(task('memory'), 1)], ignore)

    assert [what for subject, what in asked.asked if subject == 'ours'] == ['end', 'memory']
    assert not asked.timed('memory')


def test_progress_goes_from_nothing_to_less_than_all() -> None:
    seen: list[float] = []

    measure(Answers({}), Results(), [(task('stream/a/agent'), 4)], lambda what, done: seen.append(done))

    assert seen == [0.0, 0.0, 0.25, 0.5, 0.75]


# The check.


def test_everybody_is_checked_and_says_its_version() -> None:
    results = Results()

    check(Answers({}), results, ('ours', 'litellm'), ignore)

    assert results.versions == {'ours': '1', 'litellm': '1'}
    assert results.problems['litellm']['a/model'] == []
    assert 'a/agent' in results.problems['ours']
    assert 'a/agent' not in results.problems['litellm']


def test_others_may_be_wrong() -> None:
    results = Results()

    check(Answers({('litellm', 'check'): {'problems': ['merged']}}), results, ('ours', 'litellm'), ignore)

    assert 'a/model: merged' in results.problems_of('litellm')


@pytest.mark.parametrize(
    ('answer', 'message'),
    [({'problems': ['merged']}, 'ours, a/model: merged'), ({'error': 'a crash'}, 'ours, a/model: it fails: a crash')],
)
def test_this_package_may_not(answer: dict[str, Any], message: str) -> None:
    with pytest.raises(OursIsWrong, match=message):
        check(Answers({('ours', 'check'): answer}), Results(), ('ours', 'litellm'), ignore)


def test_without_this_package_there_is_no_run() -> None:
    with pytest.raises(OursIsWrong, match='ours does not run: it fails: no module'):
        check(Answers({('ours', 'about'): {'error': 'no module'}}), Results(), ('ours',), ignore)


def test_another_one_may_be_missing() -> None:
    results = Results()
    asked = Answers({('litellm', 'about'): {'error': 'no module'}})

    check(asked, results, ('ours', 'litellm'), ignore)
    measure(asked, results, chosen(('streams',), quick=True, rounds=1), ignore)

    assert results.absent['all'] == {'litellm': 'it fails: no module'}
    assert ('litellm', 'stream') not in asked.asked
