"""Authentication-Results are believed only of the servers that the settings name."""

from __future__ import annotations

from triage.intake.authentication import authentication

UNNAMED = (
    "spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=x.example; dkim=fail header.d=x.example;"
    "dmarc=bestguesspass action=none header.from=x.example;compauth=pass reason=109"
)
OURS = "mx.biz.example; spf=pass smtp.mailfrom=x.example; dmarc=pass header.from=x.example"


def test_nobody_is_believed_unless_named() -> None:
    assert authentication([OURS], ()) == {}
    assert authentication([OURS], ["mx.other.example"]) == {}
    found = authentication([OURS], ["MX.Biz.example"])
    assert found == {"authserv": "mx.biz.example", "spf": "pass", "dmarc": "pass"}


def test_servers_that_do_not_name_themselves_can_be_believed() -> None:
    found = authentication([UNNAMED, OURS], ["*"])
    assert (found["spf"], found["dkim"]) == ("pass", "fail")
    assert found["authserv"] == "unstated"
    assert authentication(["=;", OURS], ["*"]) == {}  # only the topmost is the server's own


def test_one_good_signature_is_enough() -> None:
    field = "mx.biz.example; dkim=fail header.d=list.example; dkim=pass header.d=x.example"
    assert authentication([field], ["mx.biz.example"])["dkim"] == "pass"
    turned = "mx.biz.example; dkim=pass header.d=x.example; dkim=fail header.d=list.example"
    assert authentication([turned], ["mx.biz.example"])["dkim"] == "pass"


def test_fields_that_say_nothing_or_cannot_be_read_prove_nothing() -> None:
    for field in ("mx.biz.example; none", "mx.biz.example; spf=pass (", "", ";;;", "x" * 50_000):
        assert authentication([field], ["mx.biz.example", "*"]) == {}
