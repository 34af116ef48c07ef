"""The behavioural suite: passes by topic, and every pair that fails.

    python benchmarks/behaviour.py [MODEL]      default: the model that ships

A pair passes if both labels are right. See fixtures/behaviour/README.md.
"""

from __future__ import annotations

import sys

from classifiers.behaviour import described, examine, read_pairs
from classifiers.model import Classifier
from triage.demo.fixtures import fixtures_folder


def main() -> None:
    model = Classifier.load(sys.argv[1] if len(sys.argv) > 1 else "default", threads=1)
    found = examine(read_pairs(fixtures_folder() / "behaviour"), model.classify)
    print(f"{'kind':<11} {'topic':<20} {'passed':>7}")
    for (kind, topic), (passed, total) in sorted(found.topics.items()):
        print(f"{kind:<11} {topic:<20} {passed:>3} of {total}")
    print(f"\n{'failed':<24} {'right':<14} {'said':<14} {'p':>4}  text")
    for outcome in found.failures:
        for side, label, said, confidence, text in described(outcome):
            name = f"{outcome.pair.id} {side}"
            print(f"{name:<24} {label:<14} {said:<14} {confidence:4.2f}  {text}")
    print(
        f"\n{found.model}: {found.passed} of {len(found.outcomes)} pairs passed, {found.share:.1%}"
    )


if __name__ == "__main__":
    main()
