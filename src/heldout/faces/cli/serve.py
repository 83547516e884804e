"""``heldout serve``: the pages of a store."""

from collections.abc import Callable
from typing import Annotated

from typer import Argument, Option

Port = Annotated[
    int | None, Option("--port", metavar="NUMBER", help="8471, or any that is free where that is taken, if not said.")
]
TokenFile = Annotated[
    str | None,
    Option(
        "--token-file", metavar="FILE", help="Keep the token here, so that a server started again keeps its viewers."
    ),
]
Certificate = Annotated[str | None, Option("--tls-certificate", metavar="FILE", help="Speak TLS with it, PEM.")]
Key = Annotated[str | None, Option("--tls-key", metavar="FILE", help="The certificate's key, PEM.")]
Remote = Annotated[bool, Option("--allow-remote", help="Let other machines connect without TLS.")]
Host = Annotated[str, Option("--host", metavar="ADDRESS", help="To listen on; another than loopback needs TLS.")]


def serve_command(
    store: Annotated[str, Argument(help="Directory or URL of the store.")] = "runs",
    port: Port = None,
    host: Host = "127.0.0.1",
    token_file: TokenFile = None,
    certificate: Certificate = None,
    key: Key = None,
    remote: Remote = False,
) -> Callable[[], None]:
    """Show a store in the browser: runs, audits, trainings as they happen; on this machine alone, behind a token."""

    def job() -> None:
        check_installed()
        from heldout.engine.store import Store
        from heldout.faces.web.guarding import new_token, token_of
        from heldout.faces.web.listening import address_of, checked_host, listen, place_of, run

        loopback = checked_host(host, bool(certificate), remote)
        place_store = Store(store)
        token = token_of(token_file) if token_file else new_token()
        bound = listen(host, port)
        place = place_of(host, bound.getsockname()[1], secure=bool(certificate), loopback=loopback)
        from heldout.faces.cli.catalog import catalog_rows, explanation
        from heldout.faces.web.app import Catalog, pages

        made = pages(place_store, token, place, Catalog(catalog_rows, explanation))
        print(f"'{store}' is at {address_of(place, host, token)}", flush=True)
        print("Whoever has this address can read it. Ctrl-C ends.", flush=True)
        run(made.application, made.streams, bound, certificate or "", key or "")

    return job


def check_installed() -> None:
    """Say how to get what the pages need, where it is lacking.

    Raises:
        Refusal: If it is.
    """
    from importlib.util import find_spec

    from heldout.records import Refusal

    lacking = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if lacking:
        raise Refusal(
            given=f"'heldout serve' needs {' and '.join(lacking)}, which {'is' if len(lacking) == 1 else 'are'} not installed",
            expected="the extra 'web'",
            do="run pip install 'heldout[web]'",
        )
