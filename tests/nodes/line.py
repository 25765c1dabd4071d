"""The lines of engines that tests run on, and how each is started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

FOLDER = Path(__file__).parent
NAMESPACE = "{http://maven.apache.org/POM/4.0.0}"


@dataclass(frozen=True)
class Line:
    """One line of releases of an engine; ``<name>.xml`` beside this file names its artifacts.

    Attributes:
        name: of the pom, and what a caller starts it by.
        kind: ``opensearch`` or ``elasticsearch``.
        javas: the majors of Java it runs on, the wanted one first.
        main: the class that starts a node.
        compiled: the file beside this one that is compiled for it; None needs nothing of ours.
        provides: the service that the compiled class provides.
        flags: of the JVM; ``{home}`` is the node's folder.
    """

    name: str
    kind: str
    javas: tuple[int, ...]
    main: str
    compiled: str | None = None
    provides: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def pom(self) -> Path:
        """The file that names every artifact."""
        return FOLDER / f"{self.name}.xml"

    @property
    def version(self) -> str:
        """The version of the engine, which is that of its pom."""
        return ElementTree.parse(self.pom).getroot().findtext(f"{NAMESPACE}version", "")


NEW_JAVAS = (25, 21, 22, 23, 24, 26)
LINES = {
    line.name: line
    for line in (
        Line(
            "opensearch-2.19",
            "opensearch",
            (17, 21, 18, 19, 20),
            "org.opensearch.bootstrap.OpenSearch",
            flags=("-Djava.security.manager=allow", "-Djava.locale.providers=SPI,COMPAT"),
        ),
        Line(
            "opensearch-3.6",
            "opensearch",
            NEW_JAVAS,
            "org.opensearch.bootstrap.OpenSearch",
            compiled="ThaiWords.java",
            provides="java.text.spi.BreakIteratorProvider",
            flags=(
                "-javaagent:{home}/agent/opensearch-agent-3.6.0.jar",
                "-Djava.locale.providers=SPI,CLDR",
                "--enable-native-access=ALL-UNNAMED",
            ),
        ),
        Line(
            "elasticsearch-9.5",
            "elasticsearch",
            NEW_JAVAS,
            "ElasticsearchMain",
            compiled="ElasticsearchMain.java",
            flags=("--enable-native-access=ALL-UNNAMED",),
        ),
    )
}
