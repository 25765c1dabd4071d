"""What the chart renders starts, is found ready as the kubelet asks, answers, and ends in its grace period."""

from __future__ import annotations

import shutil
import signal
import tarfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from calibrating import calibration
from certificates import Authority, Pair
from chart import NAME, Object, nested, render, seen, values_of
from chart_process import BUNDLE, Machine, Running, free_ports, passes

from plugin_server import Bundle
from plugin_server.calibration import SUFFIX
from plugin_server.channel import Tls
from plugin_server.client import Client

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificates with openssl")

QUERY, CANDIDATES = "a red car", ["a red car", "a blue car"]
KEY = "sg_of_the_test"
Contents = Mapping[str, Mapping[str, bytes]]


def ports() -> Object:
    """Values with free ports, and little of a machine that others use too."""
    grpc, http = free_ports()
    return {"grpc": {"port": grpc}, "http": {"port": http}, "resources": {"limits": {"cpu": "1500m"}}}


def secret(pair: Pair, authority: Authority) -> dict[str, bytes]:
    """A Secret of type kubernetes.io/tls, as cert-manager makes it."""
    ca = authority.certificate.read_bytes()
    return {"tls.crt": pair.certificate.read_bytes(), "tls.key": pair.key.read_bytes(), "ca.crt": ca}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def contents(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What is in the Secrets and ConfigMaps that the examples name."""
    shop = tmp_path_factory.mktemp("calibrations") / f"shop{SUFFIX}"
    calibration(Bundle.open("").manifest).write(shop)
    server, client = authority.issue("server"), authority.issue("client")
    return {
        f"{NAME}-tls": secret(server, authority),
        "simgate-certificate": secret(server, authority),
        "simgate-probe-certificate": secret(client, authority),
        "simgate-ca": {"ca.crt": authority.certificate.read_bytes()},
        "callers-ca": {"ca.crt": authority.certificate.read_bytes()},
        "simgate-keys": {"keys.toml": f'[test]\nsha256 = "{sha256(KEY.encode()).hexdigest()}"\n'.encode()},
        "simgate-probe-key": {"api-key": KEY.encode()},
        "search-login": {"username": b"ann", "password": b"word"},
        "search-ca": {"ca.crt": authority.certificate.read_bytes()},
        "shop-calibrations": {shop.name: shop.read_bytes()},
    }


@pytest.fixture
def machine(contents: Contents, tmp_path: Path) -> Machine:
    return Machine(tmp_path, contents)


@pytest.fixture
def client(authority: Authority) -> Callable[..., Client]:
    """Makes clients of a running server, as its callers would be."""
    pair = authority.issue("caller")

    def make(running: Running, key: str = "") -> Client:
        values = {item["name"] for item in running.pod["volumes"]}
        shown = (str(pair.certificate), str(pair.key)) if "simgate-client-ca" in values else ("", "")
        tls = Tls(str(authority.certificate), *shown) if "simgate-tls" in values else None
        return Client(f"127.0.0.1:{running.container['ports'][0]['containerPort']}", tls=tls, api_key=key)

    return make


MODES = [
    ("default", "", "plain"), ("engine", "", "an engine that is not there, calibrations, certificates to trust"),
    ("tls", KEY, "TLS and API keys"), ("mtls", "", "clients that show a certificate"), ("grpc", "", "no HTTP"),
    ("shadow", "", "shadow mode, beside the image's own bundle"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "key", "remark"), MODES)
def test_the_server_starts_answers_and_ends(mode: str, key: str, remark: str, machine: Machine, client: Any) -> None:
    values = (
        {"shadow": {"enabled": True}, "previousBundle": {"source": "image"}} if mode == "shadow" else values_of(mode)
    )
    quick = {"settings": {"drainDelay": 0, "tracing": ""}}
    with Running(render(values, ports(), quick), machine) as running:
        assert running.started(), running.said
        probes = [running.container[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")]
        assert all(map(passes, probes)), remark
        with client(running, key) as caller:
            assert caller.rerank(QUERY, CANDIDATES).hits[0].candidate.text == CANDIDATES[0]
        assert running.stop() == 0, running.said
        assert not any(map(passes, probes))


def test_while_it_drains_it_is_not_ready_but_answers(machine: Machine, client: Any) -> None:
    with Running(render(ports(), nested("settings.drainDelay", 20)), machine) as running:
        assert running.started(), running.said
        readiness, liveness = running.container["readinessProbe"], running.container["livenessProbe"]
        assert running.pod["terminationGracePeriodSeconds"] == 5 + 20 + 25 + 5
        running.process.send_signal(signal.SIGTERM)
        while passes(readiness):
            assert running.process.poll() is None
        with client(running) as caller:
            assert caller.rerank(QUERY, CANDIDATES).hits
        assert passes(liveness), "a Pod that ends is not to be started again"
        assert not passes(running.container["startupProbe"]), "gRPC's health says no, too"


def test_the_test_pod_finds_a_server_and_its_absence(machine: Machine, contents: Contents, tmp_path: Path) -> None:
    objects = render(values_of("mtls"), ports(), {"apiKeys": {"existingSecret": "simgate-keys"}},
                     {"client": {"apiKey": {"existingSecret": "simgate-probe-key"}}})  # fmt: skip
    pod = seen(objects, "Pod spec")
    (tmp_path / "test").mkdir()
    tester = Machine(tmp_path / "test", contents)
    tester.mount(pod)
    ping = pod["containers"][0] | {
        "args": [item.replace(f"{NAME}.search.svc", "127.0.0.1") for item in pod["containers"][0]["args"]]
    }
    with Running(objects, machine) as running:
        assert running.started(), running.said
        done = tester.run(objects, ping)
        assert done.returncode == 0, done.stderr
        assert running.stop() == 0
    assert tester.run(objects, ping).returncode == 1


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle's archive."""
    made = tmp_path_factory.mktemp("archive") / "bundle.tar.gz"
    with tarfile.open(made, "w:gz") as file:
        for part in sorted(BUNDLE.iterdir()):
            file.add(part, part.name)
    return made


def fetching(machine: Machine, archive: Path, digest: str) -> list[Object]:
    """The objects of a server whose bundle is fetched, from a file in /tmp in place of the address."""
    (machine.folder / "simgate-tmp").mkdir()
    shutil.copyfile(archive, machine.folder / "simgate-tmp" / "bundle.tar.gz")
    values = nested("bundle", {"source": "fetch", "fetch": {"url": "https://store.example/b.tar.gz", "sha256": digest}})
    objects = render(values, ports(), nested("settings.drainDelay", 0))
    arguments = seen(objects, "Deployment spec template spec initContainers 0 args")
    arguments[2] = "/tmp/bundle.tar.gz"
    return objects


def test_a_fetched_bundle_is_served(archive: Path, machine: Machine, client: Any) -> None:
    objects = fetching(machine, archive, sha256(archive.read_bytes()).hexdigest())
    with Running(objects, machine) as running:
        assert running.started(), running.said
        with client(running) as caller:
            assert caller.rerank(QUERY, CANDIDATES).hits
        where = Path(machine.environment(objects, running.container)["SIMGATE_BUNDLE"])
        assert where.is_relative_to(machine.folder) and (where / "encoder.onnx").is_file()
        assert running.stop() == 0


def test_a_bundle_with_another_checksum_never_serves(archive: Path, machine: Machine) -> None:
    objects = fetching(machine, archive, "0" * 64)
    pod = seen(objects, "Deployment spec template spec")
    machine.mount(pod)
    done = machine.run(objects, pod["initContainers"][0])
    assert done.returncode == 1 and "sha256" in done.stderr.lower()


def test_nothing_listens_beyond_loopback_without_being_told(machine: Machine) -> None:
    """The chart's SIMGATE_INSECURE is what lets it start without TLS."""
    objects = render(ports())
    config = next(item for item in objects if item["kind"] == "ConfigMap")
    config["data"]["SIMGATE_INSECURE"] = "false"
    with Running(objects, machine) as running:
        assert running.process.wait(60) == 1
        assert "TLS" in running.said
