from random import Random

import pytest

from classifiers.augmentation import augment, without_turns
from classifiers.encoder import BaseModel, Reading
from classifiers.errors import BaseWeightsError
from classifiers.text import BODY_CHARS, render
from classifiers.verdict import Example

READING = Reading(window=32, header=8, overlap=4, most=6)


@pytest.fixture(scope="module")
def base() -> BaseModel:
    return BaseModel()


def test_header_holds_only_what_is_known() -> None:
    assert render(Example("call", " hi\nthere ")) == ("phone call", "hi there")
    header, _ = render(
        Example("email", "x", subject="Boxes", sender="Ann <a@b.example>", business="Packaging")
    )
    assert header == "email | to Packaging | from Ann <a@b.example> | about: Boxes"


@pytest.mark.parametrize(
    ("sender", "recipient", "kin"),
    [
        ("Ann <ann@Firm.example>", "Desk <it@firm.example>", True),
        ("ann@firm.example", "it@other.example", False),
        ("+44 1632 960000", "+44 1632 960001", False),
        ("", "", False),
    ],
)
def test_header_says_whether_both_addresses_share_a_domain(
    sender: str, recipient: str, kin: bool
) -> None:
    header, _ = render(Example("email", "x", sender=sender, recipient=recipient))
    assert ("(same domain)" in header) == kin


def test_text_without_words_is_named() -> None:
    assert render(Example("call", " \n"))[1] == "(no words)"


def test_very_long_text_keeps_both_ends() -> None:
    _, body = render(Example("email", "start " + "x " * BODY_CHARS + " finish"))
    assert len(body) <= BODY_CHARS + 3
    assert body.startswith("start")
    assert body.endswith("finish")


def test_short_text_is_one_window(base: BaseModel) -> None:
    [windows] = base.windows([("email", "hello")], READING)
    assert len(windows) == 1
    assert base.tokenizer.decode(windows[0], skip_special_tokens=False) == (
        "[CLS] email [SEP] hello [SEP]"
    )


def test_windows_cover_every_word_in_order_and_repeat_the_header(base: BaseModel) -> None:
    words = [chr(97 + n // 26) + chr(97 + n % 26) for n in range(60)]
    [windows] = base.windows([("email", " ".join(words))], Reading(32, 8, 4, 100))
    joined = " ".join(base.tokenizer.decode(list(window)) for window in windows)
    assert len(windows) > 2
    assert all(len(window) <= 32 for window in windows)
    assert joined.count("email") == len(windows)
    plain = base.tokenizer.encode(" ".join(words), add_special_tokens=False).ids
    assert all(token in {t for window in windows for t in window} for token in plain)


def test_of_too_many_windows_the_ends_and_some_between_are_read(base: BaseModel) -> None:
    numbers = " ".join(str(n) for n in range(1000))
    [windows] = base.windows([("call", f"alpha {numbers} omega")], READING)
    text = [base.tokenizer.decode(list(window)) for window in windows]
    assert len(windows) == READING.most
    assert "alpha" in text[0]
    assert "omega" in text[-1]
    middle = " ".join(text[2:4]).split()
    assert any(str(n) in middle for n in range(150, 450))
    assert any(str(n) in middle for n in range(550, 850))


def test_header_is_bounded(base: BaseModel) -> None:
    [windows] = base.windows([("word " * 100, "body")], READING)
    assert len(windows[0]) <= READING.header + 4


def test_foreign_weights_are_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("base")
    with pytest.raises(BaseWeightsError, match="is missing"):
        BaseModel(folder)
    (folder / "model.safetensors").write_bytes(b"other")
    with pytest.raises(BaseWeightsError, match="sha256"):
        BaseModel(folder)


def test_turns_become_one_block() -> None:
    assert without_turns("Agent: Hello.\nCaller: I need: a quote\n") == "Hello. I need: a quote"


def test_noise_hides_fields_and_keeps_label_words() -> None:
    example = Example(
        "call", "Agent: Hi.\nCaller: A quote, please", business="HVAC", sender="1", recipient="2"
    )
    rng = Random(1)
    noisy = [augment(example, rng) for _ in range(200)]
    assert {bool(n.business) for n in noisy} == {True, False}
    assert {bool(n.sender) for n in noisy} == {True, False}
    assert any("Caller" not in n.text for n in noisy)
    assert any("," not in n.text for n in noisy)
    assert sum("quote" in n.text for n in noisy) > 190
    assert [augment(example, Random(3)) for _ in range(2)] == [augment(example, Random(3))] * 2
