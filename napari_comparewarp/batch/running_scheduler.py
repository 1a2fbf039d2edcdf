"""Connecting to a dask scheduler that others have started."""

import asyncio
import ssl
import threading
import warnings
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..errors import CompareWarpWarning, plain_reason
from .plan import PlanError

if TYPE_CHECKING:
    from distributed import Client, Security

__all__ = ["connect_to"]

#: Kinds of addresses that only holders of a certificate, or this process, can use.
CLOSED = ("tls", "wss", "inproc")

#: Seconds that a scheduler may take to answer once it is connected.
LONGEST_ANSWER = 10

DISTRIBUTION = "napari-comparewarp"


def connect_to(scheduler: str) -> "Client":
    """Connect to a running scheduler.

    Parameters
    ----------
    scheduler : str
        Its address. ``tls://`` takes the certificates that dask's
        configuration names.

    Returns
    -------
    distributed.Client

    Raises
    ------
    PlanError
        If no scheduler answers, or it cannot be used from here.
    """
    import dask
    from distributed import Client
    from distributed.comm import resolve_address

    try:
        address = resolve_address(scheduler)
    except (OSError, ValueError) as error:
        raise _no_answer(scheduler) from error
    security, arguments = _certificates()
    scheme = address.partition("://")[0]
    if dask.config.get("distributed.client.security-loader", None) is None:
        _check_certificates(scheduler, scheme, security, arguments)
        _check_answer(scheduler, address, arguments)
    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise _no_answer(scheduler) from error
    try:
        _check_workers(scheduler, client)
    except BaseException:
        client.close()
        raise
    if scheme not in CLOSED:
        warnings.warn(
            f"{scheduler}: without TLS, whoever reaches this scheduler or its workers can run "
            "code there and read what is sent; start it with certificates and give a tls:// "
            "address",
            CompareWarpWarning,
            stacklevel=2,
        )
    return client


def _no_answer(scheduler: str) -> PlanError:
    return PlanError(
        f"{scheduler}: no dask scheduler answers there; give an address such as "
        "tcp://host:8786, or tls://host:8786 for one with TLS"
    )


def _certificates() -> "tuple[Security, dict[str, Any]]":
    """Return what dask's configuration says of encryption, and what a client makes of it."""
    from distributed import Security

    where = "dask's configuration, under distributed.comm.tls"
    try:
        security = Security()
        files = security.get_tls_config_for_role("client")
        return security, security.get_connection_args("client")
    except FileNotFoundError as error:
        listed = ", ".join(str(files[role]) for role in ("ca_file", "cert", "key") if files[role])
        raise PlanError(f"{where}: one of the files is missing: {listed}") from error
    except (OSError, TypeError, ValueError) as error:
        raise PlanError(f"{where}: no usable certificate or key: {plain_reason(error)}") from error


def _check_certificates(
    scheduler: str, scheme: str, security: "Security", arguments: dict[str, Any]
) -> None:
    """Refuse what dask would refuse in the midst of connecting."""
    if scheme in ("tls", "wss") and arguments.get("ssl_context") is None:
        raise PlanError(
            f"{scheduler}: no certificates are given; name them in dask's configuration, "
            "under distributed.comm.tls: ca-file, client.cert and client.key"
        )
    if security.require_encryption and scheme not in CLOSED:
        raise PlanError(
            f"{scheduler}: dask's configuration asks for encryption "
            "(distributed.comm.require-encryption); give a tls:// address"
        )


def _check_answer(scheduler: str, address: str, arguments: dict[str, Any]) -> None:
    """Ask a scheduler for its version, as a client that cannot begin leaves threads behind."""
    import distributed

    try:
        version = _ask_for_versions(address, arguments)["packages"]["distributed"]
    except Exception as error:
        if _is_about_certificates(error):
            raise PlanError(
                f"{scheduler}: its certificates and those of dask's configuration, under "
                "distributed.comm.tls, are not of one authority; give those that the scheduler "
                "was started with"
            ) from error
        raise _no_answer(scheduler) from error
    if version != distributed.__version__:
        raise PlanError(
            f"{scheduler}: this scheduler runs dask.distributed {version}, and here is "
            f"{distributed.__version__}; install the same version at both ends"
        )


def _ask_for_versions(address: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what a scheduler says of its packages."""
    import dask
    import distributed
    from dask.utils import parse_timedelta

    async def ask() -> dict[str, Any]:
        async with distributed.rpc(address, connection_args=arguments) as remote:
            return await remote.versions()

    answer: Future[dict[str, Any]] = Future()

    def wait() -> None:
        try:
            answer.set_result(asyncio.run(ask()))
        except Exception as error:
            answer.set_exception(error)

    # Another kind of server may let dask wait for ever, whatever its timeouts: the thread is given
    # up then. There may be a loop in this thread, of a notebook.
    threading.Thread(target=wait, name="ask a scheduler", daemon=True).start()
    timeout = parse_timedelta(dask.config.get("distributed.comm.timeouts.connect"))
    return answer.result(timeout + LONGEST_ANSWER)


def _check_workers(scheduler: str, client: "Client") -> None:
    """Refuse workers that have another version of this package, or none."""
    answers: Any = client.get_versions(check=False, packages=[DISTRIBUTION])
    here = answers["client"]["packages"][DISTRIBUTION]
    for worker, answer in answers["workers"].items():
        version = answer["packages"][DISTRIBUTION]
        if version != here:
            has = f"{DISTRIBUTION} {version}" if version else f"no {DISTRIBUTION}"
            raise PlanError(
                f"{scheduler}: its worker {worker} has {has}, and here is {here}; install the "
                "same version at both ends"
            )


def _is_about_certificates(error: BaseException | None) -> bool:
    """Whether TLS is what an error comes from, however far down."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
