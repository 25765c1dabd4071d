"""The two official asynchronous clients, reduced to one method each; neither sends anything twice by itself."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from plugin_server.errors import InvalidField

if TYPE_CHECKING:
    from plugin_server.engines.settings import EngineSettings

#: Connections of one pool; more requests at a time wait.
CONNECTIONS = 32


class Answered(Exception):
    """The engine answered with an error status."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Client(Protocol):
    """What both clients are reduced to."""

    async def perform(self, method: str, path: str, params: Mapping[str, str], body: bytes | None, kind: str) -> Any:
        """The parsed answer.

        Raises:
            Answered: with a status of 400 or more.
            TimeoutError, ConnectionError: not at all.
            ValueError: in no form that could be parsed.
        """

    async def close(self) -> None:
        """Nothing; the connections are closed."""


class Staying:
    """A client's HTTP session that follows no redirect, so that no engine can send it elsewhere."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def request(self, *given: Any, **options: Any) -> Any:
        """As aiohttp's."""
        return self._session.request(*given, **options, allow_redirects=False)

    async def close(self) -> None:
        """Nothing; the connections are closed."""
        await self._session.close()


class OpenSearchClient:
    """opensearch-py."""

    def __init__(self, settings: EngineSettings) -> None:
        import opensearchpy  # here and below: the commands that need no engine start faster without

        class Connection(opensearchpy.AIOHttpConnection):
            async def _create_aiohttp_session(self) -> None:
                await super()._create_aiohttp_session()
                self.session = Staying(self.session)

        self._faults = opensearchpy.exceptions
        login = f"ApiKey {settings.engine_api_key}" if settings.engine_api_key else f"Basic {_basic(settings)}"
        self._client = opensearchpy.AsyncOpenSearch(
            settings.engine_url,
            connection_class=Connection,
            headers={"Authorization": login} if settings.engine_api_key or settings.engine_user else None,
            ssl_context=tls(settings.engine_url, settings.engine_ca),
            timeout=settings.engine_timeout,
            maxsize=CONNECTIONS,
            max_retries=0,
        )

    async def perform(self, method: str, path: str, params: Mapping[str, str], body: bytes | None, kind: str) -> Any:
        """The parsed answer, see `Client.perform`."""
        try:
            return await self._client.transport.perform_request(
                method, path, params=dict(params), body=body, headers={"content-type": kind}
            )
        except self._faults.ConnectionTimeout:
            raise TimeoutError from None
        except self._faults.ConnectionError as error:
            raise ConnectionError(str(error.info)) from error
        except self._faults.TransportError as error:
            raise Answered(int(error.status_code), error.error if error.info is None else error.info) from error
        except AttributeError as error:  # its client's own, over an error that is JSON, but no object
            raise ValueError("gave an error that is no search engine's") from error
        except self._faults.SerializationError as error:
            raise ValueError(f"gave an answer that is not JSON: {error}") from error

    async def close(self) -> None:
        """Nothing; the connections are closed."""
        await self._client.close()


class ElasticsearchClient:
    """elasticsearch-py, of the extra ``elasticsearch``.

    Raises:
        InvalidField: it is not installed.
    """

    def __init__(self, settings: EngineSettings) -> None:
        try:
            import elastic_transport
            import elasticsearch
        except ImportError:
            raise InvalidField("engine: its client is not installed: pip install 'simgate[elasticsearch]'") from None

        class Node(elastic_transport.AiohttpHttpNode):
            def _create_aiohttp_session(self) -> None:
                super()._create_aiohttp_session()
                self.session = Staying(self.session)  # type: ignore[assignment]

        self._elasticsearch, self._faults = elasticsearch, elastic_transport
        self._client = elasticsearch.AsyncElasticsearch(
            settings.engine_url,
            node_class=Node,
            basic_auth=_basic(settings) if settings.engine_user else None,
            api_key=settings.engine_api_key or None,
            ssl_context=tls(settings.engine_url, settings.engine_ca),
            request_timeout=settings.engine_timeout,
            connections_per_node=CONNECTIONS,
            max_retries=0,
        )

    async def perform(self, method: str, path: str, params: Mapping[str, str], body: bytes | None, kind: str) -> Any:
        """The parsed answer, see `Client.perform`."""
        headers = {"accept": "application/json"} | ({"content-type": kind} if body else {})
        try:
            answer = await self._client.perform_request(method, path, params=params, headers=headers, body=body)
            return answer.body
        except self._elasticsearch.UnsupportedProductError as error:
            raise ValueError("answers, but is not Elasticsearch: give engine opensearch") from error
        except self._elasticsearch.ApiError as error:
            raise Answered(error.meta.status, error.body) from error
        except self._faults.ConnectionTimeout:
            raise TimeoutError from None
        except self._faults.ConnectionError as error:
            raise ConnectionError(error.message) from error
        except self._faults.SerializationError as error:
            raise ValueError(f"gave an answer that is not JSON: {error}") from error

    async def close(self) -> None:
        """Nothing; the connections are closed."""
        await self._client.close()


def client(settings: EngineSettings) -> Client:
    """The client of the engine that the settings name.

    Raises:
        InvalidField: it is not installed, or the certificate file cannot be read.
    """
    return ElasticsearchClient(settings) if settings.engine == "elasticsearch" else OpenSearchClient(settings)


def _basic(settings: EngineSettings) -> str:
    """Name and password as a header has them; in UTF-8, which the clients cannot do by themselves."""
    return b64encode(f"{settings.engine_user}:{settings.engine_password}".encode()).decode()


def tls(url: str, ca: str) -> ssl.SSLContext | None:
    """How to check the certificate of an engine; None without TLS.

    Args:
        ca: file of the certificates to check it against; empty for the system's.

    Raises:
        InvalidField: the file cannot be read.
    """
    if not url.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ValueError) as error:  # the latter for a name that no file can have
        fault = getattr(error, "strerror", None) or error
        raise InvalidField(f"engine_ca: {ca:.200}: {fault}: give a PEM file") from error
