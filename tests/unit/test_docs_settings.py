"""A setting that the docs do not describe fails here, and so does one that is gone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from triage import settings

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"
COMMON = {
    "kind", "name", "poll_every", "since", "forward_past_days", "campaign", "silent_after",
    "enabled",
}  # fmt: skip
RECORDINGS = "Recordings, wherever they are"
SECTIONS = {
    "[business]": settings.Business,
    "[ideal_customer]": settings.IdealCustomer,
    "[store]": settings.Store,
    "[limits]": settings.Limits,
    "[calls]": settings.Calls,
    "[sources.cdr]": settings.Cdr,
    "[transcription]": settings.Transcription,
    "[classifier]": settings.Classifier,
    "[rules]": settings.Rules,
    "[taxonomy]": settings.OwnLabel,
    "[decision]": settings.DecisionRules,
    "[redaction]": settings.Redaction,
    "[review]": settings.Review,
    "[drift]": settings.Drift,
    "[[destinations]]": settings.Destination,
    "[destinations.filter]": settings.Filter,
    "[delivery]": settings.DeliveryRules,
    "[acknowledge]": settings.Acknowledge,
    "[people]": settings.People,
    "[links]": settings.Links,
    "[engine]": settings.Engine,
    "[metrics]": settings.Metrics,
    "[console]": settings.Console,
    "[console.oidc]": settings.Oidc,
    'kind = "imap"': settings.ImapSource,
    "[sources.oauth]": settings.OAuth,
    "[sources.write_back]": settings.WriteBack,
    "[sources.write_back.forward]": settings.Mark,
    'kind = "maildir"': settings.MaildirSource,
    RECORDINGS: settings.RecordingsBase,
    'kind = "recordings"': settings.RecordingsSource,
    'kind = "sftp"': settings.SftpSource,
    'kind = "s3"': settings.S3Source,
}


def documented() -> dict[str, dict[str, str]]:
    """Heading to (field to default) as the page has them."""
    sections: dict[str, dict[str, str]] = {}
    for part in re.split(r"^#+ ", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        rows = re.findall(r"^\| `(\w+)` \| (.+?) \| \S", text, flags=re.MULTILINE)
        sections[title.strip()] = dict(rows)
    return sections


@pytest.mark.parametrize("title", SECTIONS)
def test_every_field_is_described_and_nothing_else(title: str) -> None:
    fields = set(SECTIONS[title].model_fields)
    if title.startswith("kind"):
        fields -= COMMON
        if issubclass(SECTIONS[title], settings.RecordingsBase):
            fields -= set(settings.RecordingsBase.model_fields)
    if title == RECORDINGS:
        fields -= COMMON
    assert set(documented()[title]) == fields


def test_fields_common_to_all_sources_are_described() -> None:
    assert set(documented()["[[sources]]"]) == COMMON


@pytest.mark.parametrize("title", SECTIONS)
def test_documented_numbers_are_the_defaults(title: str) -> None:
    for name, default in documented()[title].items():
        if re.fullmatch(r"[\d.]+", default):
            assert float(default) == SECTIONS[title].model_fields[name].default, name


def test_every_top_level_table_is_described() -> None:
    titles = " ".join(documented())
    for name in settings.Settings.model_fields:
        assert f"[{name}]" in titles
