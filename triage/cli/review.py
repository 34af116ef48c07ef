"""`review`: what waits for a person, what reviewers said, and many labels at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli import output
from triage.cli.context import of
from triage.cli.records import Json, Limit, Since, choice, day, one_inquiry

if TYPE_CHECKING:
    from triage.pipeline.reviewing import Preview, Relabelled, Reviewing
    from triage.review.figures import Figures

review = typer.Typer(
    name="review",
    no_args_is_help=True,
    help="What waits for a person, and what reviewers said.",
)
By = Annotated[str, typer.Option("--by", help="Who says so.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(review)


@review.command("list")
def list_items(context: typer.Context, limit: Limit = 50, as_json: Json = False) -> None:
    """List what waits for a person, what needs one most first."""
    with _reviewing(context) as desk:
        _refreshed(desk)
        queued = desk.queue.repository.waiting.queued(limit)
        ids = [item.inquiry_id for item, _, _ in queued]
        rows = {row.id: row for row in desk.queue.repository.listing.rows(ids)}
    # Which of them are audits is not said here either: whoever lists may review.
    found = [
        {
            "id": item.inquiry_id,
            "received_at": row.received_at,
            "channel": row.channel,
            "sender": row.sender,
            "subject": row.subject,
            "ready_at": ready,
            "with": by,
        }
        for item, ready, by in queued
        if (row := rows.get(item.inquiry_id))
    ]
    if as_json:
        for each in found:
            output.show_json(each)
        return
    output.show_table(
        ["inquiry", "received", "channel", "from", "subject", "with"],
        [[e["id"], e["received_at"], e["channel"], e["sender"], e["subject"], e["with"]]
         for e in found],
    )  # fmt: skip
    if not found:
        output.note("nothing waits for a person")


@review.command("figures")
def show_figures(context: typer.Context, since: Since = None, as_json: Json = False) -> None:
    """Show how many leads are filed unseen, by audits, and how often two reviewers agree."""
    from triage.review.figures import figures  # noqa: PLC0415 - heavy

    with _reviewing(context) as desk:
        found = figures(desk.queue.repository, day(since))
    if as_json:
        output.show_json(_plain(found))
        return
    lost, agreement = found.lost, found.agreement
    if lost.of:
        output.say(
            f"{lost.found} of {lost.of} audited inquiries that were filed unseen are leads: "
            f"{lost.found / lost.of:.2%}, between {lost.low:.2%} and {lost.high:.2%} (95 %); "
            f"of {found.filed} filed, that is {lost.low * found.filed:.0f} to "
            f"{lost.high * found.filed:.0f}"
        )
    else:
        output.say("no audits yet: `review.audit_share` of what is filed is shown to reviewers")
    if agreement.pairs:
        kappa = "" if agreement.kappa is None else f", kappa {agreement.kappa:.2f}"
        output.say(f"two reviewers said the same of {agreement.same} of {agreement.pairs}{kappa}")
        for one, other, number in agreement.disputed:
            output.say(f"  {number} times {one} and {other}")


def _plain(found: Figures) -> dict[str, Any]:
    lost, agreement = found.lost, found.agreement
    return {
        "filed": found.filed,
        "audited": lost.of,
        "leads": lost.found,
        "share": lost.value,
        "low": lost.low,
        "high": lost.high,
        "pairs": agreement.pairs,
        "same": agreement.same,
        "kappa": agreement.kappa,
        "disputed": agreement.disputed,
    }


@review.command("export")
def export_labels(
    context: typer.Context,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="What waits, to be labelled in the file.")
    ] = False,
    form: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; default: standard output.")
    ] = None,
) -> None:
    """Write what people said of inquiries, for other programs; or what they are to say."""
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.review.exports import as_csv, as_json_lines, exported  # noqa: PLC0415 - heavy

    choice("--format", form, ("jsonl", "csv"))
    with _reviewing(context) as desk:
        if waiting:
            _refreshed(desk)
        rows = exported(desk.queue.repository, waiting=waiting)
        lines = as_csv(rows) if form == "csv" else as_json_lines(rows)
        if target is None:
            _write(lines)
            return
        try:
            with target.open("w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
        except OSError as error:
            raise Usage(f"--output {target}: {error.strerror}") from error


def _write(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line.encode("utf-8", "replace"), nl=False)


@review.command("import")
def import_labels(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON Lines, or CSV with a header.")],
    by: By = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file.")] = False,
    as_json: Json = False,
) -> None:
    """Give inquiries the labels of a file (`id`, `label`, and `note` if there is one).

    Each is a correction: leads are sent, what was sent in error is retracted. The exit code is 1 if
    a line could not be used; the others are.
    """
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.review.exports import imported  # noqa: PLC0415 - heavy

    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise Usage(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Usage(f"{file}: not UTF-8; save it as UTF-8") from error
    with _reviewing(context) as desk:
        rows = list(imported(text))
        results = [_taken_in(desk, row, by, dry_run=dry_run) for row in rows]
    _tell(results, "would be labelled" if dry_run else "labelled", as_json=as_json)


def _taken_in(desk: Reviewing, row: Any, by: str, *, dry_run: bool) -> Relabelled:
    from triage.errors import TriageError  # noqa: PLC0415 - with the next
    from triage.pipeline.reviewing import Relabelled  # noqa: PLC0415 - heavy

    where = f"line {row.line}: "
    if row.error:
        return Relabelled(row.id, error=where + row.error)
    try:
        found = one_inquiry(desk.queue.repository, row.id)
        desk.corrections.require_known(row.label)
    except TriageError as error:
        return Relabelled(row.id, error=f"{where}{error}")
    if dry_run:
        return Relabelled(found)
    (done,) = desk.relabel_all([found], row.label, by, row.note)
    return done


@review.command("bulk")
def bulk(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="lead, support, spam, …, or an own label.")],
    sender: Annotated[
        str, typer.Option("--from", help="All of an address, a domain or a number.")
    ] = "",
    like: Annotated[
        str, typer.Option("--like", help="All with nearly the same text as this.")
    ] = "",
    by: By = "",
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Relabel many settled inquiries at once. What a person labelled already stays as it is."""
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.review.alike import near, of_sender  # noqa: PLC0415 - heavy

    if bool(sender) == bool(like):
        raise Usage("choose the inquiries by --from or by --like")
    with _reviewing(context) as desk:
        repository, country = desk.queue.repository, desk.corrections.settings.business.country
        if sender:
            chosen = of_sender(repository, sender, country)
        else:
            chosen = near(repository, one_inquiry(repository, like))
        preview = desk.preview(chosen.rows, label, more=chosen.more)
        if dry_run:
            _show(preview, as_json=as_json)
            return
        ids = [row.id for row in preview.changed]
        results = list(desk.relabel_all(ids, label, by, note))
    if preview.more:
        output.note("there are more than one command relabels; give it again for the others")
    _tell(results, "relabelled", as_json=as_json)


