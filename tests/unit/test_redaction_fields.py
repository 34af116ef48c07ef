from __future__ import annotations

from dataclasses import replace

from tests.support.qualified import call, mail, qualified
from triage.redaction.fields import Redactor
from triage.types import Attachment, Evidence, Form, Party, Qualification, Signal

REDACTOR = Redactor()
CARD = "4012 8888 8888 1881"


def test_evidence_points_into_what_is_masked() -> None:
    inquiry = mail(
        f"Take {CARD}. We need 40 rooftop units by May, budget $90,000.\n"
        "Call me on 614-555-0142.\n\nAnn Example",
        sender=Party("Ann Example", "ann@acmehotels.example"),
    )
    found = qualified(inquiry)
    masked, signals = REDACTOR.inquiry(inquiry), REDACTOR.qualification(found, inquiry, None)
    assert "8888" not in masked.text
    placed = 0
    for name, signal in signals.signals.items():
        assert signal.value == found.signals[name].value
        for evidence in signal.evidence:
            source = str(getattr(masked, evidence.field))
            assert source[evidence.start : evidence.end] == evidence.quote
            placed += evidence.field == "text"
    assert placed >= 4


def test_evidence_in_a_call_points_into_what_is_masked() -> None:
    inquiry, transcript = call(
        ("agent", "Which card?"),
        ("caller", f"{CARD}, and we need 40 rooftop units by May."),
        ("caller", "My number is 614-555-0142."),
    )
    found = qualified(inquiry, transcript)
    masked = REDACTOR.transcript(transcript).transcript
    assert "8888" not in masked.text
    signals = REDACTOR.qualification(found, inquiry, transcript).signals
    assert signals["phone"].value == found.signals["phone"].value
    quotes = [one for signal in signals.values() for one in signal.evidence if one.field == "text"]
    assert quotes
    assert all(masked.text[one.start : one.end] == one.quote for one in quotes)


def test_a_signal_that_is_itself_a_secret_is_masked() -> None:
    inquiry = mail(f"my number is {CARD}")
    evidence = Evidence(CARD, 13, 13 + len(CARD))
    wrong = Signal("phone", CARD, 0.9, (evidence,), normalized="+14012888888")
    found = REDACTOR.qualification(Qualification({"phone": wrong}, 1, (), "D"), inquiry, None)
    signal = found.signals["phone"]
    assert (signal.value, signal.normalized) == ("[card number ••1881]", "")
    assert signal.evidence[0].quote == "[card number ••1881]"


def test_everything_that_people_wrote_is_masked() -> None:
    inquiry = replace(
        mail(f"text {CARD}", subject=f"card {CARD}", signature=f"Ann {CARD}", quoted=f"> {CARD}"),
        form=Form("lines", "", (("SSN", "536904399"), ("Phone", "614-555-0142"))),
        attachments=(Attachment(f"{CARD}.txt", "text/plain", 9, text=f"visa {CARD}"),),
        metadata={"caller": "+16145550142", "note": f"visa {CARD}"},
        sender=Party(f"Ann {CARD}", "ann@a.example"),
    )
    masked = REDACTOR.inquiry(inquiry)
    assert "8888" not in repr(masked)
    assert "536904399" not in repr(masked)
    assert masked.form is not None
    assert masked.form.fields[1] == ("Phone", "614-555-0142")
    assert masked.metadata["caller"] == "+16145550142"
    assert Redactor(()).inquiry(inquiry) == inquiry
