"""The short form of `make chaos` for delivery: a bad endpoint, a worker that is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.delivery import Chaos


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_bad_endpoint_and_four_kills_lose_double_and_disorder_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    tally = Chaos(tmp_path, leads=150, kills=4, seed=20261122, tell=told.append).run()
    assert tally.problems == [], "\n".join(told)
    assert str(tally) == "ledger: 150 in, 150 settled, 0 lost, 0 doubled"
