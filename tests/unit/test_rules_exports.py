"""Exports of customer databases: whatever the columns; a broken row costs only itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from triage.errors import Configuration
from triage.rules.exports import read_export
from triage.rules.known import KnownContacts
from triage.rules.senders import Senders
from triage.types import Party


def export(tmp_path: Path, text: str, charset: str = "utf-8") -> Path:
    path = tmp_path / "export.csv"
    path.write_bytes(text.encode(charset))
    return path


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Email,Company\nann@acme.example,Acme Café\n", "utf-8"),
        ("E-Mail-Address;Company name\nann@acme.example;Acme Café\n", "utf-8-sig"),
        ('"Account Name"\t"Email - Work"\r\n"Acme Café"\t"ann@acme.example"\r\n', "utf-16"),
        (
            "Organization|Phone type|Email Opt Out|E-mail\nAcme Café|x|no|ann@acme.example\n",
            "cp1252",
        ),
        ("sep=;\nCompanyName;EmailAddress\nAcme Café;ann@acme.example\n", "utf-8"),
    ],
)
def test_columns_charset_and_delimiter_are_found(tmp_path: Path, text: str, charset: str) -> None:
    found = read_export(export(tmp_path, text, charset), "customer", "US")
    assert found.problems == ()
    [contact] = found.contacts
    assert contact.addresses == ("ann@acme.example",)
    assert contact.company == "Acme Café"


def test_all_columns_of_a_row_count(tmp_path: Path) -> None:
    text = (
        "Type,Website,Phone,Mobile,Email,Email (home),Contact Owner Email\n"
        "Vendor,https://www.Acme.example/shop,(614) 555-0142,614 555 0143,"
        '"a@x.example; b@x.example",c@y.example,me@us.example\n'
        "Prospect,p.example,,,,,\n"
        "Customer - Direct,q.example,,,,,\n"
    )
    vendor, customer = read_export(export(tmp_path, text), "customer", "US").contacts
    assert vendor.kind == "supplier"
    assert vendor.domains == ("acme.example",)
    assert vendor.phones == ("+16145550142", "+16145550143")
    assert vendor.addresses == ("a@x.example", "b@x.example", "c@y.example")
    assert (customer.kind, customer.domains, customer.line) == ("customer", ("q.example",), 4)


def test_a_broken_row_costs_only_itself_and_says_where(tmp_path: Path) -> None:
    text = (
        "company,email,phone\n"
        "One,one@one.example,\n"
        '"Two, never closed,two@two.example,\n'  # line 3
        "Three,three@three.example,\n"
        "Four,four at four,\n"  # line 5
        '"Five\non two lines",five@five.example,\n'
        "Six,six@six.example,614 555 0142,and,more\n"  # line 8
        "Seven,,12\n"  # line 9
        "\n"
        "Eight,,\n"  # line 11
        'Nine,nine@nine.example,"614 555 0143"\n'
    )
    found = read_export(export(tmp_path, text), "customer", "US")
    assert [c.addresses[0][:4] for c in found.contacts] == ["one@", "thre", "five", "nine"]
    assert [int(problem.split(":")[0][5:]) for problem in found.problems] == [3, 5, 8, 9, 11]
    assert "four" not in " ".join(found.problems)  # what a row says is nobody's business


@pytest.mark.parametrize("text", ["", "Name,City\nAnn,Rome\n", "\x00\x01\x02"])
def test_a_file_that_names_nobody_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Configuration, match="no column"):
        read_export(export(tmp_path, text), "customer", "US")


def test_read_again_when_it_changes_and_kept_when_it_is_gone(tmp_path: Path) -> None:
    path = export(tmp_path, "email,domain\nann@acme.example,\nx@us.example,gmail.com\n")
    own = Senders.of(["us.example"], "US", "business.domains")
    known = KnownContacts(path, "customer", "US", own, {"gmail.com"})
    ann, bob = Party(email="ann@acme.example"), Party(email="bob@sub.beta.example")
    assert known.find(ann)
    assert not known.find(bob)
    assert not known.find(Party(email="x@us.example"))
    assert not known.find(Party(email="anybody@gmail.com"))

    path.write_text("domain,email\nbeta.example,\n")
    os.utime(path, ns=(1, 1))
    assert known.find(bob)
    assert not known.find(ann)

    path.write_text("nothing,known\n")
    os.utime(path, ns=(2, 2))
    assert known.find(bob)
    path.unlink()
    assert known.find(bob)
    path.write_text("email\nann@acme.example\n")
    assert known.find(ann)
    assert known.summary == (1, ())


def test_missing_at_first_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Configuration, match="cannot be read"):
        KnownContacts(tmp_path / "none.csv", "customer", "US", Senders("US"))
