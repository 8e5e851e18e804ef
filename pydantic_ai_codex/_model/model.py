"""`CodexModel`: one request to the backend, as pydantic-ai asks for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponsePart
from pydantic_ai.models import (
    Model,
    ModelRequestParameters,
    StreamedResponse,
    check_allow_model_requests,
)
from pydantic_ai.profiles import ModelProfile, ModelProfileSpec, merge_profile
from pydantic_ai.providers import Provider
from pydantic_ai.settings import ModelSettings, merge_model_settings
from pydantic_ai.tools import RunContext, ToolDefinition

from .._client import CodexClient
from .._protocol.model_facts import ModelInfo
from .._protocol.model_names import ModelName, as_listed, parse_model_name
from .._protocol.requests import EncodedJSON
from ..errors import ConfigurationError
from .encoded_tools import ToolEncoder
from .errors import mapped_errors
from .history.downloads import download_files
from .history.messages import agent_instructions
from .history.origins import READABLE
from .instructions import make_prompt, official_instructions
from .provider import CANONICAL_SYSTEM, CodexProvider
from .request import build_request
from .settings import check_names, choice
from .spans import RequestSpan
from .tools import sent_tools

if TYPE_CHECKING:
    from .streaming import CodexStreamedResponse

_LEAVES_TOOLS: Final[ContextVar[bool]] = ContextVar('pydantic_ai_codex_leaves_tools', default=False)
"""Whether parameters are prepared for a request of our own, and for nobody else's eyes."""


