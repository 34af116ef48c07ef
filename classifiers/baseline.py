"""The floor to beat: TF-IDF and logistic regression, trained on the fly, with the same call.

Imports scikit-learn: import this module lazily.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from classifiers.calibration import AbstainRule
from classifiers.errors import TrainingError
from classifiers.labels import LABELS, Label
from classifiers.model import verdicts
from classifiers.text import render
from classifiers.verdict import Example, Verdict

NAME_VERSION = "tfidf-logreg@1"


class Baseline:
    """A fitted baseline; make one with `fit`. It never abstains."""

    name_version = NAME_VERSION

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @classmethod
    def fit(cls, examples: Sequence[Example], labels: Sequence[Label]) -> Baseline:
        """Train on words, word pairs and pieces of words; classes weigh the same."""
        if len(set(labels)) < 2:
            raise TrainingError("the baseline needs examples of two labels or more")
        pipeline = make_pipeline(
            make_union(
                TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
                TfidfVectorizer(
                    analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=3
                ),
            ),
            LogisticRegression(C=10.0, class_weight="balanced", max_iter=2000),
        )
        pipeline.fit([_joined(example) for example in examples], list(labels))
        return cls(pipeline)

    def classify(self, examples: Sequence[Example]) -> list[Verdict]:
        """One verdict an example, in their order; labels never seen in training get 0."""
        if not examples:
            return []
        found: Any = self._pipeline.predict_proba([_joined(example) for example in examples])
        probabilities = np.zeros((len(examples), len(LABELS)))
        for column, label in enumerate(self._pipeline.classes_):
            probabilities[:, LABELS.index(label)] = found[:, column]
        return verdicts(probabilities, AbstainRule(), self.name_version)


def _joined(example: Example) -> str:
    return " ".join(render(example))
