"""Every route of the console, with every role: made from the routes, so that a new one is in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.console import Served, served
from tests.support.routes import Way, contexts, ways
from triage.settings import Store
from triage.store.accounts import Role
from triage.store.repository import Repository
from triage.web.principal import SCOPES
from triage.web.rights import Public, Right
from triage.web.shield import HEADERS

WAYS = ways()
CLOSED = [way for way in WAYS if any(isinstance(right, Right) for right in way.rights)]


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    repository = Repository(Store(data_dir=tmp_path_factory.mktemp("rights")))
    repository.database.upgrade()
    with served(repository) as found:
        found.user(Role.ADMIN, "root")
        yield found
    repository.close()


def test_each_route_says_who_may_and_nothing_is_mounted_but_static_files() -> None:
    assert len(WAYS) > 15
    for way in WAYS:
        assert len(way.rights) == 1, f"{way.method} {way.path} needs require(…) or public, once"
    assert [route.path for route in contexts() if not route.methods] == ["/static"]


def test_what_is_open_to_all_is_little() -> None:
    public = {way.path for way in WAYS if isinstance(way.rights[0], Public)}
    provider = {"/sign-in/oidc", "/sign-in/oidc/callback"}
    assert public == {"/sign-in", "/set-up", "/reset", "/api/openapi.json"} | provider


@pytest.mark.parametrize("way", CLOSED, ids=lambda way: f"{way.method} {way.path}")
def test_a_route_opens_for_its_role_and_for_no_lesser_one(console: Served, way: Way) -> None:
    (right,) = way.rights
    assert isinstance(right, Right)
    api = way.path.startswith("/api/")
    with console.visitor() as anybody:
        answer = anybody.request(way.method, way.address)
        assert answer.status_code == (401 if api else 303), answer.text
        assert api or answer.headers["location"].startswith("/sign-in")
    for role in Role:
        with console.signed_in(role) as visitor:
            answer = visitor.request(way.method, way.address)
        if role.covers(right.role):
            assert answer.status_code not in {401, 403, 500}, answer.text
            assert "/sign-in" not in answer.headers.get("location", "") or "out" in way.path
        else:
            assert answer.status_code == 403, f"{role} may {way.method} {way.path}"
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert answer.headers["cache-control"] == "no-store" or answer.status_code == 206


@pytest.mark.parametrize("way", CLOSED, ids=lambda way: f"{way.method} {way.path}")
def test_a_token_opens_the_api_alone_within_its_scope(console: Served, way: Way) -> None:
    (right,) = way.rights
    assert isinstance(right, Right)
    for scope in SCOPES:
        with console.program(Role.ADMIN, scope) as program:
            answer = program.request(way.method, way.address)
        if not way.path.startswith("/api/"):
            assert answer.status_code == 303, "a page opened for a token"
        elif scope == right.scope:
            assert answer.status_code not in {401, 403, 500}, answer.text
        else:
            assert answer.status_code == 403
    with console.program(Role.VIEWER, *SCOPES) as program:
        answer = program.request(way.method, way.address)
        if way.path.startswith("/api/") and right.role is not Role.VIEWER:
            assert answer.status_code == 403, "the scope went beyond its user's role"
