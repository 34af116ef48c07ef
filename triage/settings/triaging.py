"""How an inquiry is read, labelled and decided."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    Field,
    model_validator,
)

from classifiers.labels import Label
from triage.settings.section import Seconds, Section, Share

_LANGUAGE: Final = r"^([a-z]{2,3})?$"


class Limits(Section):
    """Bounds on what is read from one item; what is larger is quarantined, never loaded whole.

    Attached documents are read only as far as their limits allow: `documents` of a mail, each for
    `document_seconds` at most. Of the recordings attached to a mail, the first `mail_recordings`
    are heard.
    """

    mail_bytes: int = Field(default=40_000_000, gt=0)
    mail_parts: int = Field(default=500, gt=0)
    mail_depth: int = Field(default=50, gt=0)
    text_chars: int = Field(default=200_000, gt=0)
    documents: int = Field(default=10, ge=0)
    document_bytes: int = Field(default=20_000_000, gt=0)
    document_pages: int = Field(default=50, gt=0)
    document_chars: int = Field(default=100_000, gt=0)
    document_seconds: Seconds = 15.0
    mail_recordings: int = Field(default=5, ge=1)
    recording_bytes: int = Field(default=500_000_000, gt=0)
    recording_seconds: Seconds = 4 * 3600.0


class Transcription(Section):
    """How calls become text. `model`: the name of installed weights or a folder with weights.

    `languages` are those that may be spoken; `vocabulary` holds names and products, which are shown
    to the model. `turns`: whether voices in one channel are told apart. A recording with less than
    `min_speech_s` seconds of speech is not read, and nobody's lead. `attachments`: recordings that
    come by mail are heard too, and voicemails are calls. `time_limit` is in seconds of work per
    second of audio (with a floor of 60 s a call), `memory_mb` the memory that each process may
    take; see docs/transcription.md.

    With `progressive` a call is read as far as its label needs, `opening_s` at least, and leads
    whole, with `lead_model` where that is set; `audit_share` of what would stop is read whole all
    the same, to see whether it should have; see docs/progressive.md.
    """

    engine: Literal["faster-whisper", "openai-whisper"] = "faster-whisper"
    model: str = "base"
    language: str = Field(default="", pattern=_LANGUAGE)
    languages: tuple[Annotated[str, Field(pattern=_LANGUAGE)], ...] = ()
    vocabulary: tuple[str, ...] = ()
    device: Literal["auto", "cpu", "cuda"] = "auto"
    caller_channel: Literal["left", "right"] = "right"
    turns: bool = True
    workers: int = Field(default=1, ge=1, le=64)
    threads: int = Field(default=1, ge=1, le=64)
    time_limit: Seconds = 5.0
    attachments: bool = True
    min_speech_s: float = Field(default=0.7, ge=0, le=10)
    memory_mb: int | None = Field(default=None, ge=256)
    progressive: bool = False
    opening_s: Seconds = 20.0
    lead_model: str = ""
    audit_share: Share = 0.02

    @model_validator(mode="after")
    def _one_of_the_allowed(self) -> Self:
        if self.language and self.languages and self.language not in self.languages:
            raise ValueError(
                f"language = {self.language!r} is not among languages = {list(self.languages)}; "
                "set one of the two"
            )
        return self


class Classifier(Section):
    """Which model decides: `default` is the one that ships, else a folder that `train` wrote.

    `memory`: whether what people corrected acts on similar inquiries at once. See docs/memory.md.
    """

    artifact: str = "default"
    threads: int = Field(default=1, ge=1, le=64)
    batch: int = Field(default=16, ge=1, le=256)
    runtime: Literal["auto", "openvino", "torch"] = "auto"
    memory: bool = True


class Rules(Section):
    """What is known about senders before the model reads. `allow` and `block` hold mail addresses,
    domains (with their subdomains) and phone numbers in any notation; `customers` and `suppliers`
    CSV files, as customer databases export them. `authserv_ids` names the mail servers whose
    Authentication-Results are believed; `settle` whether mails that machines wrote about mails need
    no model. See docs/rules.md.
    """

    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    customers: tuple[Path, ...] = ()
    suppliers: tuple[Path, ...] = ()
    authserv_ids: tuple[str, ...] = ()
    settle: bool = True


class OwnLabel(Section):
    """A label of the business's own, for `base`, one of the nine; `[taxonomy.NAME]`.

    `outcome` replaces what the decision would be once it is clear (nothing unsure is decided by
    it): `forward`, `nurture` or `review` for leads, `file` or `review` for everything else.
    """

    base: Label
    outcome: Literal["forward", "nurture", "review", "file"] | None = None

    @model_validator(mode="after")
    def _no_lead_is_filed(self) -> Self:
        allowed = ("forward", "nurture", "review") if self.base == "lead" else ("file", "review")
        if self.outcome is not None and self.outcome not in allowed:
            raise ValueError(
                f"outcome = {self.outcome!r} is not possible for base = {self.base!r}; "
                f"choose {' or '.join(allowed)}"
            )
        return self


class DecisionRules(Section):
    """Thresholds from a verdict to an outcome.

    A lead whose score reaches `forward_score` is forwarded, below it nurtured. What is not labelled
    a lead is filed, unless the model abstains or the probability of a lead reaches `lead_floor`:
    then a person looks at it. `review_below` replaces the model's own abstain threshold.
    """

    forward_score: int = Field(default=30, ge=0, le=100)
    lead_floor: Share = 0.2
    review_below: Share | None = None


class Review(Section):
    """What people are asked. `audit_share` of what is filed unseen is looked at by chance: that is
    what measures lost leads. `second_share` of what a reviewer said is asked of another one too. An
    item is a reviewer's own for `claim_seconds`.
    """

    audit_share: Share = 0.01
    second_share: Share = 0.0
    claim_seconds: Seconds = 600.0
