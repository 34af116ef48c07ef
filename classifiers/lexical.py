"""What single words and word pairs say about the label, learned from the corpus alone.

The transformer brings what it knows of language; this linear part brings the turns of phrase that
mark an inquiry ("your CV", "unsubscribe", "wrong number") and that a mean over hundreds of tokens
washes out. Together they err far less than either (see docs/model-card.md). A text made of unknown
words gets small logits, so that there the transformer decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Floats, Ints
from classifiers.errors import ArtifactError, TrainingError
from classifiers.labels import LABELS

# More than any token id, so that a pair's key is never a single token's, and fits in 32 bits.
_BASE: Final = 1 << 15
_PREFIX: Final = "lexical."
# The logit of a label that training had no item of.
NEVER_SEEN: Final = -10.0


@dataclass(frozen=True, slots=True, eq=False)
class Lexical:
    """A linear model over word pieces and pairs of them, weighted by TF-IDF.

    `keys` (features,) sorted; `idf` (features,); `weights` (features, labels); `bias` (labels,);
    `unknown_idf` is what a feature outside `keys` weighs in the length of a text.
    """

    keys: NDArray[np.int64]
    idf: NDArray[np.float32]
    weights: NDArray[np.float16]
    bias: NDArray[np.float32]
    unknown_idf: float

    @classmethod
    def fit(cls, texts: Sequence[Sequence[int]], truth: Ints, *, strength: float = 30.0) -> Lexical:
        """Learn from token ids and labels (indices into `LABELS`); classes weigh the same.

        Features of a single text are left out. `strength`: the inverse of the regularisation.
        """
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy

        held = Counter(key for text in texts for key in np.unique(_grams(text)).tolist())
        keys = np.array(sorted(key for key, count in held.items() if count > 1), dtype=np.int64)
        if not len(keys) or len(set(truth.tolist())) < 2:
            raise TrainingError(
                f"{len(texts)} texts of {len(set(truth.tolist()))} labels have nothing to learn "
                "from: give more items, of two labels or more"
            )
        count = np.array([held[key] for key in keys.tolist()])
        untrained = cls(
            keys=keys,
            idf=(np.log((1 + len(texts)) / (1 + count)) + 1).astype(np.float32),
            weights=np.zeros((len(keys), len(LABELS)), np.float16),
            bias=np.full(len(LABELS), NEVER_SEEN, np.float32),
            unknown_idf=float(np.log((1 + len(texts)) / 2) + 1),
        )
        model: Any = LogisticRegression(C=strength, class_weight="balanced", max_iter=3000)
        model.fit(untrained._matrix(texts), truth)
        weights, bias = untrained.weights.copy(), untrained.bias.copy()
        slopes, offsets = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # scikit-learn keeps one row, for the second
            slopes, offsets = np.vstack([-slopes, slopes]), np.concatenate([-offsets, offsets])
        weights[:, model.classes_], bias[model.classes_] = slopes.T, offsets
        return replace(untrained, weights=weights, bias=bias)

    def logits(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Label logits from token ids, (texts, labels)."""
        rows = [
            values @ self.weights[columns].astype(np.float64) + self.bias
            for columns, values in self._features(texts)
        ]
        return np.array(rows, dtype=np.float64).reshape(len(texts), len(LABELS))

    def shares(self, text: Sequence[int]) -> Floats:
        """What each token adds to the label logits, (tokens, labels): exact, as it is linear.

        With the bias they sum to `logits`. A pair's part is shared evenly by its two tokens.
        """
        grams, places, counts = np.unique(_grams(text), return_inverse=True, return_counts=True)
        [(columns, values)] = self._features([text])
        each = np.zeros((len(grams), len(LABELS)))
        each[np.isin(grams, self.keys)] = values[:, None] * self.weights[columns].astype(np.float64)
        each = (each / counts[:, None])[places]
        single, pairs = each[: len(text)], each[len(text) :] / 2
        single[:-1] += pairs
        single[1:] += pairs
        return single

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What an artifact holds of it, by name."""
        named: dict[str, NDArray[Any]] = {
            "keys": self.keys.astype(np.uint32),
            "idf": self.idf,
            "weights": self.weights,
            "bias": self.bias,
        }
        named["unknown_idf"] = np.array([self.unknown_idf])
        return {f"{_PREFIX}{name}": value for name, value in named.items()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Lexical:
        """The model that `arrays` describe; others' arrays among them are ignored."""
        try:
            keys, idf, weights, bias, unknown = (
                arrays[f"{_PREFIX}{name}"]
                for name in ("keys", "idf", "weights", "bias", "unknown_idf")
            )
        except KeyError as error:
            raise ArtifactError(f"its tensor {error} is missing; train it again") from error
        if weights.shape != (len(keys), len(LABELS)) or len(idf) != len(keys):
            raise ArtifactError("its lexical tensors do not fit together; train it again")
        if keys.dtype != np.uint32:
            raise ArtifactError("its lexical keys are of an older kind; train it again")
        return cls(keys.astype(np.int64), idf, weights, bias, float(unknown[0]))

    def _matrix(self, texts: Sequence[Sequence[int]]) -> Any:
        """The features of all texts as a sparse matrix, (texts, features)."""
        from scipy.sparse import csr_matrix  # noqa: PLC0415 - heavy

        rows = list(self._features(texts))
        columns = np.concatenate([columns for columns, _ in rows])
        values = np.concatenate([values for _, values in rows])
        ends = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        return csr_matrix((values, columns, ends), shape=(len(texts), len(self.keys)))

    def _features(
        self, texts: Sequence[Sequence[int]]
    ) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """Of each text the columns of its known features, and their weights."""
        for text in texts:
            grams, counts = np.unique(_grams(text), return_counts=True)
            place = np.minimum(np.searchsorted(self.keys, grams), len(self.keys) - 1)
            known = self.keys[place] == grams
            values = (1 + np.log(counts)) * np.where(known, self.idf[place], self.unknown_idf)
            length = np.sqrt((values**2).sum()) or 1.0
            yield place[known], values[known] / length


def is_lexical(name: str) -> bool:
    """Whether a tensor of this name belongs to `Lexical.arrays`."""
    return name.startswith(_PREFIX)


def _grams(text: Sequence[int]) -> NDArray[np.int64]:
    tokens = np.array(text, dtype=np.int64)
    return np.concatenate([tokens, (tokens[:-1] + 1) * _BASE + tokens[1:]])
