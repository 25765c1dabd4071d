"""Where the search engine is, how to log in, and what its fields are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from plugin_server.engines.layout import Layout
from plugin_server.engines.reach import Reach
from plugin_server.errors import InvalidField, UnknownChoice
from plugin_server.settings import read_fields

ENGINES = ("opensearch", "elasticsearch")
#: What a new node of either engine listens on.
URL = "http://127.0.0.1:9200"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """A search engine to talk to.

    Attributes:
        engine: ``opensearch`` or ``elasticsearch``.
        engine_url: ``http://host:port`` or ``https://host:port``, without name and password.
        engine_user, engine_password: for basic authentication; both or neither.
        engine_api_key: for ``Authorization: ApiKey …``, instead of those.
        engine_ca: file of the certificate authority to trust in place of the system's.
        engine_timeout: seconds of one request.
        hybrid_pipeline: OpenSearch's search pipeline that brings words and vectors to one scale.
        text_field: the field that holds a document's text; may be dotted.
        engine_indices: names and patterns, parted by commas, of the indices and aliases that Search and the gateway may
            reach. Empty for every index in Search but those whose names begin with a dot, and for no limit in the
            gateway, where the callers' own credentials are what counts.

    Example:
        >>> EngineSettings.read({"SIMGATE_ENGINE_URL": "http://search:9200"}).engine_url
        'http://search:9200'
    """

    engine: str = "opensearch"
    engine_url: str = URL
    engine_user: str = ""
    engine_password: str = field(default="", repr=False)
    engine_api_key: str = field(default="", repr=False)
    engine_ca: str = ""
    engine_timeout: float = 10.0
    hybrid_pipeline: str = "simgate-hybrid"
    text_field: str = "text"
    engine_indices: str = ""

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise UnknownChoice("engine", self.engine, list(ENGINES))
        if not is_address(self.engine_url):
            raise InvalidField(
                f"engine_url: {bare(self.engine_url)!r} is no address: give http://host:port or https://…"
            )
        if holds_credentials(self.engine_url):
            raise InvalidField("engine_url: holds a name or a password: give them as engine_user and engine_password")
        for name in ("engine_user", "engine_password", "engine_api_key"):
            if not getattr(self, name).isprintable():
                raise InvalidField(f"{name}: holds a character that cannot be printed, such as a line end")
        if bool(self.engine_user) != bool(self.engine_password):
            raise InvalidField("engine_user, engine_password: give both or neither")
        if self.engine_user and self.engine_api_key:
            raise InvalidField("engine_api_key: excludes engine_user and engine_password: give one way to log in")
        if not 0 < self.engine_timeout < 3600:
            raise InvalidField(f"engine_timeout: {self.engine_timeout:g} is not between 0 and 3600 seconds")
        if not self.text_field or self.text_field.startswith("simgate_"):
            raise InvalidField(f"text_field: {self.text_field!r} cannot hold the text: name a field of the documents")
        Reach.of(self.engine_indices)

    @classmethod
    def read(cls, mapping: Mapping[str, str]) -> EngineSettings:
        """The settings named in a mapping such as ``os.environ``: ``SIMGATE_ENGINE``, ``SIMGATE_ENGINE_URL``, ….

        Raises:
            InvalidField, UnknownChoice: a value cannot be used; the message names it.
        """
        return read_fields(cls, mapping)

    @property
    def layout(self) -> Layout:
        """The names of the fields."""
        return Layout(text=self.text_field)

    @property
    def reach(self) -> Reach:
        """The indices that may be reached."""
        return Reach.of(self.engine_indices)


def is_address(url: str) -> bool:
    """Whether a text is ``http://host`` or ``https://host``, with port and path or without, and nothing behind.

    Example:
        >>> is_address("http://search:9200"), is_address("search:9200"), is_address("http://search:9200/?a=b")
        (True, False, False)
    """
    from yarl import URL  # of aiohttp, which sends the requests; the commands that need no engine start faster without

    try:
        parts = urlsplit(url)
        host, port = URL(url).host or "", parts.port
        host.encode("idna")  # as looking it up does
    except ValueError:  # of a port, a bracket or a host that cannot be; its message may hold a password
        return False
    plain = url.isprintable() and " " not in url and "[" not in parts.netloc.rpartition("@")[2][1:]
    whole = parts.scheme in ("http", "https") and host and port != 0
    return bool(plain and whole and not parts.query and not parts.fragment)


def holds_credentials(url: str) -> bool:
    """Whether an address holds a name or a password, be it an empty one."""
    return "@" in urlsplit(url).netloc


def bare(url: str) -> str:
    """The address without name and password, fit for a message.

    Example:
        >>> bare("http://ann:secret@search:9200")
        'search:9200'
    """
    return url.rpartition("@")[2]
