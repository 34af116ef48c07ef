"""The API by its own description: no server error, no answer that is not described, nothing taken
that should be refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.console import Served, served
from tests.support.fuzzing import fuzzed
from tests.support.shop import SETTINGS, fill
from triage.store.accounts import Role
from triage.store.repository import Repository
from triage.web.principal import SCOPES


@pytest.fixture
def console(repository: Repository) -> Iterator[Served]:
    with served(repository, **SETTINGS) as found:
        fill(repository)
        yield found


@pytest.mark.parametrize(
    ("role", "phases", "examples"),
    [
        (Role.ADMIN, "", 4),
        (Role.REVIEWER, "fuzzing", 3),
        (Role.VIEWER, "fuzzing", 3),
    ],
)
def test_whatever_is_sent_the_api_keeps_to_its_description(
    console: Served, tmp_path: Path, role: Role, phases: str, examples: int
) -> None:
    with console.program(role, *SCOPES) as program:
        run = fuzzed(program, tmp_path, examples=examples, phases=phases)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr
    tried = re.search(r"(\d+) generated", run.stdout)
    assert tried is not None
    assert int(tried[1]) > 20
