"""How form systems lay out a filled form: one function for each way, each from text to fields.

Most ways are a line that begins a field; the lines below it belong to its value until the next
field, a rule, or what the system writes below a form.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from triage.intake.forms.labels import kind

Fields = list[tuple[str, str]]

FIELDS: Final = 100
"""Fields that are kept of one form."""
TEXT_CHARS: Final = 20_000
"""Characters of a mail in which a form is looked for."""

_LABEL: Final = r"(?P<label>[^\W\d_][^:=|\t\n<>]{0,78}?)"
_STARTS: Final = {
    "dashes": r"-{2,}[ ]*(?P<label>[^\W\d_][^\n]{0,78}?)[ ]*-{2,}(?P<value>)",
    "brackets": r"\[(?P<label>[^\W\d][^\]\n]{0,60})\][ ]*(?:=>|:|=)?[ ]*(?P<value>.*)",
    "stars": r"(?:\*{1,2}|__)(?P<label>[^\W\d_][^*\n]{0,78}?)[ ]*:?[ ]*(?:\*{1,2}|__)[ ]*:?[ ]*"
    r"(?P<value>.*)",
    "numbers": r"\d{1,2}[.)][ ]+(?P<label>[^\W\d_][^\n]{0,118}?[?:]?)(?P<value>)",
    "pipes": r"\|?[ ]*(?P<label>[^\W\d_][^|\n]{0,78}?)[ ]*\|[ ]*(?P<value>[^|\n]*?)[ ]*\|?",
    "tabs": rf"{_LABEL}[ :]*\t+[ ]*(?P<value>.+)",
    "dots": rf"{_LABEL}[ ]*\.{{3,}}[ :]*(?P<value>.*)",
    "arrows": rf"{_LABEL}[ ]*(?:=>|->|\u2192|\u00bb|>>)[ ]*(?P<value>.*)",
    "equals": rf"{_LABEL}[ ]*=[ ]*(?P<value>.*)",
    "colons": rf"(?:[-\u2022*][ ]+)?{_LABEL}[ ]*[:\uff1a](?!//)[ \t]*(?P<value>.*)",
    "hyphens": rf"{_LABEL}[ ]+[-\u2013\u2014][ ]+(?P<value>.*)",
    "columns": rf"{_LABEL}[ ]*:?[ ]{{2,}}(?P<value>.+)",
}  # fmt: skip
_PATTERNS: Final = {name: re.compile(pattern) for name, pattern in _STARTS.items()}
_RULE: Final = re.compile(r"[-_=*~ ]{2,}$")
_FOOTER: Final = re.compile(
    r"(?:this (?:e-?mail|message|form|mail) (?:was|is)|sent (?:from|via|by|through|on)\b|powered by"
    r"|you (?:can|are|received|have)|to (?:view|reply|unsubscribe|see|manage)|view (?:this|the|all)"
    r"|view entry|manage (?:submissions|your)|reply (?:to this|directly)|unsubscribe"
    r"|(?:please )?do not reply|log in|see (?:all|this)|submitted (?:from|on|at|via)"
    r"|diese (?:e-?mail|nachricht))",
    re.IGNORECASE,
)
_QUESTION: Final = re.compile(
    r"(?:q|question|frage)[ ]*\d*[ ]*[:.)][ ]*(?P<label>.{1,120})", re.IGNORECASE
)
_ANSWER: Final = re.compile(r"(?:a|answer|antwort)[ ]*\d*[ ]*[:.)][ ]*(?P<value>.*)", re.IGNORECASE)
_ELEMENT: Final = re.compile(
    r"<(?P<tag>[A-Za-z][\w:.-]{0,40})(?P<attributes>(?:\s[^<>]{0,200})?)>(?P<value>[^<]*)"
    r"</(?P=tag)\s*>"
)
_CDATA: Final = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"(?:part|type|name|label)\s*=\s*[\"']([^\"']{1,40})[\"']")


def by_lines(name: str) -> Callable[[str], Fields]:
    """The reader of one of the ways in which a line begins a field."""
    pattern = _PATTERNS[name]

    def read(text: str) -> Fields:
        fields: list[tuple[str, list[str]]] = []
        is_open = False
        for raw in text.split("\n"):
            line = raw.strip(" ")
            start = pattern.fullmatch(line)
            if start and _is_label(start["label"]):
                fields.append((start["label"].strip(" *:"), [start["value"].strip()]))
                is_open = True
            elif is_open:
                is_open = _continues(line, fields[-1])
        return _values(fields)

    return read


def _is_label(label: str) -> bool:
    return len(label.split()) <= 14 and not label.lower().startswith(("http", "on "))


def _continues(line: str, field: tuple[str, list[str]]) -> bool:
    """Take a line into the value above it, unless the form ends there."""
    label, values = field
    if _RULE.match(line) or _FOOTER.match(line):
        return False
    if not line and any(values) and kind(label) not in {"message", ""}:
        return False
    values.append(line)
    return True


def _values(fields: list[tuple[str, list[str]]]) -> Fields:
    return [(label, "\n".join(values).strip()) for label, values in fields[:FIELDS]]


def stacked(text: str) -> Fields:
    """Labels on lines of their own, each above its value, without any mark."""
    fields: list[tuple[str, list[str]]] = []
    is_open, blank = False, True
    for raw in text.split("\n"):
        line = raw.strip(" *")
        asked = line.endswith("?") and len(line) <= 120 and (blank or _filled(fields, is_open))
        if line and (asked or (len(line) <= 60 and kind(line) and not _filling(fields, is_open))):
            fields.append((line.rstrip(":"), []))
            is_open = True
        elif is_open:
            is_open = _continues(line, fields[-1])
        blank = not line
    return _values(fields)


def _filled(fields: list[tuple[str, list[str]]], is_open: bool) -> bool:
    """Whether the field above has its value, and no more is to be expected of it."""
    return is_open and any(fields[-1][1]) and kind(fields[-1][0]) not in {"message", ""}


def _filling(fields: list[tuple[str, list[str]]], is_open: bool) -> bool:
    """Whether the line above is a label that has no value yet: then this one is its value."""
    return is_open and not any(fields[-1][1])


def questions(text: str) -> Fields:
    """`Q: …` and `A: …`."""
    fields: list[tuple[str, list[str]]] = []
    for raw in text.split("\n"):
        line = raw.strip()
        if question := _QUESTION.fullmatch(line):
            fields.append((question["label"].strip(), []))
        elif fields:
            answer = _ANSWER.fullmatch(line)
            fields[-1][1].append(answer["value"] if answer else line)
    return _values(fields)


def query(text: str) -> Fields:
    """`name=Ann+Lee&email=…`, as browsers send forms."""
    for line in text.split("\n"):
        if line.count("&") >= 2 and line.count("=") >= 3 and " " not in line.strip():
            return parse_qsl(line.strip().rpartition("?")[2], max_num_fields=FIELDS)
    return []


def json_object(text: str) -> Fields:
    """A JSON object, its fields at the top or one level below."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return []
    try:
        found: Any = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return []
    return _flat(found)[:FIELDS] if isinstance(found, dict) else []


