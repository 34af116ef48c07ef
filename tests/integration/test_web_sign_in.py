"""Signing in, and what must not come of it: fixation, forgery, guessing, sessions that live on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from tests.support.console import NOBODY, PASSWORD, Served, served
from triage.settings import Settings
from triage.store.accounts import Reach, Role
from triage.store.repository import Repository
from triage.store.throttles import Key
from triage.web import passwords

HOME = "/account"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing is slow on purpose, and this guesses a lot."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(1, 8, 1))


@pytest.fixture
def console(repository: Repository) -> Iterator[Served]:
    with served(repository) as found:
        yield found


@pytest.fixture
def either(any_repository: Repository) -> Iterator[Served]:
    """On each kind of database."""
    with served(any_repository) as found:
        yield found


def entered(console: Served, **form: str) -> tuple[int, str]:
    """(status, the session's cookie) of a sign-in."""
    with console.visitor() as visitor:
        answer = visitor.post("/sign-in", data={"name": "ann", "password": PASSWORD} | form)
        return answer.status_code, answer.cookies.get("triage-session") or ""


def test_the_first_user_needs_the_code_that_the_worker_shows(either: Served) -> None:
    with either.visitor() as visitor:
        for path in ("/", "/sign-in"):
            assert visitor.get(path).headers["location"].startswith("/set-up")
        form = {"code": "WRONG", "name": " Ann  B ", "password": PASSWORD, "repeated": PASSWORD}
        assert "not the code" in visitor.post("/set-up", data=form).text
        assert not either.repository.accounts.any()
        (code,) = parse_qs(urlsplit(either.set_up_url).query)["code"]
        assert "differ" in visitor.post("/set-up", data=form | {"code": code, "repeated": ""}).text
        short = {"code": code, "password": "short", "repeated": "short"}
        assert "12 characters" in visitor.post("/set-up", data=form | short).text
        answer = visitor.post("/set-up", data=form | {"code": code.lower()})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert visitor.get(HOME).status_code == 200
        again = visitor.post("/set-up", data=form | {"code": code, "name": "eve"})
        assert again.headers["location"] == "/sign-in"
    (user,) = either.repository.accounts.listed()
    assert (user.name, user.role) == ("ann b", Role.ADMIN)


def test_a_session_of_somebody_elses_choice_is_never_taken_up(console: Served) -> None:
    console.user(Role.VIEWER, "ann")
    with console.visitor() as victim:
        victim.cookies.set("triage-session", "planted", domain="127.0.0.1")
        answer = victim.post("/sign-in", data={"name": "ann", "password": PASSWORD})
        fresh = answer.cookies["triage-session"]
        assert fresh != "planted"
        assert victim.get(HOME).status_code == 200
    with console.visitor() as thief:
        thief.cookies.set("triage-session", "planted", domain="127.0.0.1")
        assert thief.get(HOME).status_code == 303


def test_signing_in_anew_ends_the_session_that_the_browser_had(console: Served) -> None:
    console.user(Role.VIEWER, "ann")
    with console.visitor() as visitor:
        first = visitor.post("/sign-in", data={"name": "ann", "password": PASSWORD})
        old = first.cookies["triage-session"]
        visitor.post("/sign-in", data={"name": "ANN", "password": PASSWORD})
    assert console.repository.sessions.find(old) is None
    assert len(console.repository.sessions.of(console.user(Role.VIEWER, "ann").id)) == 1


def test_the_cookie_is_out_of_reach_of_scripts_and_bound_to_the_host(
    repository: Repository,
) -> None:
    with served(repository, console={"public_url": "https://triage.example.com"}) as console:
        console.user(Role.VIEWER, "ann")
        with console.visitor(host="triage.example.com") as visitor:
            answer = visitor.post("/sign-in", data={"name": "ann", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-triage-session=")
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts
        assert not any(part.startswith("domain") for part in parts)
        assert "strict-transport-security" in answer.headers


def test_signing_out_ends_the_session_on_the_server(console: Served) -> None:
    with console.signed_in(Role.VIEWER, "ann") as visitor:
        secret = visitor.cookies["triage-session"]
        assert visitor.post("/sign-out").status_code == 303
    assert console.repository.sessions.find(secret) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "", "origin": "http://127.0.0.1:1"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
)
def test_another_site_cannot_make_a_browser_act(console: Served, headers: dict[str, str]) -> None:
    with console.signed_in(Role.ADMIN, "ann") as visitor:
        del visitor.headers["sec-fetch-site"]
        for path in ("/users", "/sign-out", "/sign-in", "/account/tokens"):
            answer = visitor.post(path, data={"name": "mallory"}, headers=headers)
            assert answer.status_code == 403, path
        assert visitor.get(HOME).status_code == 200
        same = visitor.post("/sign-out", headers={"origin": console.url})
        assert same.status_code == 303


def test_what_no_database_takes_is_refused(either: Served) -> None:
    either.user(Role.VIEWER, "ann")
    status, _ = entered(either, name="a\0b")
    assert status in {401, 422}
    with either.program(Role.REVIEWER, "read", "review") as program:
        for path in ("/api/inquiries/a%00b", "/api/inquiries?source=%00"):
            assert program.get(path).status_code == 400
        answer = program.post("/api/inquiries/x/label", json={"label": "a\0b"})
        assert answer.status_code == 404


def test_a_strange_host_is_not_answered(console: Served) -> None:
    with console.signed_in(Role.ADMIN, "ann") as visitor:
        answer = visitor.get(HOME, headers={"host": "rebound.example:8080"})
        assert (answer.status_code, "public_url" in answer.text) == (400, True)
        assert visitor.get(HOME, headers={"host": "localhost:8080"}).status_code == 200


def test_guessing_is_slowed_down_by_account_and_by_address(either: Served) -> None:
    either.user(Role.VIEWER, "ann")
    either.user(Role.VIEWER, "bob")
    tried = [entered(either, password=f"wrong {number}")[0] for number in range(7)]
    assert tried[:5] == [401] * 5
    assert tried[-1] == 429
    assert entered(either)[0] == 429, "the right password is a guess too while it is shut"
    assert entered(either, name="bob")[0] == 303, "others are not shut out"
    others = [entered(either, name=f"nobody-{number}")[0] for number in range(20)]
    assert others[-1] == 429, "one address guesses at many accounts"
    assert entered(either, name="bob")[0] == 429


def test_signing_in_well_shuts_nobody_out_and_clears_nobody_else(either: Served) -> None:
    names = [f"user-{number}" for number in range(3)]
    for name in names:
        either.user(Role.VIEWER, name)
    assert [entered(either, name=names[n % 3])[0] for n in range(30)] == [303] * 30
    tried = [entered(either, name=f"nobody-{number}")[0] for number in range(19)]
    assert tried == [401] * 19
    assert [entered(either, name=name)[0] for name in names] == [303] * 3
    assert entered(either, name="nobody-20")[0] == 401
    assert entered(either, name=names[0])[0] == 429, "the failures of others still count"


def test_a_try_that_is_given_back_leaves_what_others_tried_since(
    any_repository: Repository,
) -> None:
    throttles, key = any_repository.throttles, Key("address:x", free=3)
    well = throttles.tried([key])
    assert [throttles.begin([key]) for _ in range(2)] == [0, 0]
    throttles.give_back(well, key)
    assert throttles.begin([key]) > 0, "who shut it is not the one who gives back"


def test_tries_at_the_same_moment_are_all_counted(any_repository: Repository) -> None:
    key = Key("account:ann", free=3)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: any_repository.throttles.begin([key]), range(16)))
    assert sum(wait == 0 for wait in waits) <= 4  # three free ones, and the one that shut it
    any_repository.throttles.clear([key])
    assert any_repository.throttles.begin([key]) == 0


