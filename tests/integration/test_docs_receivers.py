"""The sample receivers of the docs, started as a reader would start them, judge what is sent."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from triage.delivery.client import HttpClient
from triage.delivery.webhook import WebhookAdapter, new_secret, signed
from triage.settings import Destination
from triage.types import Delivery, DeliveryState

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
NODE = shutil.which("node")
BODY = '{"type":"lead.qualified","data":{"inquiry_id":"inq_1","from":{"name":"Łukasz"}}}'


class Receiver(NamedTuple):
    process: subprocess.Popen[str]
    destination: Destination
    client: HttpClient

    def post(self, message_id: str, body: str = BODY) -> int | None:
        delivery = Delivery(
            message_id, "inq_1", "crm", "lead.qualified", body, 0, DeliveryState.PENDING,
            datetime.now(UTC),
        )  # fmt: skip
        return WebhookAdapter().send(delivery, self.destination, self.client).status

    def raw(self, headers: dict[str, str], body: str) -> int | None:
        return self.client.send(self.destination, content=body.encode(), headers=headers).status

    def printed(self) -> list[str]:
        """What it said after it had begun to listen; ends it."""
        self.process.terminate()
        output, _ = self.process.communicate(timeout=10)
        return output.splitlines()


@pytest.fixture(params=["python", "node"])
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    if request.param == "node" and NODE is None:
        pytest.skip("node is not installed")
    command = {
        "python": [sys.executable, str(EXAMPLES / "receiver.py")],
        "node": [NODE or "", str(EXAMPLES / "receiver.mjs")],
    }[request.param]
    secret, old = new_secret(), new_secret()
    process = subprocess.Popen(
        [*command, "0", str(tmp_path / "ledger")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"WEBHOOK_SECRET": secret},
    )
    assert process.stdout is not None
    url = re.search(r"http://\S+", process.stdout.readline())
    assert url is not None
    # The newest secret is one that this receiver does not have yet.
    destination = Destination(
        name="crm", url=url[0], secret=old, previous_secrets=(secret,), allow_private=True
    )
    client = HttpClient()
    yield Receiver(process, destination, client)
    client.close()
    process.kill()
    process.wait()
    process.stdout.close()


def test_it_accepts_what_is_genuine_once_and_repeats_calmly(receiver: Receiver) -> None:
    assert [receiver.post("msg_1"), receiver.post("msg_1"), receiver.post("msg_2")] == [204] * 3
    assert len(receiver.printed()) == 2


def test_it_refuses_what_is_not(receiver: Receiver) -> None:
    good = signed(receiver.destination.signing_secrets, "msg_1", BODY)
    assert receiver.raw(good, BODY.replace("Łukasz", "Lukasz")) == 401
    assert receiver.raw(good | {"webhook-id": "msg_2"}, BODY) == 401
    assert receiver.raw(good | {"webhook-timestamp": "1700000000"}, BODY) == 401
    assert receiver.raw(good | {"webhook-signature": "v1,AAAA"}, BODY) == 401
    assert receiver.raw({}, BODY) == 401
    assert receiver.raw(good, BODY) == 204
