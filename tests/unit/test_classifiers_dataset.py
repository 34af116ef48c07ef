import json
from pathlib import Path

import pytest

from classifiers.dataset import Item, near_duplicates, read_corpus, read_items, with_dev
from classifiers.errors import CorpusError
from classifiers.verdict import Example

CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"


def line(**changes: object) -> str:
    return json.dumps({"id": "1", "channel": "email", "body": "hi", "label": "lead"} | changes)


def test_reads_both_shapes(tmp_path: Path) -> None:
    file = tmp_path / "train-a.jsonl"
    file.write_text(
        line(**{"from": "a@b.example", "business": None, "hard": True, "tags": ["x"]})
        + "\n\n"
        + line(id=2, channel="call", body=None, text="ho", source="s", split="dev")
    )
    one, two = read_items(file)
    assert one.example == Example("email", "hi", sender="a@b.example")
    assert (one.split, one.tags, one.label) == ("train", ("hard", "x"), "lead")
    assert (two.id, two.split, two.source, two.example.text) == ("2", "dev", "s", "ho")


def test_line_ends_of_unicode_inside_a_text_are_no_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    text = "a\u2028b\x85c"
    file.write_text(line(body="@").replace("@", text) + "\r\n", encoding="utf-8")
    assert [item.example.text for item in read_items(file)] == [text]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("{", "line 2"),
        ("[]", "JSON object"),
        (line(body=None), "`text` or `body`"),
        (line(id=""), "`id`"),
        (line(channel="fax"), "'fax'"),
        (line(label="hot"), "'hot'"),
        (line(label=None), "no `label`"),
        (line(split="x"), "'x'"),
        (line(subject=3), "`subject`"),
        (line(tags="x"), "`tags`"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, bad: str, why: str) -> None:
    file = tmp_path / "f.jsonl"
    file.write_text(f"{line()}\n{bad}\n")
    with pytest.raises(CorpusError, match="line 2") as caught:
        read_items(file)
    assert why in str(caught.value)


def test_labels_may_be_missing_where_asked(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_text(line(label=None))
    assert read_items(file, labelled=False)[0].label is None


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"none\.jsonl"):
        read_items(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b"\xff")
    with pytest.raises(CorpusError, match=r"latin\.jsonl"):
        read_items(tmp_path / "latin.jsonl")


def test_splits_by_file_name_and_refuses_doubled_ids(tmp_path: Path) -> None:
    (tmp_path / "train-a.jsonl").write_text(line())
    (tmp_path / "dev-b.jsonl").write_text(line(id="2"))
    corpus = read_corpus(tmp_path)
    assert [len(corpus.train), len(corpus.dev), len(corpus.test)] == [1, 1, 0]
    (tmp_path / "test-c.jsonl").write_text(line())
    with pytest.raises(CorpusError, match="'1' occurs twice"):
        read_corpus(tmp_path)


def test_own_labels_stand_for_one_of_the_nine(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(line(id="1", label="wholesale") + "\n" + line(id="2", label="spam"))
    trade, junk = read_items(file, bases={"wholesale": "lead"})
    assert (trade.label, trade.own) == ("lead", "wholesale")
    assert (junk.label, junk.own) == ("spam", "")
    with pytest.raises(CorpusError, match="`label` is 'wholesale'"):
        read_items(file)


def test_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no training items"):
        read_corpus(tmp_path)


def test_dev_is_taken_from_training_where_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    labels = ["lead"] * 16 + ["spam"] * 8
    file.write_text("\n".join(line(id=f"{n}", label=label) for n, label in enumerate(labels)))
    corpus = with_dev(read_corpus(file), seed=1)
    assert sorted(i.label or "" for i in corpus.dev) == ["lead", "lead", "spam"]
    assert len(corpus.train) == 21
    assert with_dev(corpus, seed=2) is corpus
    assert with_dev(read_corpus(file), seed=1) == corpus


def test_near_duplicates_are_found() -> None:
    text = "we would like a quote for forty boxes delivered to the shop by friday please"
    one = Item("1", Example("email", text))
    two = Item("2", Example("email", f"Hello, {text.upper()}!"))
    other = Item("3", Example("email", "the heater in flat two stopped working again last night"))
    assert [pair[:2] for pair in near_duplicates([one], [two, other])] == [("1", "2")]
    assert [pair[:2] for pair in near_duplicates(*[[one, two, other]] * 2)] == [("1", "2")]
    empty = Item("4", Example("call", ""))
    assert near_duplicates([empty], [empty, one]) == []


def test_corpus_is_sound_and_no_split_leaks_into_another() -> None:
    corpus = read_corpus(CORPUS)
    splits = (corpus.train, corpus.dev, corpus.calibration, corpus.test)
    assert all(splits)
    everything = [item for split in splits for item in split]
    sets = {item.id: tag for item in everything for tag in item.tags if tag.startswith("pair-")}
    alike = near_duplicates(everything, everything)
    assert [pair for pair in alike if sets.get(pair[0], pair[0]) != sets.get(pair[1])] == []
    held_out = {item.source for split in splits[1:] for item in split}
    assert not held_out & {item.source for item in corpus.train}
    assert not {item.id for item in everything[len(corpus.train) :]} & set(sets)
