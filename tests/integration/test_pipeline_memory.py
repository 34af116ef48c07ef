"""What a person corrected acts on the next similar inquiry, through the real steps and model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from sqlalchemy import delete, select

from classifiers.model import Classifier
from classifiers.verdict import Example
from tests.support import stored
from triage.pipeline.corrections import Corrections
from triage.pipeline.progressive import READING_ON
from triage.pipeline.remembering import SUFFIX, Remembering
from triage.pipeline.rescoring import Rescoring
from triage.pipeline.steps import Steps
from triage.rules.rulebook import Rulebook
from triage.settings import Destination, Settings
from triage.store import records, tables
from triage.store.repository import Repository
from triage.types import Party, Segment, Stage, Transcript, Verdict

SADDLE = (
    "My saddle came back from your workshop and it squeaks again under the left flap when I trot. "
    "{} I would like it opened, the tree looked at, and put right before the show in May."
)
NEWS = "Here is our newsletter for March: three recipes, a quiz and the weather. Unsubscribe here."


@pytest.fixture(scope="module")
def model() -> Classifier:
    return Classifier.load()


@dataclass
class Office:
    """A store with the steps of a worker over it."""

    repository: Repository
    classifier: Classifier
    settings: Settings = field(
        default_factory=lambda: Settings(
            destinations=(Destination(name="crm", url="http://127.0.0.1:1/"),)
        )
    )
    count: int = 0

    def __post_init__(self) -> None:
        nothing = cast("Any", None)  # nothing is transcribed here
        self.rulebook = Rulebook(self.settings.rules, self.settings.business)
        self.steps = Steps(
            self.settings,
            self.repository,
            nothing,
            lambda: self.classifier,
            self.rulebook,
            memory=Remembering(self.settings, self.repository),
        )

    def arrives(self, text: str, sender: str = "", thread: tuple[str, ...] = ()) -> str:
        """A mail that goes all the way; its id."""
        self.count += 1
        work = stored.received(self.repository, f"mail {self.count}")
        inquiry = replace(
            stored.inquiry(work),
            text=text,
            subject="",
            sender=Party("", sender or f"rider{self.count}@post{self.count}.example"),
            recipients=(),
            thread=thread,
        )
        assert self.repository.worklist.parsed(work, inquiry)
        for step in (self._classify, self.steps.qualify, self.steps.settle):
            step(stored.current(self.repository, work.id))
        assert stored.current(self.repository, work.id).stage is Stage.SETTLED
        return work.id

    def rings(self, text: str, read_s: float | None = None) -> records.Work:
        """A call that waits for its label; `read_s`: only so much of it was read so far."""
        self.count += 1
        work = stored.received(self.repository, f"call {self.count}", channel="call")
        who = Party(phone=f"+1614555{self.count:04}")
        inquiry = replace(
            stored.inquiry(work), channel="call", sender=who, recipients=(), text="", subject=""
        )
        assert self.repository.worklist.parsed(work, inquiry)
        said = (Segment(0.0, 19.0, "caller", text, 0.9),)
        partial = read_s is not None
        heard = Transcript(said, "en", "test", "base", 60.0, partial=partial, read_s=read_s)
        assert self.repository.worklist.transcribed(stored.current(self.repository, work.id), heard)
        return stored.current(self.repository, work.id)

    def _classify(self, work: records.Work) -> None:
        self.steps.classify([work])

    def example(self, text: str) -> Example:
        """What is read of a mail from a stranger."""
        return Example("email", text, sender="somebody@new.example")

    def classified(self, *texts: str) -> list[Verdict]:
        """What the worker would say of mails that nobody wrote yet."""
        memory = self.steps.memory
        assert memory is not None
        unread = [(f"inq_{number}", self.example(text)) for number, text in enumerate(texts)]
        return memory.classify(self.classifier, unread)

    def said(self, inquiry_id: str) -> Verdict:
        """The latest verdict."""
        verdict = self.repository.archive.verdict(inquiry_id)
        assert verdict is not None
        return verdict

    @property
    def corrections(self) -> Corrections:
        """As any process has them: nothing is shared with the steps but the store."""
        return Corrections(self.settings, self.repository)


SQUEAKS = (
    SADDLE.format("It is the brown one with the brass dees."),
    SADDLE.format("It is the black one, sixteen inches."),
    SADDLE.format("It is the grey one, seventeen inches."),
)
POSTS = tuple(
    f"We offer your {what} our guest article on {topic} with one link. Our price is {price} "
    "dollars per post. May I send titles?"
    for what, topic, price in (
        ("blog", "kitchens", 80),
        ("site", "gardens", 60),
        ("page", "pets", 75),
    )
)
QUOTES = tuple(
    f"Could you quote us for {count} copies of the {book} book, and what would delivery cost?"
    for count, book in ((40, "hymn"), (25, "prayer"), (60, "song"), (30, "psalm"), (35, "mass"))
)


def test_the_next_similar_inquiry_profits_and_undo_takes_that_back(
    any_repository: Repository, model: Classifier
) -> None:
    office = Office(any_repository, model)
    first = office.arrives(SQUEAKS[0])
    before = office.said(first)
    assert (before.label, before.model) == ("support", model.name_version)
    moment = records.now()
    office.corrections.relabel(first, "personal", by="Dana")

    told = office.said(office.arrives(SQUEAKS[1]))
    assert (told.label, told.recalled) == ("personal", (first,))
    assert told.model == model.name_version + SUFFIX
    assert sum(told.scores.values()) == pytest.approx(1)
    unlike = office.said(office.arrives(NEWS))
    assert (unlike.label, unlike.model, unlike.recalled) == (
        "irrelevant",
        model.name_version,
        (),
    )

    office.corrections.restore(first, moment, by="Dana")
    third = office.said(office.arrives(SQUEAKS[2]))
    assert (third.label, third.model, third.recalled) == ("support", model.name_version, ())


def test_memory_has_no_say_in_whether_a_call_is_read_on_after_its_opening(
    repository: Repository, model: Classifier
) -> None:
    office = Office(repository, model)
    first = office.rings(SQUEAKS[0])
    office.steps.classify([first])
    before = office.said(first.id)
    office.steps.qualify(stored.current(repository, first.id))
    office.steps.settle(stored.current(repository, first.id))
    office.corrections.relabel(first.id, "personal", by="Dana")
    opening, whole = office.rings(SQUEAKS[1], read_s=20.0), office.rings(SQUEAKS[2])
    office.steps.classify([opening, whole])
    assert office.said(whole.id).recalled == (first.id,)
    assert office.said(whole.id).label == "personal" != before.label
    (looked,) = (e for e in repository.archive.history(opening.id) if e.event == READING_ON)
    assert looked.detail["label"] == before.label


def test_what_is_relabelled_again_teaches_the_new_label(
    any_repository: Repository, model: Classifier
) -> None:
    office = Office(any_repository, model)
    first = office.arrives(POSTS[0])
    for label in ("internal", "personal", "internal"):
        office.corrections.relabel(first, label)
        (again,) = office.classified(POSTS[1])
        assert again.label == label


def test_what_is_forgotten_or_erased_teaches_nothing_until_it_is_labelled_anew(
    any_repository: Repository, model: Classifier
) -> None:
    office, memories = Office(any_repository, model), any_repository.memories
    first, second = office.arrives(POSTS[0]), office.arrives(SQUEAKS[0])
    office.corrections.relabel(first, "internal")
    office.corrections.relabel(second, "internal")
    assert [said.label for said in office.classified(POSTS[1], SQUEAKS[1])] == ["internal"] * 2
    assert memories.forget(first)
    assert not memories.forget(first)
    said = office.classified(POSTS[1], SQUEAKS[1])
    assert [each.label for each in said] == ["solicitation", "internal"]
    with any_repository.database.write() as connection:
        connection.execute(delete(tables.inquiries).where(tables.inquiries.c.id == second))
        assert connection.execute(select(tables.memories)).all() == []
    assert [each.label for each in office.classified(SQUEAKS[1])] == ["support"]
    office.corrections.relabel(first, "internal")
    assert [each.label for each in office.classified(POSTS[1])] == ["internal"]


def test_a_thread_teaches_nothing_about_its_replies_nor_about_colleagues(
    repository: Repository, model: Classifier
) -> None:
    office = Office(repository, model)
    ann = "ann@stables.example"
    first = office.arrives(SQUEAKS[0], ann, ("<1@stables.example>",))
    office.corrections.relabel(first, "personal")
    reply = office.arrives(SQUEAKS[1], ann, ("<1@stables.example>", "<2@stables.example>"))
    colleague = office.arrives(SQUEAKS[1], "bob@stables.example")
    for name in (reply, colleague):
        assert (office.said(name).label, office.said(name).recalled) == ("support", ())
    stranger = office.arrives(SQUEAKS[1], "cy@elsewhere.example")
    again = office.arrives(SQUEAKS[1], ann)
    for name in (stranger, again):
        assert office.said(name).recalled == (first,)


def test_likely_leads_are_shown_to_somebody_however_many_were_corrected(
    repository: Repository, model: Classifier
) -> None:
    office = Office(repository, model)
    outcomes = []
    for text in QUOTES:
        name = office.arrives(text)
        decision = repository.archive.decision(name)
        assert decision is not None
        outcomes.append(str(decision.outcome))
        office.corrections.relabel(name, "solicitation", by="Dana")
    assert outcomes[0] in {"forward", "nurture"}
    assert outcomes[2:] == ["review"] * 3
    last = office.classified(QUOTES[0])[0]
    assert last.label == "solicitation"
    assert last.scores["lead"] >= model.manifest.abstain.lead


def test_memory_makes_a_lead_of_what_the_model_would_file(
    repository: Repository, model: Classifier
) -> None:
    office = Office(repository, model)
    first = office.arrives(POSTS[0])
    office.corrections.relabel(first, "lead", by="Dana")
    second = office.arrives(POSTS[1])
    decision = repository.archive.decision(second)
    assert decision is not None
    assert office.said(second).label == "lead"
    assert decision.outcome != "file"


def test_another_model_reads_what_was_corrected_anew(
    repository: Repository, model: Classifier
) -> None:
    office = Office(repository, model)
    first = office.arrives(SQUEAKS[0])
    office.corrections.relabel(first, "personal")
    assert office.classified(SQUEAKS[1])[0].label == "personal"
    office.classifier = Classifier(
        model._runtime,
        (model._head, model._bias),
        model._lexical,
        model._base,
        replace(model.manifest, name="other", version="2.0.0"),
    )
    assert office.classified(SQUEAKS[1])[0].model == f"other@2.0.0{SUFFIX}"
    office.classifier = model
    assert office.classified(SQUEAKS[1])[0].model == f"{model.name_version}{SUFFIX}"
    with repository.database.read() as connection:
        readers = connection.execute(select(tables.memories.c.reader)).scalars().all()
    assert len(readers) == 2


def test_a_worker_that_starts_anew_remembers_without_reading_again(
    repository: Repository, model: Classifier
) -> None:
    office = Office(repository, model)
    first = office.arrives(SQUEAKS[0])
    office.corrections.relabel(first, "personal")
    assert office.classified(SQUEAKS[1])[0].recalled == (first,)
    with repository.database.write() as connection:  # nothing is left to read
        connection.execute(delete(tables.contents))
    fresh = Remembering(office.settings, repository)
    (said,) = fresh.classify(model, [("inq_new", office.example(SQUEAKS[1]))])
    assert said.recalled == (first,)


def test_a_centre_is_found_once_there_are_enough_inquiries(
    repository: Repository, model: Classifier
) -> None:
    office = Office(repository, model)
    for number in range(22):
        office.arrives(f"{NEWS} Number {number}." if number % 2 else QUOTES[number % 5])
    first = office.arrives(SQUEAKS[0])
    office.corrections.relabel(first, "personal")
    (near, far) = office.classified(SQUEAKS[1], NEWS)
    assert (near.label, near.recalled) == ("personal", (first,))
    assert far.recalled == ()


def test_memory_can_be_switched_off(repository: Repository, model: Classifier) -> None:
    settings = Settings.model_validate({"classifier": {"memory": False}})
    office = Office(repository, model, settings)
    first = office.arrives(SQUEAKS[0])
    office.corrections.relabel(first, "personal")
    assert office.classified(SQUEAKS[1])[0].model == model.name_version


def test_a_new_look_at_old_inquiries_profits_too(repository: Repository, model: Classifier) -> None:
    office = Office(repository, model)
    first, second = office.arrives(SQUEAKS[0]), office.arrives(SQUEAKS[1])
    office.corrections.relabel(first, "personal")
    look = Rescoring(
        office.settings,
        repository,
        lambda: model,
        lambda: None,
        office.rulebook,
        Remembering(office.settings, repository),
    )
    (found,) = look.run([first, second])
    assert (found.id, found.after.label) == (second, "personal")
