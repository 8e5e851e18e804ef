"""What a Codex model can do, for pydantic-ai."""

from __future__ import annotations

from pydantic_ai.profiles import ModelProfile, merge_profile
from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer, openai_model_profile

from .._protocol.model_names import ModelName


def codex_model_profile(name: ModelName) -> ModelProfile:
    """The profile of a model: pydantic-ai's for the same slug, with the dialect of the Codex backend over it.

    Args:
        name: The parsed model name.
    """
    facts = name.facts
    dialect = ModelProfile(
        supports_tools=True,
        supports_json_schema_output=True,
        # That mode demands the word JSON in the input; prompted output needs no more than its instructions.
        supports_json_object_output=False,
        supports_image_output=False,
        supports_image_input=True,
        supports_document_input=True,
        # What a tool returns and the model cannot take is then replaced by a note, before it comes to the mapping.
        supports_audio_file_input=False,
        supports_video_input=False,
        # They go out as developer messages, which may stand anywhere in the input (captured).
        supports_inline_system_prompts=True,
        supports_thinking=True,
        thinking_enabled_by_default=True,
        thinking_always_enabled=facts is not None and 'none' not in facts.efforts,
        json_schema_transformer=OpenAIJsonSchemaTransformer,
        default_structured_output_mode='tool',
        supported_native_tools=frozenset(),
    )
    if facts is not None and facts.context_window is not None:
        dialect['context_window'] = facts.context_window
    return merge_profile(openai_model_profile(name.slug), dialect)
