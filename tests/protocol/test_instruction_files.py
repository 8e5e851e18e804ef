"""Where the instructions of a model are, and what a file makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pydantic_ai_codex._protocol.instruction_files import (
    InstructionFile,
    UnusableTextError,
    is_release,
    read_text,
    source_of,
)
from pydantic_ai_codex._protocol.model_facts import MODEL_ALIASES, MODEL_FACTS
from pydantic_ai_codex._protocol.prompts import TOOL_BRIDGE, is_toolchain_prompt

TEXT = InstructionFile('codex-rs/core/prompt.md')
CATALOG = InstructionFile('codex-rs/models-manager/models.json', is_catalog=True)


@pytest.mark.parametrize(
    ('slug', 'file'),
    [
        ('gpt-5.1-codex-max', 'codex-rs/core/gpt-5.1-codex-max_prompt.md'),
        ('gpt-5-codex-max', 'codex-rs/core/gpt-5.1-codex-max_prompt.md'),
        ('gpt-5.3-codex', 'codex-rs/core/gpt-5.2-codex_prompt.md'),
        ('gpt-5.3-codex-spark', 'codex-rs/core/gpt-5.2-codex_prompt.md'),
        ('gpt-5.2-codex', 'codex-rs/core/gpt-5.2-codex_prompt.md'),
        ('gpt-5.1-codex', 'codex-rs/core/gpt_5_codex_prompt.md'),
        ('gpt-5.1-codex-mini', 'codex-rs/core/gpt_5_codex_prompt.md'),
        ('gpt-5-codex', 'codex-rs/core/gpt_5_codex_prompt.md'),
        ('GPT-5-Codex-preview', 'codex-rs/core/gpt_5_codex_prompt.md'),
        ('codex-mini-latest', 'codex-rs/core/gpt_5_codex_prompt.md'),
        ('gpt-5.2', 'codex-rs/core/gpt_5_2_prompt.md'),
        ('gpt-5.1', 'codex-rs/core/gpt_5_1_prompt.md'),
        ('gpt-5.1-preview', 'codex-rs/core/gpt_5_1_prompt.md'),
        ('gpt-5.12', 'codex-rs/models-manager/models.json'),
        ('gpt-5.4', 'codex-rs/models-manager/models.json'),
        ('gpt-5.5', 'codex-rs/models-manager/models.json'),
        ('gpt-6.1-sol', 'codex-rs/models-manager/models.json'),
        ('gpt-7-codex', 'codex-rs/models-manager/models.json'),
        ('codex-auto-review', 'codex-rs/models-manager/models.json'),
        ('o3', 'codex-rs/models-manager/models.json'),
    ],
)
def test_the_file_of_a_model(slug: str, file: str) -> None:
    assert source_of(slug).files[0].path == file


@pytest.mark.parametrize('slug', sorted({*MODEL_FACTS, *MODEL_ALIASES.values()}))
def test_every_known_model_has_a_source_that_does_not_depend_on_the_newest_release(slug: str) -> None:
    files = source_of(slug).files

    assert files[0].sha is None
    assert any(file.sha is not None and len(file.sha) == 40 for file in files)


def test_models_of_a_family_share_what_is_kept() -> None:
    assert source_of('gpt-5.1-codex').name == source_of('gpt-5.1-codex-mini').name == 'gpt_5_codex_prompt'


def test_a_model_does_not_share_what_is_kept_with_a_family_of_its_name() -> None:
    assert source_of('gpt_5_codex_prompt').name != source_of('gpt-5.1-codex').name


def test_names_that_differ_only_in_what_a_file_system_ignores_are_kept_apart() -> None:
    assert source_of('gpt-9-Big').name.lower() != source_of('gpt-9-big').name.lower()


def test_a_url_holds_nothing_that_leads_elsewhere() -> None:
    assert (
        TEXT.url('a/../b?c#d')
        == 'https://raw.githubusercontent.com/openai/codex/a%2F..%2Fb%3Fc%23d/codex-rs/core/prompt.md'
    )


@pytest.mark.parametrize(
    'ref', ['rust-v0.169.0', 'v1.2', 'rust-v0.170.0-alpha.3', 'codex-cli-0.200.1', '0.9.1', 'built-in']
)
def test_what_a_history_may_name(ref: str) -> None:
    assert is_release(ref)


@pytest.mark.parametrize(
    'ref', ['main', 'a' * 40, 'rust-v1', 'rust-v1.0/../..', 'v1.0 ', 'v1.0\n', 'v1.' + '1' * 70, '', None, 7]
)
def test_what_a_history_may_not_name(ref: object) -> None:
    assert not is_release(ref)


def test_what_is_for_features_of_the_cli_is_left_out() -> None:
    text = (
        'Before.\n\n<!-- js_repl:start -->\n## A feature\n<!-- js_repl_tools_only:start -->\nMore of it: {{TOOLS}}\n'
        '<!-- js_repl_tools_only:end -->\n<!-- js_repl:end -->\n\n## After {{ personality }}\nThe end.\n'
    )

    assert read_text(text.encode(), TEXT, 'gpt-5.1') == 'Before.\n\n## After \nThe end.'


@pytest.mark.parametrize(
    ('text', 'kept'),
    [
        ('a <!-- x:start -->b<!-- x:end --> c <!-- x:start -->d<!-- x:end -->', 'a  c'),
        ('a <!-- x:end --> b <!-- x:start -->c<!-- x:end -->', 'a <!-- x:end --> b'),
        ('a <!-- x:start -->b<!-- y:start -->c<!-- x:end -->d<!-- y:end -->', 'a d<!-- y:end -->'),
        ('a <!-- x:start -->b<!-- y:start -->c<!-- y:end -->', 'a <!-- x:start -->b'),
    ],
)
def test_features_beside_and_within_each_other(text: str, kept: str) -> None:
    assert read_text(text.encode(), TEXT, 'x') == kept


def test_marks_without_an_end_cost_little() -> None:
    text = ''.join(f'<!-- a{number}:start -->' for number in range(20_000))

    assert read_text(text.encode(), TEXT, 'x') == text


def test_a_text_that_is_far_too_long_is_of_no_use() -> None:
    with pytest.raises(UnusableTextError, match='too long'):
        read_text(b'x' * (1024 * 1024 + 1), TEXT, 'x')


def test_a_comment_that_is_none_of_a_feature_stays() -> None:
    assert read_text(b'<!-- a:start --> kept <!-- b:end -->', TEXT, 'x') == '<!-- a:start --> kept <!-- b:end -->'


def catalog(**entry: Any) -> bytes:
    return json.dumps({'models': [{'slug': 'other'}, {'slug': 'gpt-7', **entry}]}).encode()


def test_the_template_of_a_catalog_wins() -> None:
    content = catalog(base_instructions='Old.', model_messages={'instructions_template': 'New.'})

    assert read_text(content, CATALOG, 'gpt-7') == 'New.'


def test_a_catalog_without_templates_has_base_instructions() -> None:
    content = catalog(base_instructions='Old.', model_messages={'instructions_template': None})

    assert read_text(content, CATALOG, 'gpt-7') == 'Old.'


def test_a_variable_of_a_template_has_its_default() -> None:
    messages = {
        'instructions_template': 'You are {{ personality }}. {{other}}',
        'instructions_variables': {
            'personality_default': 'calm',
            'personality_friendly': 'warm',
            'other_default': None,
        },
    }

    assert read_text(catalog(model_messages=messages), CATALOG, 'gpt-7') == 'You are calm.'


def test_a_catalog_without_the_model_is_no_failure() -> None:
    assert read_text(catalog(base_instructions='x'), CATALOG, 'gpt-8') is None


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'{',
        b'[]',
        b'{"models": {}}',
        b'\xff',
        catalog(),
        catalog(base_instructions=7),
        catalog(model_messages=[]),
        catalog(base_instructions=' {{x}} '),
        b'{"models": [{"slug": "gpt-7", "base_instructions": "\\ud800"}]}',
    ],
)
def test_a_catalog_of_no_use_is_an_error(content: bytes) -> None:
    with pytest.raises(UnusableTextError):
        read_text(content, CATALOG, 'gpt-7')


@pytest.mark.parametrize(
    'text',
    ['Toolchain System Prompt: ...', 'x\n<toolchain::system>', 'This is the LEGACY TOOLCHAIN.'],
)
def test_a_prompt_about_the_toolchain_of_a_host_program_is_known(text: str) -> None:
    assert is_toolchain_prompt(text)


@pytest.mark.parametrize('text', ['', 'You are a toolchain expert.', 'system prompt', TOOL_BRIDGE])
def test_other_prompts_are_not_taken_for_it(text: str) -> None:
    assert not is_toolchain_prompt(text)
