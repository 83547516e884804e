"""Who may read the pages: the token on every route, names of this machine only, and a policy that lets nothing else load."""

import hmac
import ipaddress
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from heldout.records import Refusal

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
FORBIDDEN, UNAUTHORISED, MISDIRECTED, NO_METHOD = 403, 401, 421, 405


class Place(NamedTuple):
    """Where a server answers.

    Attributes:
        hosts: Names without port that may stand in ``Host``, lower case.
        port: The port.
        secure: Whether it speaks TLS.
        addresses: Whether any IP address may stand there: where other machines may come, their users type addresses. A foreign
            page cannot: what rebinding brings is a name.
    """

    hosts: tuple[str, ...]
    port: int
    secure: bool = False
    addresses: bool = False

    @property
    def cookie(self) -> str:
        """The cookie's name: servers on other ports of one machine share cookies."""
        return f"heldout-{self.port}"

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` header means this server.

        Args:
            host: With its port.

        Returns:
            Whether it does.

        Example:
            >>> place = Place(LOOPBACK, 8471)
            >>> place.knows("LOCALHOST:8471"), place.knows("localhost"), place.knows("evil.example:8471")
            (True, False, False)
        """
        name, port = (host.lower(), "") if host.endswith("]") or ":" not in host else host.lower().rsplit(":", 1)
        if port != str(self.port) and not (port == "" and self.port == (443 if self.secure else 80)):
            return False
        if name in self.hosts:
            return True
        try:
            return self.addresses and bool(ipaddress.ip_address(name.strip("[]")))
        except ValueError:
            return False


class Guard:
    """An ASGI application that lets through to another only who holds the token.

    Args:
        inner: The application behind it.
        token: Who knows it may read.
        place: Where the server answers.
        message: Makes a page of title and sentence.
    """

    def __init__(self, inner: Any, token: str, place: Place, message: Callable[[str, str], str]) -> None:
        self.inner, self.token, self.place, self.message = inner, token.encode(), place, message

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request.

        Args:
            scope: Of ASGI.
            receive: Of ASGI.
            send: Of ASGI.
        """
        if scope["type"] == "lifespan":
            await self.inner(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def guarded(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _with_policy(message.get("headers", ()))}
            await send(message)

        refused = self._refused(scope)
        if refused is not None:
            status, sentence, more = refused
            await _answer(guarded, status, self.message(TITLES[status], sentence) if sentence else "", more)
        else:
            await self.inner(scope, receive, guarded)

    def _refused(self, scope: Mapping[str, Any]) -> tuple[int, str, dict[str, str]] | None:
        """Status, sentence and headers of a refusal or redirect; None for who may pass."""
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == "host"]
        origins = [value for name, value in headers if name == "origin"]
        if len(hosts) != 1 or not self.place.knows(hosts[0]):
            return (
                MISDIRECTED,
                "This server answers to the address that 'heldout serve' printed, and to no other name.",
                {},
            )
        scheme = "https" if self.place.secure else "http"
        if any(origin.lower() != f"{scheme}://{hosts[0].lower()}" for origin in origins):
            return FORBIDDEN, "Pages of other sites may not ask this server.", {}
        if scope["method"] not in ("GET", "HEAD"):
            return NO_METHOD, "Pages can be read and nothing else.", {"allow": "GET, HEAD"}
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == "token"]
        if given and self._right(given[-1]):
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            path = "/" + scope.get("raw_path", b"/").decode("latin-1").partition("?")[0].lstrip("/\\")
            cookie = (
                f"{self.place.cookie}={given[-1]}; Path=/; HttpOnly; SameSite=Strict{'; Secure' * self.place.secure}"
            )
            return 303, "", {"location": f"{path}?{rest}" if rest else path, "set-cookie": cookie}
        if not any(map(self._right, _held(headers, self.place.cookie))):
            return UNAUTHORISED, (
                "This page needs the token: open the address that 'heldout serve' printed, with ?token= and what follows it."
            ), {"www-authenticate": "Bearer"}  # fmt: skip
        return None

    def _right(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self.token)


TITLES = {
    FORBIDDEN: "Not from here", UNAUTHORISED: "Token needed", MISDIRECTED: "Wrong name", NO_METHOD: "Not allowed", 303: "Moved",
}  # fmt: skip


def new_token() -> str:
    """A token that nobody guesses: 256 bits."""
    return secrets.token_urlsafe(32)


def token_of(path: str) -> str:
    """The token of a file, which is made if it is not there: a server that is started again keeps its viewers.

    Args:
        path: Where; readable by its owner alone when it is made here.

    Returns:
        The token.

    Raises:
        Refusal: If the file cannot be read or made, or holds no token.
    """
    try:
        token = Path(path).read_text(encoding="utf-8").strip() if Path(path).exists() else ""
        if not Path(path).exists():
            token = new_token()
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(f"{token}\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(
            given=f"--token-file was '{path}' ({getattr(error, 'strerror', None) or 'it is no text'})",
            expected="a file that can be read, or made",
            do="pass another",
        ) from None
    if len(token) < 16 or not all(sign.isalnum() or sign in "-_" for sign in token):
        raise Refusal(
            given=f"--token-file '{path}' holds no token of 16 or more letters and digits",
            expected="what heldout wrote there",
            do="remove the file, and a new one is made",
        )
    return token


def _held(headers: Iterable[tuple[str, str]], cookie: str) -> list[str]:
    """The tokens of a request: its cookie and its authorisation."""
    found = []
    for name, value in headers:
        if name == "authorization" and value[:7].lower() == "bearer ":
            found.append(value[7:].strip())
        if name == "cookie":
            pairs = (part.strip().partition("=") for part in value.split(";"))
            found += [held for key, _, held in pairs if key == cookie]
    return found


def _with_policy(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() not in (b"server",)]
    names = {name.lower() for name, _ in kept}
    own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    return [*kept, *own, *([] if b"cache-control" in names else [(b"cache-control", b"no-store")])]


async def _answer(send: Any, status: int, page: str, headers: Mapping[str, str]) -> None:
    body = page.encode()
    told = {"content-type": "text/html; charset=utf-8", "content-length": str(len(body)), **headers}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
