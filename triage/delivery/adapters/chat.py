"""Slack and Teams: a short card in a channel, by the incoming webhook that the team made."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, Final

from triage.delivery.adapters.message import Message, message
from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient
from triage.settings import Destination
from triage.types import Delivery

# Slack: block kit reference; Teams: adaptive cards, 28 kB a message.
_SLACK_TITLE: Final = 150
_SLACK_FIELDS: Final = 10
_TEXT: Final = 2_800
_FACT: Final = 500
_SLACK_FACT: Final = 380  # a field has 2,000 characters, and escaping may make five of one
_FAILED: Final = re.compile(rb"returned HTTP error (\d{3})")


class SlackAdapter:
    """Slack's incoming webhooks."""

    def send(self, delivery: Delivery, destination: Destination, client: HttpClient) -> Answer:
        """As `Adapter`."""
        return _post(slack_blocks(message(delivery)), destination, client)


class TeamsAdapter:
    """Teams' workflows and incoming webhooks."""

    def send(self, delivery: Delivery, destination: Destination, client: HttpClient) -> Answer:
        """As `Adapter`. Teams answers 200 to some failures, and says so in the text only."""
        answer = _post(teams_card(message(delivery)), destination, client)
        if answer.accepted and (failed := _FAILED.search(answer.body)):
            status = int(failed[1])
            return replace(answer, accepted=False, status=status, error=f"answered {status}")
        return answer


def slack_blocks(told: Message) -> dict[str, Any]:
    """The body for Slack. What strangers wrote cannot mention anybody or make links."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": told.title[:_SLACK_TITLE]}}
    ]
    fields = [
        {"type": "mrkdwn", "text": f"*{label}*\n{_escaped(value[:_SLACK_FACT])}"}
        for label, value in told.facts[:_SLACK_FIELDS]
    ]
    if fields:
        blocks.append({"type": "section", "fields": fields})
    if told.text:
        text = _escaped(told.text)[:_TEXT]
        blocks.append({"type": "section", "text": {"type": "plain_text", "text": text}})
    if told.link:
        link = {"type": "mrkdwn", "text": f"<{told.link}|Open the inquiry>"}
        blocks.append({"type": "section", "text": link})
    footer = {"type": "plain_text", "text": told.footer}
    blocks.append({"type": "context", "elements": [footer]})
    return {"text": _escaped(told.title), "blocks": blocks}


def teams_card(told: Message) -> dict[str, Any]:
    """The body for Teams: one adaptive card."""
    line = {"type": "TextBlock", "wrap": True}
    body: list[dict[str, Any]] = [
        line | {"text": told.title, "weight": "Bolder", "size": "Medium"},
        {
            "type": "FactSet",
            "facts": [{"title": label, "value": value[:_FACT]} for label, value in told.facts],
        },
        line | {"text": told.text[:_TEXT]},
        line | {"text": told.footer, "isSubtle": True, "size": "Small"},
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [part for part in body if part.get("text") or part.get("facts")],
    }
    if told.link:
        card["actions"] = [
            {"type": "Action.OpenUrl", "title": "Open the inquiry", "url": told.link}
        ]
    kind = "application/vnd.microsoft.card.adaptive"
    return {
        "type": "message",
        "attachments": [{"contentType": kind, "contentUrl": None, "content": card}],
    }


def _post(body: dict[str, Any], destination: Destination, client: HttpClient) -> Answer:
    return client.send(
        destination,
        content=json.dumps(body, ensure_ascii=False).encode(),
        headers={"content-type": "application/json"},
        url=destination.url or destination.token,
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
