"""Leads in Salesforce, by its REST API: upserted by an external id, so that none is made twice.

The secret is an access token; or, with `client_id`, the secret of a connected app that may use the
OAuth client credentials flow: then the token is fetched, and fetched again when it has expired.
"""

from __future__ import annotations

import json
import threading
from typing import Any, Final
from urllib.parse import quote, urlencode

from triage.delivery.adapters.contact import Lead, lead
from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient
from triage.errors import Configuration
from triage.settings import Destination
from triage.types import Delivery

_VERSION: Final = "v62.0"
_RATINGS: Final = {"A": "Hot", "B": "Warm"}
_CLOSED: Final = "Closed - Not Converted"  # a status that every organisation begins with
_UNKNOWN: Final = "[not provided]"  # Salesforce's own word where a company is required


class SalesforceAdapter:
    """Creates and updates leads."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()

    def send(self, delivery: Delivery, destination: Destination, client: HttpClient) -> Answer:
        """As `Adapter`. A token that has expired costs a second request, not the try."""
        told = lead(delivery)
        answer = self._upsert(told, destination, client)
        if answer.status == 401 and destination.client_id:
            with self._lock:
                self._tokens.pop(destination.name, None)
            answer = self._upsert(told, destination, client)
        if told.retracted and answer.status == 404:
            return Answer(True, answer.status, "", answer.duration_s)  # nothing to take back
        return answer

    def _upsert(self, told: Lead, destination: Destination, client: HttpClient) -> Answer:
        token = self._token(destination, client)
        if isinstance(token, Answer):
            return token
        name, key = quote(destination.external_id, safe=""), quote(told.key, safe="")
        path = f"/services/data/{_VERSION}/sobjects/Lead/{name}/{key}"
        return client.send(
            destination,
            method="PATCH",
            url=destination.url.rstrip("/") + path + ("?updateOnly=true" if told.retracted else ""),
            content=json.dumps(_fields(told), ensure_ascii=False).encode(),
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        )

    def _token(self, destination: Destination, client: HttpClient) -> str | Answer:
        """A token, or the answer that there is none."""
        if not destination.token:
            raise Configuration(f"destination {destination.name!r}: secret is missing, a token")
        if not destination.client_id:
            return destination.token
        with self._lock:
            if token := self._tokens.get(destination.name):
                return token
        form = {
            "grant_type": "client_credentials",
            "client_id": destination.client_id,
            "client_secret": destination.token,
        }
        answer = client.send(
            destination,
            url=destination.url.rstrip("/") + "/services/oauth2/token",
            content=urlencode(form).encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        if answer.status in {400, 401}:
            raise Configuration(
                f"destination {destination.name!r}: Salesforce refused client_id and secret"
            )
        if not answer.accepted:
            return answer
        fresh = str(json.loads(answer.body)["access_token"])
        with self._lock:
            self._tokens[destination.name] = fresh
        return fresh


def _fields(told: Lead) -> dict[str, Any]:
    if told.retracted:
        return {"Status": _CLOSED}
    fields = {
        "FirstName": told.first_name,
        "LastName": told.last_name or told.name[:80],
        "Company": told.company or _UNKNOWN,
        "Email": told.email,
        "Phone": told.phone,
        "Title": told.role,
        "LeadSource": told.campaign[:40],
        "Rating": _RATINGS.get(told.grade, "Cold"),
        "Description": told.description,
    }
    return {name: value for name, value in fields.items() if value}
