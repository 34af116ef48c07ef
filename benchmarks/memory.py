"""What corrections teach at once, without training: the curve of docs/memory.md.

    python benchmarks/memory.py [--orders N] [--trained N] [--svg FILE] [--skip-ordinary]

A reviewer goes through the inquiries of an unusual business (fixtures/unusual) in a random order
and corrects what the shipped model gets wrong. After so many corrections the accuracy on all that
the reviewer has not seen is measured: of the shipped model, with memory of the corrections alone,
with memory of what the reviewer agreed with as well (which the review queue keeps), after
retraining on the same items (`classifiers.own.adapt`, in `--trained` of the `--orders`), and with
both. Then the same for ordinary traffic, the held-out writers of the corpus: what memory helps
there, and what it hurts. Nothing in `classifiers.memory` was chosen on fixtures/unusual. Takes
some five minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from safetensors.numpy import load_file

from classifiers import artifact, own
from classifiers.artifact import Manifest
from classifiers.calibration import LEAD, AbstainRule, Floats, Ints
from classifiers.dataset import Item, indices_of, read_items
from classifiers.errors import TrainingError
from classifiers.labels import LABELS
from classifiers.memory import CAREFUL, Memory, Recalled, Remembered
from classifiers.model import Classifier, verdicts
from classifiers.weights import HEAD
from triage.demo.fixtures import corpus_folder, fixtures_folder

CORRECTIONS: Final = (5, 10, 20, 40, 80)
USUAL, ENOUGH = 100, 20  # as triage.pipeline.remembering has them
TRAINED: Final = 20  # corrections from which on the model is retrained as well
LEAST_LEFT: Final = 20  # inquiries on which accuracy is measured
WAYS: Final = {
    "shipped": ("the shipped model", "#777777"),
    "corrections": ("memory, corrections alone", "#c46a00"),
    "memory": ("memory", "#0060c0"),
    "trained": ("retrained", "#2e8b57"),
    "both": ("retrained, and memory", "#8a2be2"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Items as a model reads them: `vectors` (items, hidden), logits of the lexical part and what
    it `said`, both (items, labels).
    """

    items: Sequence[Item]
    truth: Ints
    vectors: Floats
    lexical: Floats
    said: Floats

    @classmethod
    def by(cls, model: Classifier, items: Sequence[Item]) -> Read:
        """All of them."""
        vectors, lexical = model.vectors([item.example for item in items])
        empty = cls(items, indices_of(items), vectors, lexical, lexical)
        return empty.again("default", model.manifest)

    def again(self, folder: Path | str, manifest: Manifest) -> Read:
        """What a model says whose head alone differs from that of the one that read them."""
        tensors = load_file(artifact.read(folder)[1])
        head, bias = (tensors[name].astype(np.float64) for name in HEAD)
        network = self.vectors @ head.T + bias
        said = manifest.shortcut.probabilities(manifest.blend, network, self.lexical)
        return replace(self, said=said)

    def memory(self, told: Sequence[int], seen: Sequence[int]) -> Memory:
        """What the items `told` teach, where `seen` is what had come so far."""
        examples = [
            Remembered(
                self.items[index].id,
                LABELS[self.truth[index]],
                self.vectors[index].astype(np.float32),
                self.said[index].astype(np.float32),
                who=frozenset(filter(None, [self.items[index].example.sender])),
            )
            for index in reversed(told)
        ]
        if len(seen) < ENOUGH:
            return Memory(examples, np.zeros(self.vectors.shape[1]), CAREFUL)
        return Memory.tried(examples, self.vectors[list(seen[-USUAL:])].mean(axis=0))


@dataclass(frozen=True, slots=True)
class Point:
    """What was right (shares) of what was not seen, and what changed."""

    seen: int
    right: dict[str, float]
    helped: int = 0
    hurt: int = 0
    lost: int = 0
    saved: int = 0


