"""Schedulers that others have started: with TLS, without, and of other versions."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager

import dask
import pytest
from distributed import Security

from napari_comparewarp.batch import running_scheduler
from napari_comparewarp.batch.cluster import connect
from napari_comparewarp.batch.plan import PlanError
from napari_comparewarp.errors import CompareWarpWarning

#: A scheduler with a worker: TLS if certificates are given, and other versions of what is named.
SCHEDULER = """
import asyncio, sys
from distributed import Scheduler, Security, Worker

certificate, key, package, version = sys.argv[1:]
security = Security()
if certificate:
    roles = {f"tls_{role}_cert": certificate for role in ("scheduler", "worker")}
    roles |= {f"tls_{role}_key": key for role in ("scheduler", "worker")}
    security = Security(tls_ca_file=certificate, require_encryption=True, **roles)

def other(self, packages=None, real=Scheduler.versions):
    answer = real(self, packages=packages)
    if package in answer["packages"]:
        answer["packages"][package] = version or None
    return answer

Scheduler.versions = Worker.versions = other

async def serve():
    async with Scheduler(host="127.0.0.1", security=security, dashboard_address="127.0.0.1:0",
                         protocol="tls" if certificate else "tcp") as scheduler:
        async with Worker(scheduler.address, security=security, nthreads=1):
            print(scheduler.address, flush=True)
            await scheduler.finished()

asyncio.run(serve())
"""


@contextmanager
def serving(certificate="", key="", package="", version=""):
    """Start a scheduler in a process of its own, and yield its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCHEDULER, certificate, key, package, version],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def write_certificates(folder):
    """Write a new certificate and its key, and return the settings that name them."""
    security = Security.temporary()
    paths = []
    for name in ("tls_client_cert", "tls_client_key"):
        path = folder / f"{name}.pem"
        path.write_text(getattr(security, name), encoding="ascii")
        path.chmod(0o600)
        paths.append(str(path))
    certificate, key = paths
    return {
        "distributed.comm.tls.ca-file": certificate,
        "distributed.comm.tls.client.cert": certificate,
        "distributed.comm.tls.client.key": key,
    }


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Return the settings with which the scheduler that has TLS lets a client in."""
    return write_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def sealed(settings):
    with serving(*list(settings.values())[1:]) as address:
        yield address


@pytest.fixture(scope="module")
def open_to_all():
    with serving() as address:
        yield address


def refusal(address, settings):
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "2s", **settings}),
        pytest.raises(PlanError) as refused,
        connect(address),
    ):
        pass
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_certificates_of_the_configuration_let_a_batch_in(sealed, settings):
    assert sealed.startswith("tls://")
    with dask.config.set(settings), connect(sealed) as client:
        assert client.submit(sum, [1, 2]).result(timeout=10) == 3


def test_a_scheduler_without_tls_is_said(open_to_all):
    with (
        pytest.warns(CompareWarpWarning, match=f"{open_to_all}: without TLS, whoever reaches"),
        connect(open_to_all) as client,
    ):
        assert client.submit(sum, [1, 2]).result(timeout=10) == 3


def test_certificates_that_do_not_fit_are_told_in_one_line(sealed, tmp_path):
    message = refusal(sealed, write_certificates(tmp_path))
    assert "are not of one authority; give those that the scheduler was started with" in message


def test_no_certificates_are_told_in_one_line(sealed):
    message = refusal(sealed, {})
    assert "no certificates are given; name them in dask's configuration" in message


def test_files_without_certificates_are_told_in_one_line(sealed, settings, tmp_path):
    client = "distributed.comm.tls.client.cert"
    assert "one of the files is missing" in refusal(sealed, {**settings, client: "/nowhere/x"})
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n", encoding="ascii")
    assert "no usable certificate or key" in refusal(sealed, {**settings, client: str(empty)})


def test_a_scheduler_with_tls_refuses_an_address_without(sealed, settings):
    message = refusal(sealed.replace("tls://", "tcp://"), settings)
    assert "or tls://host:8786 for one with TLS" in message


def test_encryption_that_is_asked_for_is_never_left_out(open_to_all):
    message = refusal(open_to_all, {"distributed.comm.require-encryption": True})
    assert "asks for encryption" in message
    assert message.endswith("give a tls:// address")


def test_another_version_of_dask_is_told_in_one_line():
    with serving(package="distributed", version="2024.1.0") as address:
        message = refusal(address, {})
    assert "this scheduler runs dask.distributed 2024.1.0, and here is" in message


@pytest.mark.parametrize(
    ("version", "has"),
    [("0.0.1", "has napari-comparewarp 0.0.1"), ("", "has no napari-comparewarp")],
)
def test_workers_with_another_version_of_the_program_are_told_in_one_line(version, has):
    with serving(package="napari-comparewarp", version=version) as address:
        message = refusal(address, {})
    assert has in message
    assert message.endswith("install the same version at both ends")


def test_a_server_of_another_kind_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(running_scheduler, "LONGEST_ANSWER", 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        # It accepts what connects, and never answers.
        message = refusal("tcp://127.0.0.1:{1}".format(*server.getsockname()), {})
    assert "no dask scheduler answers there" in message


def test_a_configuration_that_dask_cannot_read_is_told_in_one_line(tmp_path):
    broken = tmp_path / "dask.yaml"
    broken.write_text("distributed: [", encoding="utf-8")
    program = "from napari_comparewarp.batch.cluster import connect\nwith connect(): pass"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DASK_CONFIG": str(broken)},
        capture_output=True,
        text=True,
    )
    last = done.stderr.splitlines()[-1]
    assert "dask cannot begin, as its configuration files" in last
    assert str(broken) in last
