from __future__ import annotations

from pathlib import Path

import pytest

from pydantic_ai_codex.auth import Credentials
from pydantic_ai_codex.auth._login.restrictions import Restrictions, restrictions_of
from pydantic_ai_codex.errors import LoginError


@pytest.fixture
def auth_path(tmp_path: Path) -> Path:
    return tmp_path / 'auth.json'


def restrict(auth_path: Path, content: str | bytes) -> Restrictions:
    content = content.encode() if isinstance(content, str) else content
    auth_path.with_name('config.toml').write_bytes(content)
    return restrictions_of(auth_path)


def test_without_a_configuration(auth_path: Path) -> None:
    restrictions = restrictions_of(auth_path)

    assert (restrictions.method, restrictions.workspaces, restrictions.problem) == (None, (), None)
    restrictions.check_method('chatgpt')
    restrictions.check_method('api')
    assert restrictions.choose_workspaces([]) == ()
    assert restrictions.choose_workspaces(['w-1']) == ('w-1',)


@pytest.mark.parametrize(
    ('value', 'workspaces'),
    [('"w-1"', ('w-1',)), ('["w-1", " w-2 "]', ('w-1', 'w-2')), ('""', ()), ('[]', ())],
)
def test_workspaces(auth_path: Path, value: str, workspaces: tuple[str, ...]) -> None:
    restrictions = restrict(auth_path, f'model = "x"\nforced_chatgpt_workspace_id = {value}\n')

    assert (restrictions.workspaces, restrictions.problem) == (workspaces, None)
    assert restrictions.choose_workspaces([]) == workspaces


def test_a_workspace_has_to_be_wanted_and_allowed(auth_path: Path) -> None:
    restrictions = restrict(auth_path, 'forced_chatgpt_workspace_id = ["w-1", "w-2"]')

    assert restrictions.choose_workspaces(['w-2', 'w-3']) == ('w-2',)
    with pytest.raises(LoginError, match="Only 'w-1' or 'w-2' may log in here") as raised:
        restrictions.choose_workspaces(['w-3'])
    assert raised.value.reason == 'workspace'


def test_one_way_to_log_in(auth_path: Path) -> None:
    restrictions = restrict(auth_path, 'forced_login_method = "chatgpt"')

    restrictions.check_method('chatgpt')
    with pytest.raises(LoginError, match='Only logging in with ChatGPT') as raised:
        restrictions.check_method('api')
    assert raised.value.reason == 'disabled'


def test_the_other_way(auth_path: Path) -> None:
    restrictions = restrict(auth_path, 'forced_login_method = "api"')

    restrictions.check_method('api')
    with pytest.raises(LoginError, match='API key'):
        restrictions.check_method('chatgpt')


@pytest.mark.parametrize(
    ('content', 'problem'),
    [
        ('forced_login_method = ', 'cannot be read'),
        (b'\xff\xfe', 'cannot be read'),
        (b'a = "' + b'x' * 2**20 + b'"', 'far too large'),
        ('forced_login_method = "sso"', '`forced_login_method` is neither'),
        ('forced_login_method = ["api"]', '`forced_login_method` is neither'),
        ('forced_chatgpt_workspace_id = 7', '`forced_chatgpt_workspace_id` is neither'),
        ('forced_chatgpt_workspace_id = ["w-1", 7]', '`forced_chatgpt_workspace_id` is neither'),
    ],
)
def test_what_is_not_understood_restricts_nothing_and_is_told(
    auth_path: Path, content: str | bytes, problem: str
) -> None:
    restrictions = restrict(auth_path, content)

    assert (restrictions.method, restrictions.workspaces) == (None, ())
    assert restrictions.problem is not None
    assert problem in restrictions.problem
    assert str(auth_path.parent) in restrictions.problem


@pytest.mark.parametrize(('value', 'may'), [('keyring', 'does not'), ('auto', 'may not'), ('ephemeral', 'does not')])
def test_the_cli_may_keep_its_login_elsewhere(auth_path: Path, value: str, may: str) -> None:
    unshared = restrict(auth_path, f'cli_auth_credentials_store = "{value}"').unshared

    assert unshared is not None
    assert f'{may} use this file, as `cli_auth_credentials_store` is {value!r}' in unshared


@pytest.mark.parametrize('content', ['', 'cli_auth_credentials_store = "file"', 'cli_auth_credentials_store = []'])
def test_the_cli_keeps_its_login_in_the_file(auth_path: Path, content: str) -> None:
    assert restrict(auth_path, content).unshared is None


def test_a_file_of_another_name_has_no_configuration(auth_path: Path) -> None:
    restrict(auth_path, 'forced_login_method = "api"')

    assert restrictions_of(auth_path.with_name('work.json')) == Restrictions()


@pytest.mark.parametrize(
    ('content', 'credentials', 'problem'),
    [
        ('forced_login_method = "api"', Credentials('t', account_id='w-1'), '`forced_login_method`'),
        ('forced_login_method = "chatgpt"', Credentials('sk-1', auth_mode='apikey'), '`forced_login_method`'),
        ('forced_chatgpt_workspace_id = "w-2"', Credentials('t', account_id='w-1'), "account 'w-1'"),
        ('forced_chatgpt_workspace_id = "w-1"', Credentials('t', account_id='w-1'), None),
        ('forced_chatgpt_workspace_id = "w-2"', Credentials('sk-1', auth_mode='apikey'), None),
    ],
)
def test_a_login_that_the_cli_would_end(
    auth_path: Path, content: str, credentials: Credentials, problem: str | None
) -> None:
    told = restrict(auth_path, content).problem_of(credentials)

    assert told is None if problem is None else problem in (told or '')


def test_a_folder_in_its_place(auth_path: Path) -> None:
    auth_path.with_name('config.toml').mkdir()

    assert 'cannot be read' in (restrictions_of(auth_path).problem or '')
