"""The model card, written from measured figures: `python -m classifiers.card --help`.

Measures a model folder and the baseline on the corpus's held-out splits and on any further labelled
file, and writes one Markdown page.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from classifiers.artifact import Manifest, resolve
from classifiers.baseline import Baseline
from classifiers.bound import FilingBound
from classifiers.dataset import Corpus, Item, labels_of, read_corpus, read_items
from classifiers.evaluate import Estimate, Report, evaluate
from classifiers.labels import LABELS
from classifiers.match import MatchRule
from classifiers.model import Classifier


def write_card(
    out: Path, *, model: Path | str = "default", corpus_dir: Path, measured: Sequence[Path] = ()
) -> None:
    """Measure `model` and the baseline, and write the card to `out`.

    `measured`: labelled files that are no part of the corpus; they only measure.
    """
    classifier = Classifier.load(model)
    corpus = read_corpus(corpus_dir)
    baseline = Baseline.fit([item.example for item in corpus.train], labels_of(corpus.train))
    sets = {"dev": corpus.dev, "calibration": corpus.calibration, "test": corpus.test}
    sets |= {path.stem: tuple(read_items(path)) for path in measured}
    reports = {
        name: (_measure(classifier, items), _measure(baseline, items))
        for name, items in sets.items()
        if items
    }
    size = sum(file.stat().st_size for file in resolve(model).iterdir())
    out.parent.mkdir(parents=True, exist_ok=True)
    page = [*_about(classifier.manifest, corpus, size), *_figures(reports), *_LIMITS]
    out.write_text("\n".join(page) + "\n", encoding="utf-8")


def _measure(model: Classifier | Baseline, items: Sequence[Item]) -> Report:
    return evaluate(items, model.classify([item.example for item in items]))


def _about(manifest: Manifest, corpus: Corpus, size: int) -> list[str]:
    training = manifest.training
    counts = {
        split: [sum(item.label == label for item in items) for label in LABELS]
        for split, items in (
            ("train", corpus.train),
            ("dev", corpus.dev),
            ("calibration", corpus.calibration),
            ("test", corpus.test),
        )
    }
    return [
        "# Model card",
        "",
        "Written by `python -m classifiers.card` from measured figures; do not edit by hand.",
        "",
        (
            f"**{manifest.name_version}**, trained {manifest.created[:10]}. It gives an inbound "
            "inquiry (mail, form or call transcript, in English) one of nine labels with "
            "calibrated probabilities, and says where it is too unsure to act without a person."
        ),
        "",
        f"- Base: {manifest.base} (Apache-2.0), sha256 `{manifest.base_sha256[:16]}…`.",
        (
            f"- Method: {_METHODS[training['form']]}, mean pooling over windows of "
            f"{manifest.reading.window} tokens that cover the whole text, one linear head; "
            f"{_passes(training)}."
        ),
        (
            f"- Size: {size / 1e6:.1f} MB beside the base package; trained in "
            f"{training['seconds'] / 60:.0f} minutes."
        ),
        (
            "- Beside the network a linear lexical part (words and word pairs); logits weighed "
            f"{manifest.blend.network:.2f} to {manifest.blend.lexical:.2f}, fitted on dev for "
            "calibrated probabilities. Macro-F1 on dev: network alone "
            f"{_part(manifest, 'network')}, lexical part alone {_part(manifest, 'lexical')}, "
            f"together {100 * manifest.metrics['dev']['macro_f1']['value']:.0f} %. Abstains below "
            f"confidence {manifest.abstain.confidence:.2f} or margin {manifest.abstain.margin:.2f}"
            f", and from leads below {manifest.abstain.sure:.2f}."
        ),
        (
            "- The lexical part settles alone where its two best labels are "
            f"{manifest.shortcut.margin:.2f} apart, unless a lead with a probability over "
            f"{manifest.shortcut.lead:.2f} would be labelled otherwise, or it sounds like support."
        ),
        *_match(manifest.match),
        *_bound(manifest.bound),
        "",
        "## Data",
        "",
        (
            "`fixtures/corpus`: inquiries invented one by one for this project, no template and no "
            "person's mail. Every held-out file has a writer of its own, so that a writer's habits "
            f"do not count as knowledge. Content sha256 `{corpus.sha256[:16]}…`."
        ),
        "",
        *_table(
            ["label", *counts],
            [[label, *(str(c[i]) for c in counts.values())] for i, label in enumerate(LABELS)]
            + [["all", *(str(sum(c)) for c in counts.values())]],
        ),
    ]


def _match(rule: MatchRule | None) -> Iterable[str]:
    if rule is not None:
        shifts = ", ".join(f"{label} {slope:+.2f}" for label, (slope, _) in rule.shifts.items())
        yield (
            "- A second network of the same base reads text and business profile each by itself, "
            "and was trained so that a profile lies near what its customers write. Each logit of "
            f"the business doing what is asked shifts log-probabilities: {shifts}, fitted on dev."
        )


def _bound(bound: FilingBound | None) -> Iterable[str]:
    if bound is not None:
        yield (
            f"- Lost leads: what is not called a lead is filed unseen only below a probability of "
            f"{bound.floor:.4f} of being one. Of {bound.leads} leads held out for it that files "
            f"{bound.filed}, which bounds the share at {100 * bound.upper:.2f} % with "
            f"{100 * bound.confidence:.0f} % confidence (asked for: {100 * bound.level:.0f} %)."
        )


def _part(manifest: Manifest, name: str) -> str:
    return f"{100 * manifest.metrics['dev_macro_f1_of_parts'][name]:.0f} %"


_METHODS = {
    "lora": "low-rank changes (LoRA) of all encoder matrices, merged at load",
    "full": "fine-tuning of all encoder layers, word vectors frozen",
}


def _passes(training: Mapping[str, Any]) -> str:
    if before := training.get("from"):
        if not training["epochs"]:
            return f"the network of {before}, and what stands on it fitted anew"
        kept = training.get("kept", 0.0)
        mean = f", the mean of both weighed {kept:.2f} to {1 - kept:.2f}" if kept else ""
        return f"trained on from {before}{mean}"
    best, epochs = training["best_epoch"], training["epochs"]
    return f"best of {epochs} epochs on the dev split: epoch {best}"


def _figures(reports: dict[str, tuple[Report, Report]]) -> Iterable[str]:
    yield from ("", "## Figures", "", "In percent, with 95 % intervals (Wilson, bootstrap for F1).")
    yield "The baseline is TF-IDF with logistic regression on the same training data."
    yield (
        "The dev split chose the epoch, the weights and the thresholds, so that its figures "
        "flatter; the calibration split chose what may be filed unseen; the test split, by "
        "hands that wrote nothing else, chose none of them (fixtures/corpus/README.md says how "
        "often it was measured)."
    )
    yield ""
    yield from _table(
        ["set", "items", "macro-F1", "baseline", "accuracy", "not abstained", "accuracy there",
         "lead recall", "leads among those sent unseen", "leads filed unseen", "ECE"],
        [_overview(name, *pair) for name, pair in reports.items()],
    )  # fmt: skip
    for name, (report, baseline) in reports.items():
        yield from ("", f"### {name}", "")
        yield from _table(
            ["label", "items", "precision", "recall", "F1", "baseline F1"],
            [
                [label, str(c.support), _percent(c.precision), _percent(c.recall), _percent(c.f1),
                 _percent(baseline.classes[label].f1) if label in baseline.classes else "-"]
                for label, c in report.classes.items()
                if c.support
            ],
        )  # fmt: skip
        if len(report.sources) > 1:
            yield ""
            yield from _by_source(report, baseline)
        yield from ("", "Confusions (truth → said):", "")
        yield from _confusions(report)


def _by_source(report: Report, baseline: Report) -> Iterable[str]:
    return _table(
        ["source", "items", "accuracy", "baseline accuracy", "macro-F1", "baseline macro-F1"],
        [
            [name, str(own.items), _percent(own.accuracy), _percent(other.accuracy),
             _percent(own.macro_f1), _percent(other.macro_f1)]
            for (name, own), other in zip(
                report.sources.items(), baseline.sources.values(), strict=True
            )
        ],
    )  # fmt: skip


def _overview(name: str, report: Report, baseline: Report) -> list[str]:
    return [
        name,
        str(report.items),
        _percent(report.macro_f1),
        _percent(baseline.macro_f1),
        _percent(report.accuracy),
        f"{100 * report.coverage:.1f}",
        f"{100 * report.accuracy_covered:.1f}",
        _percent(report.lead_recall),
        _percent(report.leads_sent),
        f"{_percent(report.leads_filed)}, at most {100 * report.leads_filed_bound:.1f}",
        f"{100 * report.calibration_error:.1f}",
    ]


def _confusions(report: Report) -> Iterable[str]:
    wrong = [
        (count, truth, said)
        for truth, row in report.confusion.items()
        for said, count in row.items()
        if truth != said
    ]
    wrong.sort(key=lambda row: (-row[0], row[1], row[2]))
    yield "; ".join(f"{truth} → {said} {count}" for count, truth, said in wrong[:12]) + "."


def _percent(estimate: Estimate) -> str:
    low, high = round(100 * estimate.low), round(100 * estimate.high)
    return f"{100 * estimate.value:.0f} ({low} to {high})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    body = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(row)} |" for row in body]


_LIMITS = [
    "",
    "## Limits",
    "",
    "- English. A few per cent of the corpus are in other languages; labels there mean little.",
    (
        "- The bound on lost leads holds for inquiries like those it was chosen on. Where traffic "
        "is of another kind it has to be chosen anew, on reviewed inquiries of that kind."
    ),
    (
        "- The corpus is invented. On real inquiries expect less than on its test split, and more "
        "of them in review; training with your own corrected inquiries is the way to close the gap."
    ),
    (
        "- Probabilities are calibrated on the dev split. On text of other kinds the model is too "
        "sure of itself (see ECE of each set), so that fewer doubtful items reach review."
    ),
    (
        "- One side of a chat, mailing lists, office mail of other eras and mass offers are its "
        "weakest ground: see lead recall and the share of leads filed unseen of each set."
    ),
    (
        "- A long text is read whole, but a wish stated only at the end of a long call weighs "
        "little in the mean over it: its probability falls, and it may end in review."
    ),
    (
        "- Whether a contact is a misdial hangs on the business profile; without one, wrong "
        "numbers that sound like buyers are taken for leads."
    ),
    "- Labels that share words are confused most: see the confusions above.",
    (
        "- Sets with few items of a label have wide intervals; a figure without its interval says "
        "little."
    ),
    "- It must not decide about people: a label for an applicant sorts the mail, not the person.",
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the card; see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.card", description=__doc__)
    parser.add_argument("--model", default="default", help="model folder (default: what ships)")
    parser.add_argument("--corpus", type=Path, default=Path("fixtures/corpus"))
    parser.add_argument("--measure", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--out", type=Path, default=Path("docs/model-card.md"))
    chosen = parser.parse_args(arguments)
    write_card(chosen.out, model=chosen.model, corpus_dir=chosen.corpus, measured=chosen.measure)


if __name__ == "__main__":
    main()