@dataclass(init=False)
class CodexModel(Model[CodexClient]):
    """A model of the Codex backend, paid by a ChatGPT plan.

    ```python
    agent = Agent(CodexModel('gpt-5.1-codex-high'))
    ```

    Args:
        model_name: A slug, with an effort (`-high` or `:high`) and the priority tier (`-fast`) behind it, if you like.
        provider: The login and the connection; by default a new one for the login that the environment points to.
        profile: What the model can do, over what is known of it.
        settings: Settings for every request of this model.

    Raises:
        UserError: If the model name cannot be read.
    """

    unsupported_settings: ClassVar[frozenset[Any]] = frozenset(
        {
            'frequency_penalty',
            'logit_bias',
            'max_tokens',
            'presence_penalty',
            'seed',
            'stop_sequences',
            'temperature',
            'top_k',
            'top_p',
        }
    )
    """What the backend refuses ("Unsupported parameter", public reports). pydantic-ai warns where one changes what a
    request guarantees."""

    _name: ModelName = field(repr=False)
    _provider: Provider[CodexClient] = field(repr=False)
    _tools: ToolEncoder = field(repr=False, compare=False)
    _window: int | None = field(repr=False, compare=False)
    """The context window that the profile has from us."""

    def __init__(
        self,
        model_name: str,
        *,
        provider: CodexProvider | None = None,
        profile: ModelProfileSpec | None = None,
        settings: ModelSettings | None = None,
    ) -> None:
        with mapped_errors(str(model_name)):
            self._name = parse_model_name(model_name)
            if not isinstance(provider, CodexProvider | None):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ConfigurationError(f'`provider` takes a `CodexProvider`, not {provider!r}.')
        self._provider = CodexProvider() if provider is None else provider
        self._tools = ToolEncoder()
        self._window = None if self._name.facts is None else self._name.facts.context_window
        super().__init__(settings=settings, profile=profile)

    @property
    def model_name(self) -> str:
        """The slug, without effort and tier."""
        return self._name.slug

    @property
    def system(self) -> str:
        """`codex`."""
        return self._provider.name

    @property
    def canonical_system(self) -> str:
        """`openai`, whose keys verify the encrypted reasoning."""
        return CANONICAL_SYSTEM

    @property
    def base_url(self) -> str:
        """What stands before `/responses`."""
        return self._provider.base_url

    @property
    def client(self) -> CodexClient:
        """The provider's client."""
        return self._provider.client

    def accepts_stateless_artifacts(self, response: ModelResponse, part: ModelResponsePart | None = None) -> bool:
        """Whether encrypted reasoning of that response can go back to this backend."""
        # Decided here and not by the base class, which has no such method in pydantic-ai 2.60.
        provider_name = response.provider_name if part is None else part.provider_name
        canonical_system: str | None = getattr(response, 'canonical_system', None)
        if canonical_system is not None and provider_name == response.provider_name:
            return canonical_system == self.canonical_system
        return provider_name in READABLE

    def prepare_request(
        self, model_settings: ModelSettings | None, model_request_parameters: ModelRequestParameters
    ) -> tuple[ModelSettings | None, ModelRequestParameters]:
        """Merge and check settings and parameters; see `Model.prepare_request`."""
        merged = cast('Mapping[str, Any]', merge_model_settings(self.settings, model_settings) or {})
        wanted = merged.get('thinking')
        settings, params = super().prepare_request(model_settings, model_request_parameters)
        if params.thinking is None and wanted is not None:
            # pydantic-ai 2.60 drops `False` for a model that always thinks; it means as little as possible.
            params = replace(params, thinking=wanted)
        return settings, params

    def customize_request_parameters(self, model_request_parameters: ModelRequestParameters) -> ModelRequestParameters:
        """Transform schemas into the shape that the backend takes; see `Model.customize_request_parameters`."""
        if not _LEAVES_TOOLS.get():
            return super().customize_request_parameters(model_request_parameters)
        params = model_request_parameters
        customized = super().customize_request_parameters(replace(params, function_tools=[], output_tools=[]))
        return replace(customized, function_tools=params.function_tools, output_tools=params.output_tools)

    def _prepare(
        self, settings: ModelSettings | None, params: ModelRequestParameters
    ) -> tuple[ModelSettings | None, ModelRequestParameters, EncodedJSON | None]:
        """Settings and parameters as `prepare_request` makes them, and the tools as JSON.

        The schemas of tools are transformed when they are encoded, once for each set of tools, unless a subclass has a
        say in it.
        """
        is_alone = all(
            getattr(getattr(self, name), '__func__', None) is getattr(CodexModel, name)
            for name in ('prepare_request', 'customize_request_parameters')
        )
        token = _LEAVES_TOOLS.set(is_alone)
        try:
            settings, params = self.prepare_request(settings, params)
        finally:
            _LEAVES_TOOLS.reset(token)
        with mapped_errors(self.model_name):
            transform = self._transform_tool if is_alone else None
            transformer = self.profile.get('json_schema_transformer')
            return (
                settings,
                params,
                self._tools.encode(sent_tools(params), transform=transform, transformer=transformer),
            )

    def _transform_tool(self, tool: ToolDefinition) -> ToolDefinition:
        return super().customize_request_parameters(ModelRequestParameters(function_tools=[tool])).function_tools[0]

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Make a request: the stream, collected, as the backend does nothing but stream."""
        self._check_allowed()
        settings, params, tools = self._prepare(model_settings, model_request_parameters)
        async with self._open(messages, settings, params, tools, whole=True) as streamed:
            async for _ in streamed:
                pass
        return streamed.get()

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Make a request and stream its answer.

        A failure before the first piece of the answer is raised on entering.
        """
        self._check_allowed()
        settings, params, tools = self._prepare(model_settings, model_request_parameters)
        async with self._open(messages, settings, params, tools, whole=False) as streamed:
            yield streamed

    @asynccontextmanager
    async def _open(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        params: ModelRequestParameters,
        tools: EncodedJSON | None,
        *,
        whole: bool,
    ) -> AsyncGenerator[CodexStreamedResponse]:
        """Send a request; `whole` is for an answer that nobody sees before it is complete."""
        from .streaming import CodexStreamedResponse  # With the first request: it is a tenth of what an import costs.

        given = cast('Mapping[str, Any]', settings or {})
        by_default = 'thinking' if params.output_mode in ('native', 'prompted') else 'text'
        span = RequestSpan()
        with mapped_errors(self.model_name, span.note_failure):
            check_names(given)
            commentary = choice(given, 'codex_commentary', ('text', 'thinking')) or by_default
            credentials = await self.client.authenticate()
            catalog = await self.client.look_up(credentials)
            self._name = as_listed(self._name, catalog)
            info = catalog.get(self.model_name)
            self._heed(info)
            if info is None:
                self.client.check_model(self.model_name, catalog, credentials)
            messages = await download_files(messages)
            official = await official_instructions(self.client, self.model_name, messages, given, params)
            request = build_request(
                messages,
                given,
                params,
                name=self._name,
                info=info,
                tools=tools,
                prompt=make_prompt(agent_instructions(messages, params), official, has_tools=tools is not None),
                accepts_reasoning=self.accepts_stateless_artifacts,
                account=credentials.account_tag,
            )
            stream = await self.client.stream(
                request, credentials=credentials, whole=whole, max_retries=given.get('max_retries')
            )
        try:
            streamed = CodexStreamedResponse(
                params,
                _requested_model=self.model_name,
                _system=self.system,
                _base_url=stream.base_url,
                _timestamp=datetime.now(UTC),
                _stream=stream,
                _commentary_is_text=commentary == 'text',
                _instructions_ref=official.ref if official else None,
                _span=span,
            )
            streamed.begin()
            # Before pydantic-ai 2.64 the attribute is not known, and does no harm.
            streamed.canonical_system = self.canonical_system
            yield streamed
        finally:
            await stream.aclose()

    def _heed(self, info: ModelInfo | None) -> None:
        """Let the profile follow the catalog, unless the user has said it better."""
        window = None if info is None else info.context_window
        if window is None or window == self._window or self._has_own_window():
            return
        self._window = window
        # The place of the base class's `cached_property`.
        vars(self)['profile'] = merge_profile(self.profile, ModelProfile(context_window=window))

    def _has_own_window(self) -> bool:
        """Whether the context window of the profile is the user's."""
        profile = self._profile
        if callable(profile):
            return self.profile.get('context_window') != self._window
        return profile is not None and 'context_window' in profile

    def _check_allowed(self) -> None:
        """Heed pydantic-ai's `ALLOW_MODEL_REQUESTS`, with which tests make sure that they meet no real model."""
        if not self.client.is_simulated:
            check_allow_model_requests()
