"""``simgate bundle fetch``: from a real https server and from files, archives that are good, hostile and broken."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import ssl
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tarfile import TarInfo

import pytest
from certificates import Authority
from click.testing import CliRunner, Result

from plugin_server import Bundle
from plugin_server.archive import DESCRIPTION, ENTRIES
from plugin_server.bundle import CARD, ENCODER, FILES, LIMITS, MANIFEST
from plugin_server.cli import main
from plugin_server.fetched import MARK

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificates with openssl")


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def fetch(source: object, sha256: str, folder: Path, *options: object) -> Result:
    arguments = ["bundle", "fetch", source, "--sha256", sha256, "--output", folder, *options]
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refused(result: Result, *words: str) -> None:
    """Nothing, if it was exit code 1 and one line that has the words."""
    assert result.exit_code == 1, result.output + repr(result.exception)
    (line,) = result.stderr.splitlines()
    assert line.startswith("simgate: ")
    assert all(word in line for word in words), line


def left(folder: Path) -> set[str]:
    """What lies in a folder beside the lock."""
    return {item.name for item in folder.iterdir()} - {".here.lock"}


Change = Callable[[tarfile.TarFile], object]


def entry(name: str, raw: bytes = b"", **fields: object) -> Change:
    """Adds an entry to an archive."""

    def add(archive: tarfile.TarFile) -> None:
        made = TarInfo(name)
        made.size = len(raw)
        for key, value in fields.items():
            setattr(made, key, value)
        archive.addfile(made, io.BytesIO(raw))

    return add


def packed(folder: Path, *changes: Change, prefix: str = "", without: str = "", **options: object) -> bytes:
    """An archive of a bundle's files, below a prefix, after the entries that the changes add."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1, **options) as archive:  # type: ignore[call-overload]
        for change in changes:
            change(archive)
        for name in (*FILES, MANIFEST):
            if name != without:
                archive.add(folder / name, f"{prefix}{name}")
    return raw.getvalue()


@pytest.fixture(scope="module")
def good(tiny: Bundle) -> bytes:
    return packed(tiny.folder)


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes an archive into a file."""

    def write(raw: bytes) -> Path:
        place = tmp_path / "archives" / "b.tar.gz"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(raw)
        return place

    return write


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder that is not there, in a folder of its own."""
    (tmp_path / "bundles").mkdir()
    return tmp_path / "bundles" / "here"


def test_from_a_file(tiny: Bundle, good: bytes, put: Callable[[bytes], Path], here: Path) -> None:
    done = fetch(put(good), digest(good).upper(), here)
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith(f"fingerprint {tiny.manifest.fingerprint}, fetched\n")
    assert Bundle.open(here).manifest == tiny.manifest
    assert left(here) == {*FILES, MANIFEST, MARK} and left(here.parent) == {"here"}
    assert {item.stat().st_mode & 0o7777 for item in here.iterdir()} <= {0o644} and here.stat().st_mode & 0o777 == 0o755


def test_the_very_archive_is_left_and_not_asked_for(good: bytes, put: Callable[[bytes], Path], here: Path) -> None:
    source = put(good)
    assert fetch(source, digest(good), here).exit_code == 0
    source.unlink()
    before = here.stat().st_ino
    done = fetch(source, digest(good), here)
    assert (done.exit_code, done.stdout.endswith("was there already\n")) == (0, True)
    assert here.stat().st_ino == before
    (here / ENCODER).write_bytes(b"")
    refused(fetch(source, digest(good), here), "b.tar.gz: cannot be read: ", "No such file")
    assert fetch(put(good), digest(good), here).exit_code == 0, "a damaged one is fetched again"
    assert Bundle.open(here)


def test_another_bundle_takes_its_place_and_a_bad_one_does_not(
    tiny: Bundle, tiny_patches: Bundle, good: bytes, put: Callable[[bytes], Path], here: Path
) -> None:
    assert fetch(put(good), digest(good), here).exit_code == 0
    bad = packed(tiny_patches.folder, without=ENCODER)
    refused(fetch(put(bad), digest(bad), here), "lacks encoder.onnx")
    assert Bundle.open(here).manifest == tiny.manifest
    other = packed(tiny_patches.folder)
    assert fetch(put(other), digest(other), here).exit_code == 0
    assert Bundle.open(here).manifest == tiny_patches.manifest
    assert left(here.parent) == {"here"}


