"""Who may read: the token everywhere, this machine's names, pages of this server alone."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.faces.web.conftest import TOKEN, URL, World

from heldout.faces.web.assets import asset_address
from heldout.faces.web.guarding import LOOPBACK, POLICY, Place, new_token, token_of
from heldout.records import Refusal

EVERYWHERE = [
    "/",
    "/readings",
    "/readings.csv",
    "/catalog",
    "/compare",
    "/events",
    "/nothing",
    asset_address("pages.css"),
]


def stranger(world: World) -> TestClient:
    return TestClient(world.made.application, base_url=URL, follow_redirects=False)  # type: ignore[arg-type]


def test_nothing_is_shown_without_the_token(world: World) -> None:
    runs = [
        f"/audits/{world.audits[0]}",
        f"/events/{world.training}",
        f"/figures/trainings/{world.training}/losses.svg",
    ]
    for path in [*EVERYWHERE, *runs]:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": f"heldout-8471={TOKEN}x"}, {"cookie": "a=b"}):
            answer = stranger(world).get(path, headers=headers)
            assert answer.status_code == 401, path
            assert "needs the token" in answer.text
            assert world.audits[0] not in answer.text
    assert stranger(world).get("/?token=wrong").status_code == 401


def test_the_first_visit_leaves_a_cookie_and_a_clean_address(world: World) -> None:
    client = stranger(world)
    answer = client.get(f"/readings?name=a%20b&token={TOKEN}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/readings?name=a+b"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"heldout-8471={TOKEN};")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert client.get("/", headers={"cookie": f"other=1; heldout-8471={TOKEN}"}).status_code == 200


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "///evil.example/a"])
def test_a_redirect_stays_here(world: World, path: str) -> None:
    scope = {
        "type": "http", "method": "GET", "raw_path": path.encode(), "query_string": f"token={TOKEN}".encode(),
        "headers": [(b"host", b"127.0.0.1:8471")],
    }  # fmt: skip
    status, _, headers = world.made.application._refused(scope) or (0, "", {})
    assert status == 303
    assert headers["location"].startswith("/evil.example")


@pytest.mark.parametrize(
    "host", ["evil.example:8471", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:8471", "", "10.0.0.1:8471"]
)
def test_foreign_names_are_refused(world: World, host: str) -> None:
    assert world.client.get("/", headers={"host": host}).status_code == 421


def test_pages_of_other_sites_are_refused(world: World) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:8472", "https://127.0.0.1:8471"):
        assert world.client.get("/events", headers={"origin": origin}).status_code == 403
    assert world.client.get("/", headers={"origin": URL}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(world: World, method: str) -> None:
    answer = world.client.request(method, "/")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert world.client.head("/").status_code == 200


def test_the_policy_is_on_every_answer(world: World) -> None:
    answers = [
        world.client.get(path) for path in ("/", "/nothing", "/readings.csv", "/?page=x", asset_address("pages.css"))
    ]
    answers += [stranger(world).get("/"), world.client.get("/", headers={"host": "evil"})]
    for answer in answers:
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "server" not in answer.headers
    kept = [answer.headers["cache-control"] for answer in answers]
    assert kept == [*["no-store"] * 4, "private, max-age=31536000, immutable", "no-store", "no-store"]
    assert "unsafe" not in POLICY


def test_where_others_may_come_addresses_are_names_too() -> None:
    near, far = Place(LOOPBACK, 8471), Place(("box",), 8471, addresses=True)
    assert not near.knows("10.1.2.3:8471")
    assert far.knows("10.1.2.3:8471")
    assert far.knows("[fe80::1]:8471")
    assert far.knows("BOX:8471")
    assert not far.knows("evil.example:8471")
    assert Place(LOOPBACK, 443, secure=True).knows("localhost")


def test_a_token_file_keeps_its_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = token_of(str(path))
    assert token_of(str(path)) == token != new_token()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(token) >= 43
    path.write_text("short")
    with pytest.raises(Refusal, match="holds no token"):
        token_of(str(path))
    with pytest.raises(Refusal, match="--token-file was"):
        token_of(str(tmp_path / "no" / "token"))