def test_waits_grow_and_end() -> None:
    key = Key("x", free=2, longest=60)
    waits = [key.wait(failures).total_seconds() for failures in range(1, 12)]
    assert waits[:5] == [0, 5, 10, 20, 40]
    assert waits[-1] == 60


def test_an_unknown_name_and_a_wrong_password_look_alike(console: Served) -> None:
    console.user(Role.VIEWER, "ann")
    with console.visitor() as visitor:
        wrong = visitor.post("/sign-in", data={"name": "ann", "password": "x"})
        unknown = visitor.post("/sign-in", data={"name": "zoe", "password": "x"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("ann", "zoe") == unknown.text


@pytest.mark.parametrize(
    ("asked", "to"),
    [
        ("/users?x=1", "/users?x=1"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\nx", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_after_signing_in_nobody_is_led_elsewhere(console: Served, asked: str, to: str) -> None:
    console.user(Role.VIEWER, "ann")
    with console.visitor() as visitor:
        answer = visitor.post("/sign-in", data={"name": "ann", "password": PASSWORD, "next": asked})
    assert answer.headers["location"] == to


def test_a_change_of_role_holds_at_once_and_a_disabled_user_is_out(either: Served) -> None:
    accounts = either.repository.accounts
    either.user(Role.ADMIN, "root")
    bob = either.user(Role.ADMIN, "bob")
    with either.signed_in(Role.ADMIN, "bob") as visitor:
        assert visitor.get("/users").status_code == 200
        accounts.change(bob.id, Role.VIEWER, Reach(), by=NOBODY)
        assert visitor.get("/users").status_code == 403
        accounts.disable(bob.id, disabled=True, by=NOBODY)
        assert visitor.get(HOME).status_code == 303
        accounts.disable(bob.id, disabled=False, by=NOBODY)
        assert visitor.get(HOME).status_code == 303, "the session must not come back"
        accounts.disable(bob.id, disabled=True, by=NOBODY)
        assert entered(either, name="bob")[0] == 401


def test_the_last_administrator_stays_one(console: Served) -> None:
    ann = console.user(Role.ADMIN, "ann")
    with console.signed_in(Role.ADMIN, "ann") as visitor:
        for path, form in (
            (f"/users/{ann.id}", {"role": "viewer"}),
            (f"/users/{ann.id}/disable", {"disabled": "true"}),
        ):
            answer = visitor.post(path, data=form)
            assert (answer.status_code, "last administrator" in answer.text) == (422, True)


def test_a_changed_password_ends_every_other_session(console: Served) -> None:
    with (
        console.signed_in(Role.VIEWER, "ann") as here,
        console.signed_in(Role.VIEWER, "ann") as there,
    ):
        form = {"current": "wrong", "password": "another horse", "repeated": "another horse"}
        assert here.post("/account/password", data=form).status_code == 422
        answer = here.post("/account/password", data=form | {"current": PASSWORD})
        assert answer.status_code == 303
        assert here.get(HOME).status_code == 200
        assert there.get(HOME).status_code == 303
    assert entered(console)[0] == 401
    assert entered(console, password="another horse")[0] == 303


def test_an_administrator_makes_users_and_signs_them_out(either: Served) -> None:
    with either.signed_in(Role.ADMIN, "root") as admin:
        form = {"name": "Bob", "password": PASSWORD, "role": "reviewer"}
        made = admin.post("/users", data=form)
        assert made.status_code == 303
        page = urlsplit(made.headers["location"]).path
        assert "already" in admin.post("/users", data=form).text
        status, cookie = entered(either, name="bob")
        assert status == 303
        assert admin.post(f"{page}/sign-out").status_code == 303
        assert either.repository.sessions.find(cookie) is None
        change = {"role": "viewer", "source": ["inbox"], "campaigns": "spring\n\n summer "}
        assert admin.post(page, data=change).status_code == 303
    bob = either.user(Role.VIEWER, "bob")
    assert (bob.role, bob.reach) == (Role.VIEWER, Reach(("inbox",), ("spring", "summer")))


def test_a_token_is_shown_once_kept_as_a_digest_and_ends_when_revoked(either: Served) -> None:
    with either.signed_in(Role.REVIEWER, "ann") as visitor:
        over = {"name": "site", "scope": ["admin"], "days": "0"}
        assert "cannot have" in visitor.post("/account/tokens", data=over).text
        page = visitor.post("/account/tokens", data={"name": "site", "scope": ["read", "review"]})
        secret = page.text.partition('<code class="copy">')[2].partition("<")[0]
        assert secret.startswith("trg_")
        assert secret not in visitor.get(HOME).text
        with either.repository.database.read() as connection:
            (row,) = connection.execute(text("SELECT * FROM tokens")).mappings()
        assert secret not in str(dict(row))
        bearer = {"authorization": f"Bearer {secret}"}
        with either.visitor() as program:
            assert program.get("/api/me", headers=bearer).json()["scopes"] == ["read", "review"]
            assert program.get(HOME, headers=bearer).status_code == 303
            (token,) = either.repository.tokens.of(either.user(Role.REVIEWER, "ann").id)
            visitor.post("/account/tokens/revoke", data={"token": token.id})
            assert program.get("/api/me", headers=bearer).status_code == 401


def test_every_change_is_in_a_log_that_nobody_can_change(either: Served) -> None:
    with either.signed_in(Role.ADMIN, "root") as admin:
        admin.post("/users", data={"name": "<b>bob</b>", "password": PASSWORD, "role": "viewer"})
        page = admin.get("/audit").text
    assert "user created" in page
    assert "&lt;b&gt;bob&lt;/b&gt;" in page
    assert "<b>bob" not in page
    actions = [entry.action for entry in either.repository.audit.listed()]
    assert actions[:2] == ["user created", "signed in"]
    for statement in ("DELETE FROM audit", "UPDATE audit SET action = 'nothing'"):
        with (
            pytest.raises(DatabaseError, match="only ever added"),
            either.repository.database.write() as connection,
        ):
            connection.execute(text(statement))


def test_requests_are_bounded(console: Served) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 100_000

    kind = {"content-type": "application/x-www-form-urlencoded"}
    with console.visitor() as visitor:
        stated = visitor.post("/sign-in", content=b"name=" + b"x" * 2_100_000, headers=kind)
        assert stated.status_code == 413
        assert visitor.post("/sign-in", content=endless(), headers=kind).is_client_error


def test_a_console_for_others_needs_https() -> None:
    for wrong in (
        {"listen": "0.0.0.0:8080"},
        {"listen": "0.0.0.0:8080", "public_url": "http://triage.example.com"},
        {"public_url": "https://triage.example.com/path"},
    ):
        with pytest.raises(ValueError, match=r"public_url"):
            Settings.model_validate({"console": wrong})
    Settings.model_validate({"console": {"listen": "0.0.0.0:8080", "enabled": False}})
    good = {"listen": "0.0.0.0:8080", "public_url": "http://localhost:8080"}
    assert not Settings.model_validate({"console": good}).console.is_secure