def main() -> None:
    """Print the tables and write the curve."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--trained", type=int, default=3)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--skip-ordinary", action="store_true")
    asked = parser.parse_args()
    model = Classifier.load(threads=1)
    read = Read.by(model, read_items(fixtures_folder() / "unusual" / "items.jsonl"))
    print(f"an unusual business, {len(read.items)} inquiries, {asked.orders} orders")
    curve = shown(read, model, asked.orders, asked.trained)
    if asked.svg:
        asked.svg.write_text(drawn(curve), encoding="utf-8")
    if asked.skip_ordinary:
        return
    for file in sorted([*corpus_folder().glob("calibration-*"), *corpus_folder().glob("dev-*")]):
        print(f"\nordinary traffic, {file.name}")
        shown(Read.by(model, read_items(file)), model, asked.orders, 0)


def shown(
    read: Read, model: Classifier, orders: int, trained: int
) -> dict[str, list[tuple[int, float, float]]]:
    """Print a line for each number of corrections; returns the curves (corrections, mean, half of
    the 95 % interval) by way.
    """
    curve: dict[str, list[tuple[int, float, float]]] = {name: [] for name in WAYS}
    start = float((read.said.argmax(axis=1) == read.truth).mean())
    for name in WAYS:
        curve[name].append((0, start, 0.0))
    rng = np.random.default_rng(0)
    streams = [rng.permutation(len(read.items)) for _ in range(orders)]
    print(f"shipped model: {start:.1%} right")
    for count in CORRECTIONS:
        points = [
            point
            for number, stream in enumerate(streams)
            if (point := at(read, model, stream, count, training=number < trained))
        ]
        if len(points) < max(2, orders // 2):
            break
        cells = []
        for name in WAYS:
            values = [point.right[name] for point in points if name in point.right]
            if len(values) > 1:
                half = 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5
                curve[name].append((count, float(np.mean(values)), half))
                cells.append(f"{name} {np.mean(values):.1%} ±{half:.1%}")
        total = [sum(getattr(p, n) for p in points) for n in ("helped", "hurt", "lost", "saved")]
        print(
            f"{count:3} corrections of {np.mean([p.seen for p in points]):.0f} seen: "
            f"{', '.join(cells)}; memory helped {total[0]}, hurt {total[1]}; of leads that the "
            f"model would show {total[2]} filed, of those it would file {total[3]} shown"
        )
    return curve


def at(read: Read, model: Classifier, stream: Ints, count: int, *, training: bool) -> Point | None:
    """After so many corrections; None where too few items are left to measure on."""
    wrong = read.said.argmax(axis=1) != read.truth
    places = np.flatnonzero(wrong[stream])
    if len(places) < count or len(stream) - places[count - 1] - 1 < LEAST_LEFT:
        return None
    seen, rest = np.split(stream, [places[count - 1] + 1])
    order = seen.tolist()
    rule = model.manifest.abstain
    told = {
        "corrections": joined(read.memory([i for i in order if wrong[i]], order), read, rest, rule),
        "memory": joined(read.memory(order, order), read, rest, rule),
    }
    truth, before = read.truth[rest], read.said[rest]
    right = {"shipped": _share(before, truth)} | {
        name: _share(found, truth) for name, found in told.items()
    }
    if training and count >= TRAINED and len(order) >= own.LEAST:
        right |= {name: _share(f, truth) for name, f in retrained(read, order, rest).items()}
    was, now = before.argmax(axis=1) == truth, told["memory"].argmax(axis=1) == truth
    lead = truth == LEAD
    filed = [_filed(scores, model) for scores in (before, told["memory"])]
    return Point(
        len(order),
        right,
        int((now & ~was).sum()),
        int((was & ~now).sum()),
        int((lead & ~filed[0] & filed[1]).sum()),
        int((lead & filed[0] & ~filed[1]).sum()),
    )


def retrained(read: Read, seen: Sequence[int], rest: Ints) -> dict[str, Floats]:
    """What the model says of `rest` once it is retrained on `seen`, and with memory beside it; the
    model stays as it was where its gate refuses the new one.
    """
    with TemporaryDirectory() as scratch:
        file, folder = Path(scratch) / "seen.jsonl", Path(scratch) / "model"
        file.write_text("\n".join(_lines(read, seen)), encoding="utf-8")
        again, rule = read, artifact.read("default")[0].abstain
        try:
            done = own.adapt(file, folder, threads=1)
        except TrainingError as error:
            print(f"     (retraining on {len(seen)}: {str(error)[:90]}…)")
        else:
            if done.method != "few-shot":
                raise SystemExit(f"{len(seen)} examples changed the vectors too; give fewer")
            again = read.again(folder, artifact.read(folder)[0])
    memory = again.memory(seen, seen)
    return {"trained": again.said[rest], "both": joined(memory, again, rest, rule)}


def joined(memory: Memory, read: Read, rest: Ints, rule: AbstainRule) -> Floats:
    """Probabilities of `rest` with memory, (items, labels)."""
    found: list[Recalled] = memory.recall(read.vectors[rest], read.said[rest], floor=rule.lead)
    return np.array([each.probabilities for each in found])


def _lines(read: Read, seen: Sequence[int]) -> Iterator[str]:
    for index in seen:
        example = read.items[index].example
        yield json.dumps(
            {
                "id": read.items[index].id,
                "channel": example.channel,
                "text": example.text,
                "subject": example.subject,
                "from": example.sender,
                "to": example.recipient,
                "business": example.business,
                "label": LABELS[read.truth[index]],
            }
        )


def _share(scores: Floats, truth: Ints) -> float:
    return float((scores.argmax(axis=1) == truth).mean())


def _filed(scores: Floats, model: Classifier) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which are filed without a person: no lead by label, and the model does not abstain."""
    said = verdicts(scores, model.manifest.abstain, model.name_version)
    return np.array([verdict.label != "lead" and not verdict.abstained for verdict in said])


