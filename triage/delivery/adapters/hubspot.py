"""Leads in HubSpot, by its CRM API (v3).

A lead there belongs to a contact, so the contact comes first: created or updated by its mail
address, which HubSpot keeps unique. The lead itself is found again by a property of the account's
own (`external_id`) whose values are unique: a repeated try changes what an earlier one made.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from triage.delivery.adapters.contact import Lead, lead
from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient
from triage.errors import Configuration
from triage.settings import Destination
from triage.types import Delivery

_API: Final = "https://api.hubapi.com"
_LEAD_OF_CONTACT: Final = 578  # HubSpot's own type of association
_LABELS: Final = {"A": "HOT", "B": "WARM"}
_DISQUALIFIED: Final = "unqualified-stage-id"  # of the pipeline that every account has


class HubSpotAdapter:
    """Creates and updates leads; the secret is a private app's token."""

    def send(self, delivery: Delivery, destination: Destination, client: HttpClient) -> Answer:
        """As `Adapter`. A try may be several requests; the answer is that of the last."""
        if not destination.token:
            raise Configuration(f"destination {destination.name!r}: secret is missing, a token")
        return _Account(destination, client).put(lead(delivery))


class _Account:
    def __init__(self, destination: Destination, client: HttpClient) -> None:
        self._destination = destination
        self._client = client
        self._base = (destination.url or _API).rstrip("/")

    def put(self, told: Lead) -> Answer:
        """Update the lead; create it where there is none, unless it is taken back anyway."""
        answer = self._update(told)
        if answer.status != 404:
            return answer
        if told.retracted:
            return Answer(True, answer.status, "", answer.duration_s)
        contact = self._contact(told)
        if not contact.accepted:
            return contact
        created = self._create(told, _first_id(contact))
        if created.status in {400, 409} and b"already has" in created.body:
            return self._update(told)  # somebody was quicker: an earlier try of ours
        return created

    def _update(self, told: Lead) -> Answer:
        key, name = quote(told.key, safe=""), quote(self._destination.external_id, safe="")
        properties = self._properties(told)
        if told.retracted:
            properties = {"hs_pipeline_stage": _DISQUALIFIED}
        path = f"/crm/v3/objects/leads/{key}?idProperty={name}"
        return self._ask("PATCH", path, {"properties": properties})

    def _create(self, told: Lead, contact_id: str) -> Answer:
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": _LEAD_OF_CONTACT}
        body = {
            "properties": self._properties(told) | {self._destination.external_id: told.key},
            "associations": [{"to": {"id": contact_id}, "types": [kind]}],
        }
        return self._ask("POST", "/crm/v3/objects/leads", body)

    def _contact(self, told: Lead) -> Answer:
        """The contact, by mail address; without one by phone number, which may not be unique."""
        properties = _stated(
            email=told.email,
            firstname=told.first_name,
            lastname=told.last_name,
            phone=told.phone,
            company=told.company,
            jobtitle=told.role,
        )
        if told.email:
            entry = {"idProperty": "email", "id": told.email, "properties": properties}
            return self._ask("POST", "/crm/v3/objects/contacts/batch/upsert", {"inputs": [entry]})
        if told.phone:
            condition = {"propertyName": "phone", "operator": "EQ", "value": told.phone}
            found = self._ask(
                "POST",
                "/crm/v3/objects/contacts/search",
                {"filterGroups": [{"filters": [condition]}], "limit": 1},
            )
            if not found.accepted or _first_id(found):
                return found
        return self._ask("POST", "/crm/v3/objects/contacts", {"properties": properties})

    def _properties(self, told: Lead) -> dict[str, str]:
        return {
            "hs_lead_name": f"{told.name}: {told.subject}".removesuffix(": ")[:250],
            "hs_lead_type": "NEW BUSINESS",
            "hs_lead_label": _LABELS.get(told.grade, "COLD"),
        }

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        return self._client.send(
            self._destination,
            method=method,
            url=self._base + path,
            content=json.dumps(body, ensure_ascii=False).encode(),
            headers={
                "authorization": f"Bearer {self._destination.token}",
                "content-type": "application/json",
            },
        )


def _stated(**properties: str) -> dict[str, str]:
    return {name: value for name, value in properties.items() if value}


def _first_id(answer: Answer) -> str:
    """The id of the record that was created, or of the first that was found; empty if none."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return ""
    results = found.get("results", [found])
    return str(results[0].get("id", "")) if results else ""
