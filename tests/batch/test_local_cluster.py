"""A cluster on this machine: nobody else gets in, and nothing of it is left."""

import os
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

import dask
import psutil
import pytest
from distributed import Client, Security

from napari_comparewarp.batch.local_cluster import local_cluster
from napari_comparewarp.batch.plan import PlanError

#: What a user may have set for other clusters, each of which would open a door or break the lock.
CARELESS = {
    "distributed.comm.require-encryption": False,
    "distributed.comm.default-scheme": "tcp",
    "distributed.comm.tls.ca-file": "/nowhere/ca.pem",
    "distributed.comm.tls.ciphers": "no such cipher",
    "distributed.scheduler.contact-address": "tcp://192.0.2.1:8786",
    "distributed.scheduler.dashboard.tls.cert": "/nowhere/cert.pem",
    "distributed.scheduler.http.routes": ["distributed.http.scheduler.api"],
    "distributed.scheduler.preload": ["no_such_module"],
    "distributed.worker.http.routes": ["distributed.http.worker.prometheus"],
    "distributed.worker.preload": ["no_such_module"],
    "distributed.nanny.preload": ["no_such_module"],
    "scheduler-address": "tcp://192.0.2.1:8786",
}

#: A client in a process of its own, which says whether it ran code on the scheduler.
INTRUDER = """
import os, sys
from distributed import Client, Security

address, kind = sys.argv[1:]
security = Security.temporary() if kind == "stranger" else None
try:
    client = Client(address, security=security, timeout="3s", set_as_default=False)
    print("ran as", client.run_on_scheduler(os.getpid))
except (OSError, TypeError) as error:
    print("refused:", error)
sys.stdout.flush()
os._exit(0)
"""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def cluster(scratch):
    """Start a cluster of one worker under careless settings."""
    with (
        dask.config.set({**CARELESS, "temporary-directory": str(scratch)}),
        local_cluster(1) as started,
    ):
        yield started


def listening(cluster):
    """Return the addresses that this process and its workers listen at."""
    with Client(cluster, set_as_default=False) as client:
        workers = set(client.run(os.getpid).values())
    assert workers
    family = {process.pid for process in psutil.Process().children(recursive=True)}
    assert workers <= family
    sockets = [
        connection
        for pid in (os.getpid(), *family)
        for connection in psutil.Process(pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    return [(connection.laddr.ip, connection.laddr.port) for connection in sockets]


def test_every_port_is_on_the_loopback_interface(cluster):
    addresses = listening(cluster)
    # The scheduler, the nanny, the worker, and a web server without pages of two of them.
    assert len(addresses) == 5
    assert {host for host, _ in addresses} == {"127.0.0.1"}
    assert not {port for _, port in addresses} & {8786, 8787}


@pytest.mark.parametrize("kind", ["plain", "nobody", "stranger"])
def test_a_client_of_another_process_is_refused(cluster, kind):
    address = cluster.scheduler_address
    assert address.startswith("tls://127.0.0.1:")
    if kind == "plain":
        address = address.replace("tls://", "tcp://")
    answer = subprocess.run(
        [sys.executable, "-c", INTRUDER, address, kind], capture_output=True, text=True, timeout=60
    ).stdout
    assert answer.startswith("refused:"), answer


def test_no_port_serves_one_who_trusts_anybody(cluster):
    other = Security.temporary().get_connection_args("client")["ssl_context"]
    other.verify_mode = ssl.CERT_NONE
    for host, port in listening(cluster):
        with socket.create_connection((host, port), timeout=10) as plain:
            plain.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = received(plain)
        if answer:
            assert answer.startswith(b"HTTP/1.1 404 ")
            continue
        with (
            socket.create_connection((host, port), timeout=10) as plain,
            pytest.raises((ssl.SSLError, ConnectionError)),
            other.wrap_socket(plain) as sealed,
        ):
            sealed.sendall(100 * b"\0")
            while sealed.recv(1000):
                pass
            raise ConnectionError("it hung up without a word")


def received(connection):
    try:
        return connection.recv(1000)
    except ConnectionError:
        return b""


def test_modules_are_imported_from_no_folder_of_others(cluster, scratch):
    (folder,) = scratch.iterdir()
    if os.name == "posix":
        assert folder.stat().st_mode & 0o077 == 0
    with Client(cluster, set_as_default=False) as client:
        (path,) = client.run(lambda: __import__("sys").path).values()
    places = [place for place in (*path, *sys.path) if "dask-scratch-space" in place]
    assert places
    assert all(Path(place).is_relative_to(folder) for place in places)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """Return a folder in which this process and its children make their temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # Not where another cluster that still runs has its own.
    with dask.config.set({"temporary-directory": None}):
        yield tmp_path


def test_nothing_is_left_of_a_cluster_that_an_error_has_ended(empty):
    with pytest.raises(ZeroDivisionError), local_cluster(1) as cluster:
        with Client(cluster, set_as_default=False) as client:
            (worker,) = client.run(os.getpid).values()
        process = psutil.Process(worker)
        assert list(empty.iterdir())
        raise ZeroDivisionError
    assert not process.is_running()
    assert list(empty.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with (
        dask.config.set({"temporary-directory": str(file)}),
        pytest.raises(PlanError, match=r"no scratch files can be written there .*; set TMPDIR"),
        local_cluster(1),
    ):
        pass
