"""What the rules say about an inquiry, from its envelope alone; the first that fits holds.

Only the block list, what mail systems write about mails of ours (`machines`) and what may not be
transcribed at all file anything. A colleague may forward a customer's request, type it off a note
or pass a web form on, so being a colleague never settles that there is no lead; and a customer who
writes may want more, so being known is never a label. What each rule does to a verdict is in
`pipeline.ruled`; docs/rules.md explains all of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from triage.rules.exports import Kind
from triage.rules.known import KnownContacts
from triage.rules.machines import MachineRule, machine_mail
from triage.rules.senders import Senders, address_key
from triage.settings import Business, Rules
from triage.types import Inquiry, Party, Withheld

RuleName = (
    Literal[
        "allow-list",
        "block-list",
        "own-domain",
        "known-customer",
        "known-supplier",
        "prior-contact",
    ]
    | MachineRule
    | Withheld
)

_ADDRESS: Final = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_PASSED_ON: Final = re.compile(r"\s*(?:\[[^\]]*\]\s*)?(?:fwd?|wg|tr|rv|i|enc)\s*:", re.IGNORECASE)
_FORGED: Final = re.compile(r"\b(?:dmarc|spf|dkim)=(?:fail|softfail)\b", re.IGNORECASE)


_WITHHELD: Final[Mapping[Withheld, str]] = {
    "no-consent": "not transcribed: there is no consent to the recording",
    "outbound-call": "not transcribed: outbound calls are not read (calls.skip)",
    "internal-call": "not transcribed: internal calls are not read (calls.skip)",
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """Which rule fits, if any, and `because`: its reason for people, with what fitted."""

    rule: RuleName | None = None
    because: str = ""


UNRULED: Final = Ruling()


class Rulebook:
    """The rules of a deployment. `public`: domains of mail providers that everybody uses.

    Raises `Configuration` for an entry that is nothing, and for a file that cannot be read.
    """

    def __init__(self, rules: Rules, business: Business, public: Collection[str] = ()) -> None:
        country = business.country
        self._settle = rules.settle
        self._trusted = bool(rules.authserv_ids)
        self._own = Senders.of(business.domains, country, "business.domains")
        self._allow = Senders.of(rules.allow, country, "rules.allow")
        self._block = Senders.of(rules.block, country, "rules.block", public)
        files: tuple[tuple[Kind, Sequence[Path]], ...] = (
            ("customer", rules.customers),
            ("supplier", rules.suppliers),
        )
        self.known = tuple(
            KnownContacts(path, kind, country, self._own, public)
            for kind, paths in files
            for path in paths
        )

    def rule(self, inquiry: Inquiry) -> Ruling:
        """The rule that holds for an inquiry; `UNRULED` where none does."""
        if inquiry.call and (why := inquiry.call.withheld):
            return Ruling(why, _WITHHELD[why])
        senders = (inquiry.sender, inquiry.author)
        if listed := self._on_a_list(senders):
            return listed
        if self._settle and (found := machine_mail(inquiry, self._own)):
            return Ruling(*found)
        if entry := self._colleague(inquiry):
            return Ruling("own-domain", f"from a colleague ({entry})")
        for contacts in self.known:
            contact = contacts.find(inquiry.sender) or contacts.find(inquiry.author)
            if contact:
                who = f"{contact.company}, " if contact.company else ""
                where = f"{contacts.path.name} line {contact.line}"
                name: RuleName = (
                    "known-customer" if contact.kind == "customer" else "known-supplier"
                )
                return Ruling(name, f"known {contact.kind} ({who}{where})")
        return UNRULED

    def _on_a_list(self, senders: Sequence[Party]) -> Ruling | None:
        if entry := self._listed(self._allow, senders):
            return Ruling("allow-list", f"on the allow list ({entry})")
        if entry := self._listed(self._block, senders):
            return Ruling("block-list", f"on the block list ({entry})")
        return None

    @staticmethod
    def _listed(entries: Senders, senders: Sequence[Party]) -> str:
        """The entry that names the sender, or who filled in the form that the sender passes on."""
        return next((entry for sender in senders if (entry := entries.match(sender))), "")

    def _colleague(self, inquiry: Inquiry) -> str:
        """The own domain that an inquiry came from, if all of it did.

        Not where anything was forwarded or quoted, where an answer would go outside, where an
        outside address is named (web forms, notes about a customer), where an automaton wrote,
        or where the mail server found the sender forged.
        """
        entry = self._own.domain(address_key(inquiry.sender.email))
        if not entry or inquiry.forwarded or inquiry.quoted or _PASSED_ON.match(inquiry.subject):
            return ""
        headers = inquiry.headers
        if headers.get("auto-submitted", "no").strip().lower() != "no":
            return ""
        if inquiry.form or self._forged(inquiry):
            return ""
        said = "\n".join(
            (inquiry.text, inquiry.signature, inquiry.disclaimer, headers.get("reply-to", ""))
        )
        named = (address_key(match[0]) for match in _ADDRESS.finditer(said))
        return entry if all(self._own.domain(address) for address in named) else ""

    def _forged(self, inquiry: Inquiry) -> bool:
        """Whether a mail server found the sender forged.

        Where the settings name servers that are believed, only those: a failed DMARC check, or a
        failed SPF check that no signature makes up for. Else whatever the topmost field says: a
        finding that anybody may have written can take trust away, and never gives it.
        """
        if not self._trusted:
            stated = inquiry.headers.get("authentication-results", "").partition("\n")[0]
            return bool(_FORGED.search(stated))
        marks = inquiry.marks
        if "dmarc" in marks and marks["dmarc"] not in {"none", "temperror"}:
            return marks["dmarc"] != "pass"
        return marks.get("spf") in {"fail", "softfail"} and marks.get("dkim") != "pass"
