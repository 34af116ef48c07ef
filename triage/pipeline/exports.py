"""An inquiry with all that is known of it, for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from triage.delivery.payload import Case
from triage.delivery.vcon import vcon
from triage.errors import Usage
from triage.pipeline import silencing
from triage.pipeline.discretion import Discretion
from triage.pipeline.silencing import Silencer
from triage.pipeline.stages import is_mail
from triage.pipeline.telling import stored_case
from triage.settings import Settings
from triage.store.records import Work
from triage.store.repository import Repository

_WITHHELD: Final = (
    "it holds numbers that must not leave ([redaction] in the settings), and a mail as it came "
    "cannot be masked"
)


@dataclass(frozen=True, slots=True)
class Exports:
    """Gives inquiries out, masked as `discretion` says; `silence` makes silent copies."""

    settings: Settings
    repository: Repository
    discretion: Discretion
    silence: Silencer

    def exported(self, inquiry_id: str, *, original: bool = False) -> dict[str, Any]:
        """The inquiry as a vCon; `original`: with the recording, or the mail unless that holds
        what must not leave.

        Raises `Usage` where nothing was decided yet.
        """
        work = self.repository.worklist.get(inquiry_id)
        case = stored_case(self.repository, inquiry_id)
        if work is None or case is None:
            raise Usage(
                f"{inquiry_id} is {work.stage if work else 'unknown'}; it can be exported once it "
                "is settled"
            )
        history = self.repository.archive.history(inquiry_id)
        content, media_type = self._original(work) if original else (None, work.media_type)
        return vcon(
            self.discretion.told(case),
            identity=work.identity,
            created_at=history[0].at,
            updated_at=history[-1].at,
            domain=next(iter(self.settings.business.domains), ""),
            original=content,
            media_type=media_type,
            withheld=_WITHHELD if original and content is None else "",
            recordings=self._messages(case) if original else (),
        )

    def raw_copy(self, inquiry_id: str) -> bytes:
        """The mail or recording as it came, or the recording with what must not leave silenced; of
        what was refused, the part that was kept.

        Raises `Usage` for a mail that holds what must not leave.
        """
        work = self.repository.worklist.get(inquiry_id)
        if work is None:
            raise Usage(f"no inquiry {inquiry_id}")
        content, _ = self._original(work)
        if content is None:
            raise Usage(f"{inquiry_id}: {_WITHHELD}; --unredacted gives it all the same")
        return content

    def _messages(self, case: Case) -> list[bytes]:
        """The recordings of a voicemail; none where they hold what must not leave."""
        if case.inquiry.voicemail is None or self.discretion.silent(case.transcript):
            return []
        return [self.repository.blobs.read(one.sha256) for one in case.inquiry.recordings]

    def _original(self, work: Work) -> tuple[bytes | None, str]:
        """The stored copy as others may have it, and its media type; None where they may not."""
        heard = self.repository.archive.transcript(work.id)
        if not is_mail(work):
            return silencing.outgoing(self.repository, work, heard, self.discretion, self.silence)
        inquiry = self.repository.archive.content(work.id)
        content = self.repository.blobs.read(work.sha256)
        if inquiry is None:  # nobody could parse it
            text = content.decode("latin-1")
            hidden = self.discretion.outgoing.text(text) != text
        else:
            hidden = self.discretion.hides(inquiry) or bool(self.discretion.silent(heard))
        return None if hidden else content, work.media_type
