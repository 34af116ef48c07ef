"""The short form of `make chaos` for mail: a bad server, another client, kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.mail import Chaos


@pytest.mark.server("dovecot")
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_bad_server_and_another_client_lose_and_double_nothing(tmp_path: Path) -> None:
    told: list[str] = []
    tally = Chaos(tmp_path, mails=300, rounds=12, seed=20261122, tell=told.append).run()
    assert tally.problems == [], "\n".join([*told, *tally.problems[:20]])
    assert str(tally) == "ledger: 300 in, 300 settled, 0 lost, 0 doubled"
