"""An inquiry with all that is known of it, for other programs."""

from __future__ import annotations

from typing import Any

from triage.delivery.vcon import vcon
from triage.errors import Usage
from triage.pipeline.telling import stored_case
from triage.settings import Settings
from triage.store.repository import Repository


def exported(
    settings: Settings, repository: Repository, inquiry_id: str, *, original: bool = False
) -> dict[str, Any]:
    """The inquiry as a vCon; `original`: with the mail or recording itself.

    Raises `Usage` where nothing was decided yet.
    """
    work, case = repository.worklist.get(inquiry_id), stored_case(repository, inquiry_id)
    if work is None or case is None:
        raise Usage(
            f"{inquiry_id} is {work.stage if work else 'unknown'}; it can be exported once it is "
            "settled"
        )
    history = repository.archive.history(inquiry_id)
    recordings = case.inquiry.recordings if original and case.inquiry.voicemail else ()
    return vcon(
        case,
        identity=work.identity,
        created_at=history[0].at,
        updated_at=history[-1].at,
        domain=next(iter(settings.business.domains), ""),
        original=repository.blobs.read(work.sha256) if original else None,
        media_type=work.media_type,
        recordings=[repository.blobs.read(recording.sha256) for recording in recordings],
    )


def raw_copy(repository: Repository, inquiry_id: str) -> bytes:
    """The mail or recording as it came; of what was refused, the part that was kept."""
    work = repository.worklist.get(inquiry_id)
    if work is None:
        raise Usage(f"no inquiry {inquiry_id}")
    return repository.blobs.read(work.sha256)
