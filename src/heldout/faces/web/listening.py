"""The server: a socket of this machine, and uvicorn behind it."""

import socket
from typing import Any

from heldout.faces.web.guarding import LOOPBACK, Place
from heldout.faces.web.streaming import Streams
from heldout.records import Refusal

PORT = 8471
#: Seconds that open answers have when the server is told to stop.
PATIENCE = 2


def checked_host(host: str, secure: bool, allowed: bool) -> bool:
    """Whether a host is of this machine alone.

    Args:
        host: Name or address to listen on.
        secure: Whether TLS is spoken.
        allowed: Whether the user wants it without.

    Returns:
        True for loopback.

    Raises:
        Refusal: If others could listen to what is said, and nobody said that they may.

    Example:
        >>> checked_host("127.0.0.1", False, False)
        True
    """
    loopback = host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())
    if not loopback and not secure and not allowed:
        raise Refusal(
            given=f"--host was '{host}', where other machines can connect and the token would travel in the clear",
            expected="a loopback address such as 127.0.0.1, or TLS",
            do="pass --tls-certificate and --tls-key, or --allow-remote if the network is yours alone",
        )
    return loopback


def listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens.

    Args:
        host: Name or address.
        port: Which; None for 8471, or any that is free where that is taken.

    Returns:
        The socket.

    Raises:
        Refusal: If the host is not of this machine or the port is taken.
    """
    tried = [PORT, 0] if port is None else [port]
    reason = "" if 0 <= tried[0] < 65_536 else "there is no such port"
    for number in tried if not reason else []:
        try:
            return _bound(host, number)
        except OSError as error:
            reason = getattr(error, "strerror", None) or str(error)
    raise Refusal(
        given=f"--host was '{host}' and --port {tried[0]} ({reason})",
        expected="an address of this machine with a port that is free",
        do="leave --port out, and one that is free is chosen",
    )


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
    except OSError:
        bound.close()
        raise
    return bound


def place_of(host: str, port: int, *, secure: bool, loopback: bool) -> Place:
    """The names under which a server may be asked.

    Args:
        host: That it listens on.
        port: Likewise.
        secure: Whether it speaks TLS.
        loopback: Whether this machine alone can reach it.

    Returns:
        The place.
    """
    names = {*LOOPBACK, host.lower() if ":" not in host else f"[{host.lower()}]"}
    if not loopback:
        names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    return Place(tuple(sorted(names)), port, secure, addresses=not loopback)


def address_of(place: Place, host: str, token: str) -> str:
    """The address to open.

    Args:
        place: Where the server answers.
        host: That it listens on.
        token: Who knows it may read.

    Returns:
        A URL.

    Example:
        >>> address_of(Place(LOOPBACK, 8471), "127.0.0.1", "abc")
        'http://127.0.0.1:8471/?token=abc'
    """
    shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    name = f"[{shown}]" if ":" in shown else shown
    return f"http{'s' * place.secure}://{name}:{place.port}/?token={token}"


def run(application: Any, streams: Streams, bound: socket.socket, certificate: str = "", key: str = "") -> None:
    """Serve until Ctrl-C or a signal.

    Args:
        application: Of ASGI.
        streams: To be closed at the end, so that nobody waits for them.
        bound: Listens.
        certificate: Path of a TLS certificate; empty for none.
        key: Path of its key.

    Raises:
        Refusal: If certificate or key cannot be used.
    """
    import uvicorn

    tls = {"ssl_certfile": certificate, "ssl_keyfile": key or None} if certificate else {}
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE,
        **tls,
    )
    try:
        config.load()
    except OSError as error:  # ssl's errors are OSErrors
        raise Refusal(
            given=f"--tls-certificate was '{certificate}' and --tls-key '{key}' ({error.strerror or error})",
            expected="a certificate and its key in PEM",
            do="check the paths",
        ) from None
    server = uvicorn.Server(config)
    stop = server.handle_exit

    def closing(signal: int, frame: Any) -> None:
        streams.closing = True  # or open streams would be waited for
        stop(signal, frame)

    server.handle_exit = closing
    server.run(sockets=[bound])
