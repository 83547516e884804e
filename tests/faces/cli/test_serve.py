"""``heldout serve`` as a person types it."""

import importlib.util
import re
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest
from tests.faces.cli.test_app import PROGRAM
from tests.faces.web.conftest import fill

from heldout.engine.store import Store
from heldout.faces.cli import main


def test_a_real_server_prints_its_address_and_ends_when_told(tmp_path: Path) -> None:
    audits, _ = fill(Store(str(tmp_path / "runs")), 2)
    words = ["serve", str(tmp_path / "runs"), "--token-file", str(tmp_path / "token")]
    with subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+/\?token=([\w-]{43})\s", line)
            assert address, line
            assert (tmp_path / "token").read_text().strip() == address[1]
            with httpx.Client(follow_redirects=True, trust_env=False, timeout=30) as browser:
                page = browser.get(address[0].strip())
                assert page.status_code == 200
                assert str(page.url).endswith("/")
                assert audits[0] in page.text
                assert httpx.get(str(page.url), trust_env=False).status_code == 401
        finally:
            server.send_signal(signal.SIGINT)
            _, said = server.communicate(timeout=30)
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--host", "0.0.0.0"], "pass --tls-certificate and --tls-key, or --allow-remote"),
        (["--host", "192.0.2.1", "--allow-remote"], "an address of this machine"),
        (["--token-file", "no/such/folder/token"], "--token-file was"),
        (["--host", "127.0.0.1", "--port", "99999"], "with a port that is free"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(tmp_path), *words]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_a_port_that_is_taken_is_refused_where_it_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", str(tmp_path), "--port", str(taken.getsockname()[1])]) == 2
    assert "leave --port out" in capsys.readouterr().err


def test_without_the_extra_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "fastapi" else object())
    assert main(["serve", str(tmp_path)]) == 2
    assert "run pip install 'heldout[web]'." in capsys.readouterr().err


def test_browsing_needs_no_torch() -> None:
    code = (
        "import sys, heldout.faces.web.app, heldout.faces.web.listening, heldout.faces.cli.catalog; "
        "heavy = {'torch', 'pandas', 'scipy', 'altair'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([Path(PROGRAM).parent / "python", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