def _show(preview: Preview, *, as_json: bool) -> None:
    if as_json:
        for row in preview.changed:
            output.show_json(row)
        return
    output.show_table(
        ["inquiry", "received", "from", "subject", "label", "outcome"],
        [
            [row.id, row.received_at, row.sender, row.subject, row.label, row.outcome]
            for row in preview.changed
        ],
    )
    output.say(
        f"{len(preview.changed)}{' and more' if preview.more else ''} would be {preview.label}; "
        f"{len(preview.kept)} stay, because people labelled them"
    )
    if preview.forwarded:
        output.say(f"  {_leads(preview.forwarded)} would be forwarded")
    for destination, number in preview.retracted.items():
        output.say(f"  {_leads(number)} would be retracted from {destination}")


def _leads(number: int) -> str:
    return f"{number} lead" if number == 1 else f"{number} leads"


def _tell(results: list[Relabelled], what: str, *, as_json: bool) -> None:
    if as_json:
        for one in results:
            output.show_json(one)
    else:
        for one in results:
            told = f"{', '.join(one.events)}" if one.events else ""
            if told or one.error:
                output.say(f"{one.inquiry_id}: {one.error or told}".lstrip(": "))
        good = sum(not one.error for one in results)
        output.say(f"{good} of {len(results)} {what}")
    raise typer.Exit(1 if any(one.error for one in results) else 0)


@review.command("errors")
def label_errors(
    context: typer.Context,
    last: Annotated[
        bool, typer.Option("--last", help="What the last look found, without a new one.")
    ] = False,
    by: By = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Find labels that people gave and that are probably wrong, with the label they should have.

    Reads every confirmed inquiry: some minutes for thousands. Answer in the console (Review, Label
    errors), or by `review import`.
    """
    from triage.pipeline.label_errors import LabelErrors  # noqa: PLC0415 - heavy

    with _reviewing(context) as desk:
        doubts = desk.queue.repository.doubts
        if not last:
            with output.progress("reading what people labelled", 100) as advance:
                look = LabelErrors(desk.corrections).look(
                    by, lambda done, of: advance(done * 100 // max(of, 1))
                )
            output.note(f"{look.found} of {look.confirmed} confirmed labels are in doubt")
        found = doubts.open(limit=limit)
    if as_json:
        for doubt in found:
            output.show_json(doubt)
        return
    output.show_table(
        ["inquiry", "labelled", "probably", ">sure", "why"],
        [[d.inquiry_id, d.label, d.proposed, f"{d.sure:.0%}", d.why] for d in found],
    )
    if not found:
        output.note("no label is in doubt")


def _refreshed(desk: Reviewing) -> None:
    for _ in range(1000):
        if not desk.queue.refresh():
            return


@contextmanager
def _reviewing(context: typer.Context) -> Iterator[Reviewing]:
    from triage.wiring import open_repository, open_reviewing  # noqa: PLC0415 - heavy

    of(context).configure_logs()
    settings = of(context).required_settings
    with open_repository(settings) as repository:
        yield open_reviewing(settings, repository)
