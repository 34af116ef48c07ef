"""What leads state: rules alone beside rules and tagger, on leads by hands that trained nothing.

    python benchmarks/signals.py [FILE ...]     default: the calibration files of the corpus

F1 of each signal (value match), accuracy for the two that are one of a few values; the share of
values that stand in their own evidence; milliseconds of processor time a lead, on one thread.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from classifiers.tag_model import Tagger
from triage.demo.fixtures import corpus_folder
from triage.signals.measure import CHOSEN, marked_leads, measure


def main() -> None:
    files = [Path(name) for name in sys.argv[1:]] or sorted(
        corpus_folder().glob("calibration-*.jsonl")
    )
    tagger = Tagger.load(threads=1)
    for file in files:
        rows = marked_leads(file)
        started = time.process_time()
        rules = measure(rows, None)
        between = time.process_time()
        both = measure(rows, tagger)
        ended = time.process_time()
        print(f"\n{file.name}: {len(rows)} leads, signals {tagger.manifest.version}")
        heads = ("signal", "stated", "rules", "shipped", "95 %", "evidence")
        print("{:<18} {:>6} {:>7} {:>8} {:>13} {:>9}".format(*heads))
        for name, one in both.items():
            interval = f"{one.figure.low:.2f} to {one.figure.high:.2f}"
            print(
                f"{name + (' *' if name in CHOSEN else ''):<18} {one.marked:>6} "
                f"{rules[name].figure.value:>7.3f} {one.figure.value:>8.3f} {interval:>13} "
                f"{one.evidenced.value:>9.3f}"
            )
        each = 1000 / len(rows)
        print(
            f"* accuracy; {(between - started) * each:.1f} ms a lead by rules, "
            f"{(ended - between) * each:.1f} ms with the tagger"
        )


if __name__ == "__main__":
    main()
