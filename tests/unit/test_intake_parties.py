"""People in headers: the short way for plain mailboxes says what mail-parser says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from triage.intake.parties import _addresses, _simple, people
from triage.types import Party

NAMES = st.sampled_from(
    [
        "Ann Lee", "A. Lee", "O'Neil & Sons", "Ann", '"Ann Lee"', '"A.B"', "", '"x y" ', "Ann  Lee",
        "ann@x.example", "Dr. No", "a-b c.d", '"Lee, Ann"', "=?utf-8?Q?D=C3=BCrr?=", "Ann (home)",
    ]
)  # fmt: skip
ADDRESSES = st.sampled_from(
    [
        "a@x.example", "<a@x.example>", "<a.b+c@x-y.example>", "a=b@x.example", "<a'b@x.example>",
        "<>", "<a@b>", "A_B@X.EXAMPLE", "<a@x.example", "a@x.example>", "<a@@x.example>",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(NAMES, ADDRESSES), min_size=1, max_size=3))
def test_plain_mailboxes_are_what_mail_parser_says(items: list[tuple[str, str]]) -> None:
    value = ", ".join(f"{name} {address}".strip() for name, address in items)
    if pairs := _simple(value):
        assert _addresses({"to": value})["to"] == pairs


def test_everyday_fields_take_the_short_way() -> None:
    assert _simple("Ann Lee <ann@x.example>, b@y.example") == [
        ("Ann Lee", "ann@x.example"),
        ("", "b@y.example"),
    ]
    assert _simple('"Lee, Ann" <ann@x.example>') == []


def test_who_wants_the_answer() -> None:
    found = people({"reply-to": ["Ann <ann@x.example>"], "return-path": ["<b@y.example>"]})
    assert found.sender == Party("Ann", "ann@x.example")
    assert found.reply_to == (Party("Ann", "ann@x.example"),)
    assert people({"from": ["", "b@y.example"]}).sender == Party("", "b@y.example")
    assert people({}).sender == Party()
