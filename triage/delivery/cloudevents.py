"""Events as CloudEvents 1.0, over HTTP in the structured and in the binary mode."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from triage.types import Delivery

_SPEC: Final = "1.0"
_PRINTABLE: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def attributes(delivery: Delivery) -> tuple[dict[str, str], dict[str, Any]]:
    """The context attributes and the data of an event. `source` and `id` together are unique."""
    event = json.loads(delivery.body)
    data: dict[str, Any] = event["data"]
    context = {
        "specversion": _SPEC,
        "id": delivery.id,
        "source": f"/triage/{quote(str(data.get('source') or 'worker'), safe='')}",
        "type": event["type"],
        "subject": delivery.inquiry_id,
        "time": event["timestamp"],
        "datacontenttype": "application/json",
        "dataschema": f"urn:triage:schema:{event['type']}:{event['schema']}",
    }
    return context, data


def structured(delivery: Delivery) -> tuple[dict[str, str], str]:
    """Headers and body of the structured mode: everything is in the body."""
    context, data = attributes(delivery)
    body = json.dumps(context | {"data": data}, ensure_ascii=False, separators=(",", ":"))
    return {"content-type": "application/cloudevents+json; charset=UTF-8"}, body


def binary(delivery: Delivery) -> tuple[dict[str, str], str]:
    """Headers and body of the binary mode: the body is the data, the rest is in headers."""
    context, data = attributes(delivery)
    headers = {
        f"ce-{name}": quote(value, safe=_PRINTABLE)
        for name, value in context.items()
        if name != "datacontenttype"
    }
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return headers | {"content-type": context["datacontenttype"]}, body