def drawn(curve: dict[str, list[tuple[int, float, float]]]) -> str:
    """The curves as SVG: corrections to the right, the share that is right upwards."""
    values = [value for points in curve.values() for _, value, _ in points]
    low = np.floor(min(values) * 20 - 0.5) / 20
    high = min(1.0, np.ceil(max(values) * 20 + 0.5) / 20)
    most = max(count for points in curve.values() for count, _, _ in points)

    def x(count: float) -> float:
        return 60 + 480 * count / most

    def y(value: float) -> float:
        return float(290 - 250 * (value - low) / (high - low))

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 340" font-size="13"',
        ' font-family="sans-serif" role="img" aria-label="Accuracy after so many corrections">',
        '<rect width="800" height="340" fill="#ffffff"/>',
    ]
    for step in np.arange(low, high + 0.001, 0.05):
        parts.append(f'<path d="M60 {y(step):.1f}H540" stroke="#dddddd"/>')
        parts.append(f'<text x="52" y="{y(step) + 4:.1f}" text-anchor="end">{step:.0%}</text>')
    parts += [
        f'<text x="{x(count):.1f}" y="310" text-anchor="middle">{count}</text>'
        for count in sorted({count for points in curve.values() for count, _, _ in points})
    ]
    parts.append('<text x="300" y="332" text-anchor="middle">corrections</text>')
    for row, (name, (words, colour)) in enumerate(WAYS.items()):
        points = curve[name]
        line = " ".join(f"{x(count):.1f},{y(value):.1f}" for count, value, _ in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for count, value, half in points:
            ends = f"V{y(value + half):.1f}"
            parts.append(
                f'<path d="M{x(count):.1f} {y(value - half):.1f}{ends}" stroke="{colour}"/>'
                f'<circle cx="{x(count):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>'
            )
        height = 60 + 24 * row
        parts.append(f'<path d="M560 {height - 4}h22" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="590" y="{height}">{words}</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    main()