def _flat(found: dict[str, Any]) -> Fields:
    fields: Fields = []
    for label, value in found.items():
        if isinstance(value, dict):
            fields += [(str(name), str(one)) for name, one in value.items()]
        elif isinstance(value, list):
            fields += _listed(label, value)
        elif value is not None:
            fields.append((str(label), str(value)))
    return fields


def _listed(label: str, values: list[Any]) -> Fields:
    """A list of values, or of objects that name a label and a value each."""
    fields: Fields = []
    for one in values:
        if isinstance(one, dict):
            name = next(
                (one[key] for key in ("label", "question", "name", "key") if key in one), label
            )
            value = next((one[key] for key in ("value", "answer", "text") if key in one), "")
            fields.append((str(name), str(value)))
        else:
            fields.append((label, str(one)))
    return fields


def elements(text: str) -> Fields:
    """XML, as ADF or as a form's own: what each element holds, named by it and its part."""
    fields: Fields = []
    for found in _ELEMENT.finditer(_CDATA.sub(lambda part: part[1].replace("<", ""), text)):
        part = _ATTRIBUTE.search(found["attributes"])
        label = f"{part[1]} {found['tag']}" if part and part[1].lower() != "full" else found["tag"]
        fields.append((label.replace("_", " "), _unescaped(found["value"]).strip()))
        if len(fields) == FIELDS:
            break
    return [(label, value) for label, value in fields if value]


def _unescaped(text: str) -> str:
    for escaped, plain in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(escaped, plain)
    return text


def rows(text: str) -> Fields:
    """A line of column names above a line of values, as spreadsheets and exports have them."""
    lines = [line for line in text.split("\n") if line.strip()]
    for head, values in itertools.pairwise(lines):
        for mark in ("\t", ";", ",", "|"):
            if head.count(mark) < 2 or values.count(mark) < 2:
                continue
            names, cells = _cells(head, mark), _cells(values, mark)
            if len(names) == len(cells) and sum(bool(kind(name)) for name in names) >= 3:
                return list(zip(names, cells, strict=True))[:FIELDS]
    return []


def _cells(line: str, mark: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=mark))]
    except (csv.Error, StopIteration):
        return []


LAYOUTS: Final[dict[str, Callable[[str], Fields]]] = {
    "json": json_object,
    "xml": elements,
    "query": query,
    "rows": rows,
    "questions": questions,
    **{name: by_lines(name) for name in _STARTS},
    "stacked": stacked,
}
"""Every way by name; where two read the same, the earlier is meant."""
