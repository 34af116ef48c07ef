"""The contract of events: a schema, with nothing allowed that it does not name."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from triage.delivery import events


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, with nothing allowed that it does not name."""

    def closed(part: Any) -> Any:
        if isinstance(part, list):
            return [closed(item) for item in part]
        if not isinstance(part, dict):
            return part
        found = {name: closed(value) for name, value in part.items()}
        if found.get("type") == "object" and "properties" in found:
            found["additionalProperties"] = False
        return found

    changed: dict[str, Any] = closed(schema)
    return changed


def problems(event: str, body: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator(
        strict(events.schema(event)), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