def test_what_is_there_and_no_bundle_stays(good: bytes, put: Callable[[bytes], Path], here: Path) -> None:
    here.mkdir()
    (here / "thesis.tex").write_text("ten years")
    refused(fetch(put(good), digest(good), here), "holds other files than a bundle's")
    assert (here / "thesis.tex").read_text() == "ten years" and left(here.parent) == {"here"}
    (here / "thesis.tex").unlink()
    assert fetch(put(good), digest(good), here).exit_code == 0, "an empty one is taken"


def test_places_that_are_none(good: bytes, put: Callable[[bytes], Path], here: Path) -> None:
    source = put(good)
    here.symlink_to(here.parent)
    refused(fetch(source, digest(good), here), "is a link")
    refused(fetch(source, digest(good), Path("/")), "has no name")
    here.unlink()
    here.write_text("a file")
    refused(fetch(source, digest(good), here), "cannot be written: Not a directory")
    assert here.read_text() == "a file"
    refused(fetch(source, digest(good), here / "deeper"), "cannot be written: ")
    refused(fetch(source, digest(good), Path("/proc/here")), "cannot be written: ")


def test_what_a_killed_one_left_is_no_hindrance(good: bytes, put: Callable[[bytes], Path], here: Path) -> None:
    source, part = put(good), here.parent / ".here.part"
    assert fetch(source, digest(good), here).exit_code == 0
    part.mkdir()
    here.rename(part / "old")  # killed between its two renames
    assert fetch("/nowhere", digest(good), here).exit_code == 0
    (part / "bundle").mkdir(parents=True, exist_ok=True)
    (part / "archive.tar.gz").write_bytes(b"half of one")
    other = packed(here, prefix="./")
    assert fetch(put(other), digest(other), here).exit_code == 0
    assert left(here.parent) == {"here"}


GOOD: list[tuple[Callable[[Path], bytes], str]] = [
    (lambda folder: packed(folder, prefix="./"), "as `tar -C folder .` makes it"),
    (lambda folder: packed(folder, entry("./", type=tarfile.DIRTYPE), prefix="./"), "with the folder itself"),
    (lambda folder: packed(folder, prefix="shop-2026/"), "all in one folder"),
    (lambda folder: packed(folder, entry("shop", type=tarfile.DIRTYPE), prefix="./shop/"), "and the folder's entry"),
    (lambda folder: packed(folder, format=tarfile.GNU_FORMAT), "GNU's format"),
    (lambda folder: packed(folder, format=tarfile.USTAR_FORMAT), "POSIX's first format"),
    (lambda folder: packed(folder, pax_headers={"comment": "0" * 40}), "a global description, as `git archive` has"),
    (lambda folder: system(folder, "."), "by the system's tar, the folder"),
    (lambda folder: system(folder, *FILES, MANIFEST), "by the system's tar, the files"),
]


def system(folder: Path, *names: str) -> bytes:
    return subprocess.run(["tar", "-cz", "-C", folder, *names], check=True, capture_output=True).stdout


@pytest.mark.parametrize(("make", "remark"), GOOD, ids=[row[1] for row in GOOD])
def test_archives_that_are_taken(
    tiny: Bundle, put: Callable[[bytes], Path], here: Path, make: Callable[[Path], bytes], remark: str
) -> None:
    raw = make(tiny.folder)
    assert fetch(put(raw), digest(raw), here).exit_code == 0, remark
    assert Bundle.open(here).manifest == tiny.manifest


