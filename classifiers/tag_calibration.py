"""What the tagger's scores are worth: scales and temperatures from leads by unseen writers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classifiers.calibration import fit_temperature
from classifiers.tag_marks import CLASSES, SPANS, Marked, SpanName
from classifiers.tag_model import Stretch, Tagged


def calibrate(
    checked: Sequence[tuple[Marked, Tagged]],
) -> tuple[dict[str, tuple[float, float]], dict[str, float], dict[str, float]]:
    """Platt scales, temperatures and figures from leads that the network had not seen.

    A stretch counts as right where it shares at least half of its words with the marked one.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy

    scales: dict[str, tuple[float, float]] = {}
    temperatures: dict[str, float] = {}
    found: dict[str, float] = {}
    for name in SPANS:
        best = [(lead, said.spans[name][0]) for lead, said in checked if said.spans[name]]
        right = np.array([_right(lead, name, stretch) for lead, stretch in best])
        scores = np.array([min(max(s.probability, 1e-6), 1 - 1e-6) for _, s in best])
        found[name] = round(float(right.mean()), 4) if len(right) else 0.0
        if 0 < right.sum() < len(right):
            inner = np.log(scores / (1 - scores))[:, None]
            model = LogisticRegression(C=10.0).fit(inner, right)
            scales[name] = (float(model.coef_[0, 0]), float(model.intercept_[0]))
    for choice, values in CLASSES.items():
        shares = [[said.choices[choice].probabilities[v] for v in values] for _, said in checked]
        logits = np.log(np.maximum(shares, 1e-9))
        truth = np.array([values.index(lead.classes[choice]) for lead, _ in checked])
        temperatures[choice] = fit_temperature(logits, truth)
        found[choice] = round(float((logits.argmax(axis=1) == truth).mean()), 4)
    return scales, temperatures, found


def _right(lead: Marked, name: SpanName, stretch: Stretch) -> bool:
    if name not in lead.spans:
        return False
    marked = set(lead.text[slice(*lead.spans[name])].lower().split())
    ours = set(lead.text[stretch.start : stretch.end].lower().split())
    return len(ours & marked) * 2 >= len(ours | marked)
