"""Signing in at a provider: a certified one, and one that lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support import oidc
from tests.support.console import NOBODY, PASSWORD, Served, served
from tests.support.oidc import BACK, Liar, walk
from triage.delivery.client import HttpClient
from triage.errors import Transient
from triage.settings import Settings, Store
from triage.store.accounts import Reach, Role
from triage.store.repository import Repository
from triage.web.oidc import Provider

START = "/sign-in/oidc"
ACCOUNTS: dict[str, dict[str, object]] = {
    login: {"email": f"{login}@example.org", "email_verified": True, "groups": groups}
    for login, groups in {
        "ann": ["staff", "sales", "triage-admins"], "bob": ["sales"], "cat": ["staff"],
        "dan": "sales", "fay": ["sales"], "gus": ["sales"], "hal": ["sales"],
    }.items()
}  # fmt: skip
ACCOUNTS["eve"] = {"email": "root@example.org", "email_verified": False, "groups": ["sales"]}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc.provider(ACCOUNTS) as found:
        yield found


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, issuer: str) -> Iterator[Served]:
    """A console beside the certified provider, with an administrator of its own."""
    repository = Repository(Store(data_dir=tmp_path_factory.mktemp("oidc")))
    repository.database.upgrade()
    with served(repository, console={"oidc": oidc.settings(issuer)}) as found:
        found.user(Role.ADMIN, "root")
        yield found
    repository.close()


@pytest.fixture(scope="module")
def liar() -> Iterator[Liar]:
    found = Liar()
    yield found
    found.close()


@pytest.fixture(scope="module")
def beside_liar(tmp_path_factory: pytest.TempPathFactory, liar: Liar) -> Iterator[Served]:
    repository = Repository(Store(data_dir=tmp_path_factory.mktemp("liar")))
    repository.database.upgrade()
    with served(repository, console={"oidc": oidc.settings(liar.issuer)}) as found:
        found.user(Role.ADMIN, "root")
        yield found
    repository.close()


def actions(console: Served) -> list[str]:
    return [entry.action for entry in console.repository.audit.listed()]


def begun(browser: httpx2.Client, liar: Liar, code: str = "code") -> dict[str, str]:
    """What the console asked the lying provider for."""
    return liar.sent(browser.get(START).headers["location"], code)


certified = pytest.mark.server("oidc")


@certified
def test_somebody_signs_in_at_the_provider_and_out_again(console: Served) -> None:
    with console.visitor() as browser:
        page = browser.get("/sign-in?next=/users").text
        assert "Sign in at Example Works" in page
        assert 'href="/sign-in/oidc?next=/users"' in page
        browser.cookies.set("triage-session", "planted", domain="127.0.0.1")
        answer = walk(browser, f"{START}?next=/users", "ann")
        assert (answer.status_code, answer.headers["location"]) == (303, "/users")
        fresh = answer.cookies["triage-session"]
        assert fresh != "planted"
        assert browser.get("/users").status_code == 200, "her group makes her an administrator"
        out = browser.post("/sign-out")
        assert console.repository.sessions.find(fresh) is None
        page = browser.get(out.headers["location"]).text
        assert "/session/end?client_id=triage&amp;post_logout_redirect_uri=" in page
        assert "/session/end" not in browser.get("/sign-in").text
    (user, _) = console.repository.accounts.credentials("ann@example.org") or (None, "")
    assert user is not None
    assert user.role is Role.ADMIN
    entries = console.repository.audit.listed()[:4]
    assert [entry.action for entry in entries] == [
        "signed out", "signed in", "account linked", "user created",
    ]  # fmt: skip
    assert entries[1].detail == {"at": "Example Works"}
    (linked,) = console.repository.identities.of(user.id)
    assert (linked.subject, linked.email) == ("ann", "ann@example.org")


@certified
def test_the_provider_says_who_may_what_and_a_disabled_user_stays_out(console: Served) -> None:
    with console.visitor() as browser:
        refused = walk(browser, START, "cat")
        assert refused.status_code == 403
        assert "Your account at Example Works has no role here; ask an administrator" in (
            refused.text
        )
        assert "triage-session" not in browser.cookies
    assert console.repository.audit.listed()[0].action == "sign-in refused"
    accounts = console.repository.accounts
    with console.visitor() as browser:
        assert walk(browser, START, "bob").status_code == 303
        assert browser.get("/users").status_code == 403
        bob, _ = accounts.credentials("bob@example.org") or pytest.fail("no bob")
        assert bob.role is Role.REVIEWER
        # Whatever is said here, the provider's word counts at the next sign-in; the reach stays.
        accounts.change(bob.id, Role.ADMIN, Reach(("inbox",)), by=NOBODY)
        assert walk(browser, START, "bob").status_code == 303
        again = accounts.get(bob.id)
        assert again is not None
        assert (again.role, again.reach) == (Role.REVIEWER, Reach(("inbox",)))
        accounts.disable(bob.id, disabled=True, by=NOBODY)
        refused = walk(browser, START, "bob")
        assert (refused.status_code, "may not sign in here" in refused.text) == (403, True)
        assert browser.get("/account").status_code == 303


@certified
def test_an_account_is_linked_by_whoever_has_both_and_never_by_a_name(console: Served) -> None:
    console.user(Role.VIEWER, "dan@example.org")  # has a password
    with console.visitor() as browser:
        refused = walk(browser, START, "dan")
        assert (refused.status_code, "already" in refused.text) == (403, True)
    dan = console.user(Role.VIEWER, "dan@example.org")
    assert console.repository.identities.of(dan.id) == []
    with console.signed_in(Role.VIEWER, "dan@example.org") as browser:
        page = browser.post("/account/link").text
        where = page.partition('<a class="button main" href="')[2].partition('"')[0]
        answer = walk(browser, where.replace("&amp;", "&"), "dan")
        assert answer.headers["location"] == "/account?done=linked"
        assert "Unlink" in browser.get("/account").text
    with console.visitor() as browser:
        assert walk(browser, START, "dan").status_code == 303
        assert "dan@example.org" in browser.get("/account").text
    with console.signed_in(Role.VIEWER, "greedy") as browser:
        page = browser.post("/account/link").text
        where = page.partition('<a class="button main" href="')[2].partition('"')[0]
        refused = walk(browser, where.replace("&amp;", "&"), "dan")
        assert (refused.status_code, "another user" in refused.text) == (403, True)
    with console.signed_in(Role.VIEWER, "dan@example.org") as browser:
        (linked,) = console.repository.identities.of(dan.id)
        assert browser.post("/account/unlink", data={"issuer": linked.issuer}).status_code == 303
    assert console.repository.identities.of(dan.id) == []
    assert actions(console)[0] == "account unlinked"


@certified
def test_a_link_belongs_to_the_session_that_asked_for_it(console: Served) -> None:
    with console.signed_in(Role.VIEWER, "victim") as victim:
        page = victim.post("/account/link").text
        where = page.partition('<a class="button main" href="')[2].partition('"')[0]
        victim.cookies.delete("triage-session")
        with console.signed_in(Role.VIEWER, "other") as other:
            victim.cookies.set(
                "triage-session", other.cookies["triage-session"], domain="127.0.0.1"
            )
        refused = walk(victim, where.replace("&amp;", "&"), "fay")
        assert refused.status_code == 403
    assert console.repository.identities.of(console.user(Role.VIEWER, "other").id) == []


@certified
def test_where_none_are_created_an_administrator_makes_them_by_address(
    repository: Repository, issuer: str
) -> None:
    chosen = oidc.settings(issuer, create_users=False, only=True)
    with served(repository, console={"oidc": chosen}) as console:
        with console.visitor() as browser:
            refused = walk(browser, START, "gus")
            assert "no administrator yet" in refused.text
            assert not repository.accounts.any()
        with console.signed_in(Role.ADMIN, "root") as admin, console.visitor() as browser:
            page = browser.get("/sign-in").text
            assert ("Password" in page, "Sign in at Example Works" in page) == (False, True)
            form = {"name": "root", "password": PASSWORD}
            assert browser.post("/sign-in", data=form).status_code == 403
            refused = walk(browser, START, "gus")
            assert (refused.status_code, "was made for it" in refused.text) == (403, True)
            made = admin.post("/users", data={"name": "Gus@example.org", "role": "viewer"})
            assert made.status_code == 303
            made = admin.post("/users", data={"name": "root@example.org", "role": "admin"})
            assert walk(browser, START, "gus").status_code == 303
            assert browser.get("/account").status_code == 200
            # An address that nobody verified opens nothing that was made for it.
            browser.cookies.clear()
            assert walk(browser, START, "eve").status_code == 403
            assert "triage-session" not in browser.cookies
        assert repository.identities.of(console.user(Role.VIEWER, "root@example.org").id) == []


@certified
def test_a_code_and_a_state_work_once_and_in_one_browser(console: Served) -> None:
    with console.visitor() as browser, console.visitor() as thief:
        answer = walk(browser, START, "hal")
        assert answer.status_code == 303
        again = browser.get(str(answer.url))
        assert (again.status_code, "not begun in this browser" in again.text) == (403, True)
        # A fresh state of one's own with somebody's used code: the provider knows it was used.
        asked = parse_qs(urlsplit(browser.get(START).headers["location"]).query)
        used = parse_qs(urlsplit(str(answer.url)).query)
        mixed = {"code": used["code"][0], "state": asked["state"][0], "iss": used["iss"][0]}
        assert "used already" in browser.get(BACK, params=mixed).text
        assert thief.get(BACK, params=mixed).status_code == 403
        assert thief.get("/account").status_code == 303


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"claims": {"nonce": "another"}}, "another sign-in's"),
        ({"claims": {"nonce": None}}, "no nonce"),
        ({"claims": {"exp": 1_000_000_000}}, "long ended"),
        ({"claims": {"exp": None}}, "without an end"),
        ({"claims": {"iat": 4_000_000_000, "exp": 4_000_000_300}}, "from the future"),
        ({"claims": {"aud": "another"}}, "for another client"),
        ({"claims": {"aud": "another", "azp": "triage"}}, "for another client, by this one"),
        ({"claims": {"aud": ["triage", "another"]}}, "for two, without azp"),
        ({"claims": {"aud": ["triage", "another"], "azp": "another"}}, "for two, by another"),
        ({"claims": {"iss": "https://evil.example"}}, "another issuer's"),
        ({"claims": {"iss": None}}, "nobody's"),
        ({"claims": {"sub": None}}, "about nobody"),
        ({"claims": {"sub": ""}}, "about nobody, in words"),
        ({"claims": {"sub": "x" * 256}}, "about somebody endless"),
        ({"claims": {"sub": 7}}, "about a number"),
        ({"claims": {"at_hash": "wrong"}}, "with another access token"),
        ({"algorithm": "none"}, "unsigned"),
        ({"algorithm": "HS256", "key": "public"}, "signed with the public key as a secret"),
        ({"algorithm": "HS256", "key": oidc.SECRET}, "signed with the client's secret"),
        ({"key": "foreign"}, "signed by somebody else"),
        ({"raw": "a.b.c"}, "no token"),
        ({"raw": ""}, "nothing"),
        ({"profile": {"sub": "another", "name": "x"}, "claims": {"groups": None}}, "two people"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_token_that_lies_opens_nothing(
    beside_liar: Served, liar: Liar, told: dict[str, Any], why: str
) -> None:
    liar.honest()
    for name, value in told.items():
        setattr(liar, name, value)
    if told.get("key") == "public":
        liar.key = liar.own_key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
    if told.get("key") == "foreign":
        liar.key = rsa.generate_private_key(65537, 2048)
    with beside_liar.visitor() as browser:
        asked = begun(browser, liar)
        answer = browser.get(BACK, params={"code": "code", "state": asked["state"]})
        assert answer.status_code == 403, why
        assert "begin again" in answer.text
        assert "triage-session" not in browser.cookies
    assert beside_liar.repository.accounts.credentials("eve@example.org") is None


def test_what_is_asked_for_is_bound_to_the_browser_and_the_code_to_the_asker(
    beside_liar: Served, liar: Liar
) -> None:
    liar.honest()
    liar.claims = {"sub": "honest", "email": "honest@example.org"}
    before = len(liar.seen)
    with beside_liar.visitor() as browser, beside_liar.visitor() as other:
        asked = begun(browser, liar)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["redirect_uri"] == f"{beside_liar.url}{BACK}"
        assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
        brought = {"code": "code", "state": asked["state"]}
        assert other.get(BACK, params=brought).status_code == 403, "another browser's sign-in"
        # RFC 9207: the answer of a provider that was not asked.
        mixed = browser.get(BACK, params=brought | {"iss": "https://evil.example"})
        assert (mixed.status_code, "Another provider" in mixed.text) == (403, True)
        assert browser.get(BACK, params=brought).status_code == 403, "the state was used"
        asked = begun(browser, liar)
        good = browser.get(BACK, params={"code": "code", "state": asked["state"]})
        assert good.status_code == 303
        assert len(liar.seen[-1]["code_verifier"]) >= 43
        assert "client_secret" not in liar.seen[-1], "it is sent as the provider wants it"
        assert len(liar.seen) == before + 1, "nothing was sent for a sign-in that was refused"
        denied = begun(browser, liar)
        said = browser.get(BACK, params={"error": "<b>no</b>", "state": denied["state"]})
        assert (said.status_code, "&lt;b&gt;no&lt;/b&gt;" in said.text) == (403, True)


@pytest.mark.parametrize(
    ("claims", "opens"),
    [
        ({"email_verified": False}, False),
        ({"email_verified": None}, False),
        ({"email_verified": "yes"}, False),
        ({"email": "x@evil.example"}, False),
        ({"email": "x@example.org.evil.example"}, False),
        ({"email": "x@evil.example@example.org"}, True),  # its domain is what follows the last @
        ({"email": "X@EXAMPLE.ORG"}, True),
    ],
)
def test_only_verified_addresses_of_the_domains_are_let_in(
    repository: Repository, liar: Liar, claims: dict[str, Any], opens: bool
) -> None:
    liar.honest()
    liar.claims = {"sub": "by-domain", **claims}
    chosen = oidc.settings(liar.issuer, domains=["example.org"])
    with served(repository, console={"oidc": chosen}) as console, console.visitor() as browser:
        console.user(Role.ADMIN, "root")
        asked = begun(browser, liar)
        answer = browser.get(BACK, params={"code": "code", "state": asked["state"]})
    assert (answer.status_code == 303) is opens, answer.text


def test_the_last_administrator_is_not_demoted_and_what_is_nested_is_found(
    repository: Repository, liar: Liar
) -> None:
    liar.honest()
    chosen = oidc.settings(liar.issuer, role_claim="realm.roles", default_role="viewer")
    with served(repository, console={"oidc": chosen}) as console, console.visitor() as browser:
        for roles, status in ((["triage-admins"], 303), ([], 403)):
            liar.claims = {"sub": "boss", "realm": {"roles": roles}}
            asked = begun(browser, liar)
            answer = browser.get(BACK, params={"code": "code", "state": asked["state"]})
            assert answer.status_code == status, answer.text
        assert "last administrator" in answer.text
        (boss,) = repository.accounts.listed()
        assert boss.role is Role.ADMIN


def test_a_provider_that_fails_is_said_so(repository: Repository, liar: Liar) -> None:
    liar.honest()
    for wrong in (
        {"issuer": "http://127.0.0.1:1"},
        {"allow_private": False},
        {"issuer": f"{liar.issuer}/"},
    ):
        chosen = oidc.settings(liar.issuer) | wrong
        with served(repository, console={"oidc": chosen}) as console, console.visitor() as browser:
            answer = browser.get(START)
        assert (answer.status_code, "cannot be asked" in answer.text) == (503, True), wrong
    for told in ({"token_endpoint": "http://example.org/token"}, {"jwks_uri": None}):
        liar.metadata = told
        with (
            served(repository, console={"oidc": oidc.settings(liar.issuer)}) as console,
            console.visitor() as browser,
        ):
            assert browser.get(START).status_code == 503, told
    liar.metadata = {}
    with served(repository) as console, console.visitor() as browser:
        assert browser.get(START).status_code == 404


def test_nobody_waits_for_a_provider_that_just_failed(liar: Liar) -> None:
    liar.honest()
    chosen = Settings.model_validate({"console": {"oidc": oidc.settings(liar.issuer)}})
    assert chosen.console.oidc is not None
    provider = Provider(chosen.console.oidc, HttpClient())
    liar.status = 503
    with pytest.raises(Transient, match="503"):
        provider.metadata()
    liar.honest()
    with pytest.raises(Transient, match="503"):
        provider.metadata()
    provider.close()


def test_settings_that_would_let_nobody_in_or_anybody_are_refused() -> None:
    good = oidc.settings("https://id.example.org")
    for wrong, said in (
        ({"issuer": "http://id.example.org"}, "https"),
        ({"scopes": ["email"]}, "openid"),
        ({"roles": {}}, "nobody would have a role"),
        ({"roles": {"x": "owner"}}, "viewer"),
    ):
        with pytest.raises(ValueError, match=said):
            Settings.model_validate({"console": {"oidc": good | wrong}})
    assert "console's alone" not in repr(Settings.model_validate({"console": {"oidc": good}}))