def declared(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """An archive whose only entry says that it has so many bytes, and has none."""
    made = TarInfo(name)
    made.size, made.type = size, kind
    return gzip.compress(made.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


def bomb(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    """An archive of some kilobytes with an entry of eight gigabytes, of which it has 64 megabytes."""
    made = TarInfo(name)
    made.size, made.type = 8 << 30, kind
    return gzip.compress(made.tobuf(tarfile.GNU_FORMAT) + bytes(64 << 20))


def spoilt(raw: bytes) -> bytes:
    """The same with a byte of a header changed."""
    plain = bytearray(gzip.decompress(raw))
    plain[3] ^= 1
    return gzip.compress(bytes(plain), 1)


def zipped(raw: bytes) -> bytes:
    """Whole archives one after another, as `cat a.tar.gz b.tar.gz` makes them."""
    return raw + raw


def link(kind: bytes) -> Change:
    return entry(CARD, type=kind, linkname="/etc/passwd")


HOSTILE: list[tuple[Callable[[Path], bytes], str, str]] = [
    (lambda folder: packed(folder, entry("../here.txt", b"a")), "leads out of the archive", "out of the folder"),
    (lambda folder: packed(folder, entry(f"a/../../{CARD}")), "leads out of the archive", "out of it by a detour"),
    (lambda folder: packed(folder, entry(f"/tmp/{CARD}", b"a")), "leads out of the archive", "an absolute path"),
    (lambda folder: packed(folder, entry("..", type=tarfile.DIRTYPE)), "leads out of the archive", "the parent"),
    (lambda folder: packed(folder, link(tarfile.SYMTYPE)), "is no plain file", "a symbolic link"),
    (lambda folder: packed(folder, link(tarfile.LNKTYPE)), "is no plain file", "a hard link"),
    (lambda folder: packed(folder, entry(CARD, type=tarfile.CHRTYPE)), "is no plain file", "a device"),
    (lambda folder: packed(folder, entry(CARD, type=tarfile.BLKTYPE)), "is no plain file", "a disk"),
    (lambda folder: packed(folder, entry(CARD, type=tarfile.FIFOTYPE)), "is no plain file", "a pipe"),
    (lambda folder: packed(folder, entry(CARD, b"a", type=tarfile.CONTTYPE)), "is no plain file", "a contiguous file"),
    (lambda folder: packed(folder, entry(CARD, type=b"S")), "is no plain file", "a sparse file"),
    (lambda folder: packed(folder, entry(CARD, type=b"Z")), "is no plain file", "a kind that nobody knows"),
    (lambda folder: packed(folder, entry("a" * 200), format=tarfile.GNU_FORMAT), "is no plain file", "a long name"),
    (lambda folder: packed(folder, entry("a" * 200)), "is no file of a bundle", "a long name that is described"),
    (lambda folder: packed(folder, entry("run.sh", b"a")), "is no file of a bundle", "another file"),
    (lambda folder: packed(folder, entry(MARK, b"a")), "is no file of a bundle", "the mark of ours"),
    (lambda folder: packed(folder, entry(f"._{CARD}")), "is no file of a bundle", "what macOS puts beside files"),
    (lambda folder: packed(folder, entry(CARD.lower())), "is no file of a bundle", "another case"),
    (lambda folder: packed(folder, entry("a/b", type=tarfile.DIRTYPE)), "is no plain file", "a folder in a folder"),
    (lambda folder: packed(folder, prefix="a/b/"), "is no file of a bundle", "two levels"),
    (lambda folder: packed(folder, entry(f"a/{CARD}")), "files in more than one folder", "here and there"),
    (
        lambda folder: packed(folder, entry("a", type=tarfile.DIRTYPE)),
        "files in more than one folder",
        "a folder beside",
    ),
    (lambda folder: packed(folder, entry(CARD, b"a")), "'MODEL_CARD.md': is there twice", "a file twice"),
    (lambda folder: packed(folder, entry(f"./{CARD}", b"a")), "is there twice", "twice by other names"),
    (lambda folder: packed(folder, without=MANIFEST), "lacks bundle.json", "no manifest"),
    (lambda folder: packed(folder, without=CARD), "lacks MODEL_CARD.md", "a file is missing"),
    (lambda folder: packed(folder, *[entry("./", type=tarfile.DIRTYPE)] * ENTRIES), "more than 64 entries", "many"),
    (lambda folder: gzip.compress(bytes(10240)), "lacks MODEL_CARD.md, bundle.json", "an empty archive"),
    (lambda folder: gzip.compress(b""), "is no whole .tar.gz", "nothing, compressed"),
    (lambda folder: b"", "is no whole .tar.gz", "nothing"),
    (lambda folder: b"PK\x03\x04" + bytes(600), "is no whole .tar.gz: Not a gzipped file", "a zip file"),
    (lambda folder: gzip.decompress(packed(folder)), "is no whole .tar.gz: Not a gzipped file", "not compressed"),
    (lambda folder: gzip.compress(os.urandom(2048)), "is no whole .tar.gz", "noise, compressed"),
    (lambda folder: packed(folder)[:-600], "is no whole .tar.gz", "truncated at the end"),
    (lambda folder: packed(folder)[:5000], "is no whole .tar.gz", "truncated early"),
    (lambda folder: packed(folder)[:5], "is no whole .tar.gz", "truncated at once"),
    (lambda folder: spoilt(packed(folder)), "is no whole .tar.gz: bad checksum", "a header was changed"),
    (lambda folder: declared(CARD, 2000), "it ends in the middle of a file", "less than it says"),
    (lambda folder: declared(CARD, LIMITS[CARD] + 1), "has 16777217 bytes, the limit is 16777216", "too large a file"),
    (lambda folder: declared(CARD, -1), "has -1 bytes", "less than nothing"),
    (lambda folder: declared(CARD, DESCRIPTION + 1, tarfile.XHDTYPE), "a description of 1048577 bytes", "much said"),
    (lambda folder: declared(CARD, -512, tarfile.XGLTYPE), "a description of -512 bytes", "less than nothing said"),
    (lambda folder: bomb(ENCODER), "has 8589934592 bytes, the limit is", "a bomb"),
    (lambda folder: bomb("x", tarfile.XHDTYPE), "a description of 8589934592 bytes", "a bomb in a description"),
    (lambda folder: bomb("x", b"L"), "is no plain file", "a bomb in a name"),
    (lambda folder: packed(folder, entry("\udcff", b"a")), "is no file of a bundle", "a name that is no UTF-8"),
    (lambda folder: packed(folder, entry("a\x1b[2J", b"a")), r"'a\x1b[2J': is no file", "a name for the terminal"),
]


@pytest.mark.parametrize(("make", "words", "remark"), HOSTILE, ids=[row[2] for row in HOSTILE])
def test_archives_that_are_not_taken(
    tiny: Bundle, put: Callable[[bytes], Path], here: Path, make: Callable[[Path], bytes], words: str, remark: str
) -> None:
    raw = make(tiny.folder)
    refused(fetch(put(raw), digest(raw), here), words)
    assert left(here.parent) == set(), remark
    assert left(here.parent.parent) == {"bundles", "archives"}, "nor anywhere else"


def edited(folder: Path, copy: Path, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """An archive of a bundle of which a file was changed."""
    shutil.copytree(folder, copy)
    (copy / name).write_bytes(change((copy / name).read_bytes()))
    return packed(copy)


BROKEN: list[tuple[str, Callable[[bytes], bytes], str]] = [
    (ENCODER, lambda raw: raw[:-1], "encoder.onnx: sha256 is"),
    (MANIFEST, lambda raw: b"{", "bundle.json: not valid JSON"),
    (MANIFEST, lambda raw: raw.replace(b'"token_dimension": ', b'"token_dimension": 1'), "tokens is 16 wide"),
    (MANIFEST, lambda raw: raw.replace(b'"fingerprint": "', b'"fingerprint": "0'), "fingerprint"),
]


@pytest.mark.parametrize(("name", "change", "words"), BROKEN, ids=[row[2] for row in BROKEN])
def test_bundles_that_do_not_work_are_not_put_there(
    tiny: Bundle, put: Callable[[bytes], Path], here: Path, tmp_path: Path, name: str, change: Callable, words: str
) -> None:
    raw = edited(tiny.folder, tmp_path / "copy", name, change)
    refused(fetch(put(raw), digest(raw), here), words)
    assert left(here.parent) == set()


def test_another_archive_is_not_even_opened(put: Callable[[bytes], Path], here: Path) -> None:
    refused(fetch(put(b"anything"), digest(b"other"), here), f"sha256 is {digest(b'anything')}, not", "of 8 bytes")


@pytest.mark.parametrize("sha256", ["", "abc", "g" * 64, "a" * 65, f"sha256:{'a' * 64}"], ids=lambda text: text[:9])
def test_a_checksum_that_is_none_is_wrong_usage(here: Path, sha256: str) -> None:
    done = fetch("b.tar.gz", sha256, here)
    assert done.exit_code == 2 and "64 hexadecimal digits" in done.stderr


def test_two_at_a_time(tiny: Bundle, good: bytes, put: Callable[[bytes], Path], here: Path) -> None:
    command = [sys.executable, "-m", "plugin_server", "bundle", "fetch", str(put(good))]
    command += ["--sha256", digest(good), "--output", str(here)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert sorted(line.rpartition(", ")[2] for line in said) == ["fetched\n", "was there already\n"]
    assert Bundle.open(here).manifest == tiny.manifest


@dataclass
class Store:
    """A web server with TLS: an answer by path, and the paths that were asked for."""

    url: str = ""
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def serve(self, path: str, raw: bytes) -> str:
        """The URL of bytes."""

        def send(request: BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.send_header("Content-Length", str(len(raw)))
            request.end_headers()
            request.wfile.write(raw)

        self.answers[path] = send
        return self.url + path

    def lead(self, path: str, target: str) -> str:
        """The URL of a redirect."""

        def send(request: BaseHTTPRequestHandler) -> None:
            request.send_response(302)
            request.send_header("Location", target)
            request.send_header("Content-Length", "0")
            request.end_headers()

        self.answers[path] = send
        return self.url + path


def _served(context: ssl.SSLContext | None) -> Iterator[Store]:
    store = Store()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            store.asked.append(self.path)
            store.answers.get(path, lambda request: request.send_error(404))(self)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients that go are expected."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        store.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield store
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def store(authority: Authority) -> Iterator[Store]:
    pair = authority.issue("store")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    yield from _served(context)


@pytest.fixture(scope="module")
def plain() -> Iterator[Store]:
    yield from _served(None)


def test_over_https(tiny: Bundle, good: bytes, store: Store, authority: Authority, here: Path) -> None:
    url = store.serve("/b.tar.gz", good) + "?token=secret"
    done = fetch(url, digest(good), here, "--ca", authority.certificate)
    assert done.exit_code == 0, done.output
    assert Bundle.open(here).manifest == tiny.manifest
    assert store.asked[-1] == "/b.tar.gz?token=secret"
    shutil.rmtree(here)
    refused(fetch(url, digest(b""), here, "--ca", authority.certificate), f"{store.url}/b.tar.gz: sha256 is")
    refused(fetch(url, digest(good), here), f"{store.url}/b.tar.gz: cannot be read: ", "CERTIFICATE_VERIFY_FAILED")
    refused(fetch(url, digest(good), here, "--ca", here / "no.crt"), "cannot be read: ", "No such file")
    assert left(here.parent) == set()


def test_redirects(good: bytes, store: Store, plain: Store, authority: Authority, here: Path) -> None:
    ca = ["--ca", authority.certificate]
    target, unsafe = store.serve("/there.tar.gz", good), plain.serve("/there.tar.gz", good)
    refused(fetch(store.lead("/down", unsafe), digest(good), here, *ca), "leads to http://, and only https is taken")
    refused(fetch(store.lead("/file", "file:///etc/passwd"), digest(good), here, *ca), f"{store.url}/file: answers 302")
    refused(fetch(store.lead("/round", "/round"), digest(good), here, *ca), "/round: answers 302")
    assert plain.asked == []
    assert fetch(store.lead("/up", target), digest(good), here, *ca).exit_code == 0


URLS = ["http://127.0.0.1:1/b.tar.gz", "ftp://127.0.0.1/b", "file:///etc/passwd", "HTTP://127.0.0.1/b", "s3://bucket/b"]


@pytest.mark.parametrize("url", URLS)
def test_only_https(here: Path, url: str) -> None:
    refused(fetch(url, digest(b""), here), "only https is taken")


ODD = ["https://", "https://127.0.0.1:a/b", "https://[/b", "https://127.0.0.1:1/a b", "https://127.0.0.1:1/b", "", "/"]


@pytest.mark.parametrize("source", ODD, ids=lambda text: text or "empty")
def test_sources_that_are_none(here: Path, source: str) -> None:
    refused(fetch(source, digest(b""), here), "cannot be read: ")


def slowly(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(b"a")
        time.sleep(0.1)


def short(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b"a")


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(bytes(65536))


ANSWERS: list[tuple[Callable[[BaseHTTPRequestHandler], None], str, str]] = [
    (lambda request: request.send_error(404), "answers 404", "it is not there"),
    (lambda request: request.send_error(403), "answers 403", "it may not be read"),
    (lambda request: request.send_error(503), "answers 503", "the store is down"),
    (lambda request: request.wfile.write(b"220 ftp ready\r\n\r\n") and None, "cannot be read", "no HTTP"),
    (lambda request: None, "cannot be read", "hangs up"),
    (short, f"sha256 is {digest(b'a')}", "ends too early"),
    (slowly, "takes longer than it may", "a byte at a time"),
    (endless, "has more than 1000000 bytes, which is the limit", "never ends"),
]


@pytest.mark.parametrize(("answer", "words", "remark"), ANSWERS, ids=[row[2] for row in ANSWERS])
def test_stores_that_do_not_give_it(
    store: Store, authority: Authority, here: Path, answer: Callable, words: str, remark: str
) -> None:
    store.answers["/odd"] = answer
    options = ["--ca", authority.certificate, "--max-bytes", 1_000_000, "--timeout", 1]
    refused(fetch(f"{store.url}/odd", digest(b"x"), here, *options), f"{store.url}/odd: ", words)
    assert left(here.parent) == set(), remark


def test_a_file_larger_than_it_may_be(good: bytes, put: Callable[[bytes], Path], here: Path) -> None:
    refused(fetch(put(good), digest(good), here, "--max-bytes", 10), f"has {len(good)} bytes, the limit is 10")
