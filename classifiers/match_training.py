"""Training the matcher: texts with the profiles that they fit in, and those that they do not.

Contrastive: of all profiles of a batch a text's own must be nearest, and a cosine must say by
itself whether one fits. Profiles of other texts count as wrong unless they are of a like trade;
those that a person wrote down as wrong count as much as the right one. Imports torch: import this
module lazily.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from classifiers.augmentation import augment
from classifiers.calibration import Floats, Ints, softmax
from classifiers.dataset import Corpus, Item
from classifiers.encoder import BaseModel
from classifiers.finetuning import Progress, ProgressCallback, Recipe, autocast, steps_of
from classifiers.inference import Torch
from classifiers.labels import LABELS
from classifiers.match import (
    PREFIX,
    SHARPNESS,
    SHIFTED,
    Matcher,
    MatchRule,
    Telling,
    profile_windows,
    text_windows,
)
from classifiers.network import Batch, Network, reduced_tensors
from classifiers.profiles import Profiles
from classifiers.runtime import pooled
from classifiers.weights import base_weights, changed

RECIPE: Final = Recipe(epochs=3, batch=24, rate=8e-5)
LEAST: Final = 200
"""Texts whose businesses are known; from fewer nothing is learned that holds elsewhere."""
RANK: Final = 48
"""Directions that are kept of what training changed in each matrix."""
LEAST_HELD: Final = 50
"""Held-out items with a business, from which it is chosen what a match shifts."""
ALIKE: Final = 0.5
"""Cosine, by the untouched base, from which on two profiles may be of one trade."""

_RIGHT, _WRONG, _OTHER, _UNKNOWN = 1, -1, 0, 2
_SHARE: Final = 0.15  # of another text's profile, beside one that somebody wrote down
_SCALE: Final = 20.0  # of cosines, where profiles are ranked
_START: Final = (12.0, -4.0)  # scale and bias of the logit to begin with
_PEN: Final = 0.01


@dataclass(frozen=True, slots=True)
class Matching:
    """A trained matcher: its network, what makes a logit of its cosines, and which profiles tell
    what a business does.
    """

    network: Network
    scale: float
    bias: float
    telling: Telling = field(default_factory=Telling)

    def matcher(self, base: BaseModel, rule: MatchRule | None = None) -> Matcher:
        """Ready to compare; as long as no rule is chosen it shifts nothing."""
        rule = rule or MatchRule(self.scale, self.bias)
        return Matcher(Torch(self.network), base, rule, telling=self.telling)

    def tensors(self, base: BaseModel) -> dict[str, Tensor]:
        """What a model folder holds of it."""
        found = reduced_tensors(self.network, base.weights, RANK)
        return {f"{PREFIX}{name}": value for name, value in found.items()} | {
            name: torch.from_numpy(array) for name, array in self.telling.arrays().items()
        }


def known_profiles(items: Sequence[Item], further: Mapping[str, Profiles]) -> dict[str, Profiles]:
    """Of each item whose business is known: the right and the wrong profiles, its own among them.

    Whoever writes a lead or a support case means the business that got it, and a misdial another.
    """
    found = {}
    for item in items:
        also, own = further.get(item.id, Profiles()), item.example.business.strip()
        right = (own,) if own and item.label in ("lead", "support") else ()
        wrong = (own,) if own and item.label == "misdial" else ()
        profiles = Profiles((*right, *also.right), (*wrong, *also.wrong))
        if profiles.right or profiles.wrong:
            found[item.id] = profiles
    return found


def fit_matcher(
    corpus: Corpus,
    base: BaseModel,
    recipe: Recipe = RECIPE,
    progress: ProgressCallback | None = None,
) -> Matching | None:
    """Train on the train split; none where it knows too few businesses."""
    profiles = known_profiles(corpus.train, corpus.profiles)
    if len(profiles) < LEAST:
        return None
    torch.manual_seed(recipe.seed)
    run = _Run(corpus.train, profiles, base, recipe, progress)
    found = run.fit()
    names = [name for name in corpus.names if name.split == "train"]
    vectors = found.matcher(base).profile_vectors([*run.listed, *(name.text for name in names)])
    tells = np.array([*(True for _ in run.listed), *(name.tells for name in names)])
    return replace(found, telling=fit_telling(vectors, tells))


class _Run:
    """The state of one training."""

    def __init__(
        self,
        items: Sequence[Item],
        profiles: Mapping[str, Profiles],
        base: BaseModel,
        recipe: Recipe,
        progress: ProgressCallback | None,
    ) -> None:
        self.items = [item for item in items if item.id in profiles]
        self.known = [profiles[item.id] for item in self.items]
        self.base, self.recipe, self.progress = base, recipe, progress
        self.rng = Random(recipe.seed)  # noqa: S311 - chance for training, not for secrets
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = Network(1, recipe.dropout)
        self.network.load_base(base.weights)
        self.network.to(self.device)
        for part in (self.network.words, self.network.positions, self.network.head):
            part.requires_grad_(False)
        self.logit = nn.Parameter(torch.tensor(_START, device=self.device))
        every = sorted({p for each in self.known for p in (*each.right, *each.wrong)})
        self.listed = {profile: row for row, profile in enumerate(every)}
        self.windows = [text[0] for text in profile_windows(base, every)]
        self.network.eval()
        self.untouched = _unit(pooled(Torch(self.network), [[w] for w in self.windows], 16))

    def fit(self) -> Matching:
        """All epochs."""
        steps = -(-len(self.items) // self.recipe.batch)
        further = [{"params": [self.logit], "lr": 2e-2, "weight_decay": 0.0}]
        optimizer, schedule = steps_of(self.network, self.recipe, steps, further)
        started = time.monotonic()
        for epoch in range(1, self.recipe.epochs + 1):
            self.network.train()
            total = 0.0
            for step, (chosen, texts) in enumerate(self._batches(), 1):
                loss = self._loss(chosen, texts)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                total += loss.item()
                if self.progress:
                    self.progress(Progress(
                        epoch, self.recipe.epochs, step, steps, total / step,
                        time.monotonic() - started, part="matcher",
                    ))  # fmt: skip
        self.network.eval()
        self._reduce()
        scale, bias = self.logit.tolist()
        return Matching(self.network, scale, bias)

    def _reduce(self) -> None:
        """Keep of the network what a model folder will: all that follows is fitted to that."""
        kept = reduced_tensors(self.network, self.base.weights, RANK)
        kept |= {f"head.{name}": each for name, each in self.network.head.state_dict().items()}
        arrays = {name: each.cpu().numpy() for name, each in kept.items()}
        whole = changed(base_weights(self.base.weights), arrays, 1)
        self.network.load_state_dict({name: torch.from_numpy(each) for name, each in whole.items()})

    def _batches(self) -> list[tuple[list[int], list[list[Sequence[int]]]]]:
        """Texts of like length together, each as some of its windows, with noise."""
        noisy = [augment(item.example, self.rng) for item in self.items]
        texts: list[list[Sequence[int]]] = []
        for windows in text_windows(self.base, noisy):
            most = self.recipe.windows
            kept = range(len(windows))
            drawn = kept if len(windows) <= most else sorted(self.rng.sample(kept, most))
            texts.append([windows[index] for index in drawn])
        order = list(range(len(texts)))
        self.rng.shuffle(order)
        size = self.recipe.batch
        batches = []
        for start in range(0, len(order), size * 8):
            pool = sorted(order[start : start + size * 8], key=lambda i: sum(map(len, texts[i])))
            batches += [pool[at : at + size] for at in range(0, len(pool), size)]
        self.rng.shuffle(batches)
        return [(chosen, [texts[index] for index in chosen]) for chosen in batches]

    def _loss(self, chosen: Sequence[int], texts: Sequence[Sequence[Sequence[int]]]) -> Tensor:
        """Of one batch: ranking and telling apart."""
        shown = sorted(
            {
                self.rng.choice(group)
                for index in chosen
                for group in (self.known[index].right, self.known[index].wrong)
                if group
            }
        )
        relation = torch.from_numpy(self._relations(chosen, shown)).to(self.device)
        windows = Batch.of([[window] for text in texts for window in text]).to(self.device)
        profiles = Batch.of([[self.windows[self.listed[p]]] for p in shown]).to(self.device)
        with autocast(self.device):
            read, against = self.network.pool(windows), self.network.pool(profiles)
        cosines = normalize(read.float(), dim=1) @ normalize(against.float(), dim=1).T
        near = torch.stack(
            [
                (torch.softmax(part / SHARPNESS, 0) * part).sum(0)
                for part in torch.split(cosines, [len(text) for text in texts])
            ]
        )
        right = relation == _RIGHT
        ranked = (_SCALE * near).masked_fill(relation == _UNKNOWN, -1e4).log_softmax(1)
        has = right.any(1)
        rank = -ranked.masked_fill(~right, -1e4).logsumexp(1)[has].sum() / has.sum().clamp_min(1)
        weights = torch.where(relation == _OTHER, _SHARE, 1.0) * (relation != _UNKNOWN)
        logits = self.logit[0] * near + self.logit[1]
        apart = binary_cross_entropy_with_logits(logits, right.float(), reduction="none")
        loss: Tensor = rank + (apart * weights).sum() / weights.sum()
        return loss

    def _relations(self, chosen: Sequence[int], shown: Sequence[str]) -> Ints:
        """What each of the `shown` profiles is to each text, (texts, profiles)."""
        columns = {profile: column for column, profile in enumerate(shown)}
        vectors = self.untouched[[self.listed[profile] for profile in shown]]
        result = np.full((len(chosen), len(shown)), _OTHER, dtype=np.int64)
        for row, index in enumerate(chosen):
            known = self.known[index]
            if known.right:
                own = self.untouched[[self.listed[profile] for profile in known.right]]
                result[row, (vectors @ own.T).max(axis=1) > ALIKE] = _UNKNOWN
            else:  # a misdial whose right business nobody named: any other may be it
                result[row] = _UNKNOWN
            for kind, group in ((_WRONG, known.wrong), (_RIGHT, known.right)):
                for profile in group:
                    if profile in columns:
                        result[row, columns[profile]] = kind
        return result


def twins(items: Sequence[Item], further: Mapping[str, Profiles]) -> list[Item]:
    """The leads and support cases, with other businesses: of a wrong one they are misdials."""
    found = []
    for item in items:
        if item.label not in ("lead", "support"):
            continue
        also = further.get(item.id, Profiles())
        wrong = replace(item, label="misdial")
        for each, profiles in ((item, also.right), (wrong, also.wrong)):
            found += [
                replace(each, example=replace(item.example, business=profile))
                for profile in profiles
            ]
    return found


def _unit(vectors: Floats) -> Floats:
    result: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return result


def fit_rule(matching: Matching, said: Floats, logits: Floats, truth: Ints) -> MatchRule:
    """The shifts with the least log-loss on held-out items as they came (and a small pen for size).

    `said` (items, labels): what the model says without the matcher; `logits` (items,) of the match.
    Exchanged businesses (`twins`) are left out: they would teach that misdials are common
    (docs/experiments.md has the figures).
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - heavy

    columns = [LABELS.index(label) for label in SHIFTED]
    log = np.log(np.maximum(said, 1e-12))
    rows = np.arange(len(truth))

    def loss(values: Floats) -> tuple[float, Floats]:
        slopes, offsets = values[:3], values[3:]
        moved = log.copy()
        moved[:, columns] += logits[:, None] * slopes + offsets
        p = softmax(moved)
        missed = -np.log(np.maximum(p[rows, truth], 1e-12))
        back = p[:, columns] - (truth[:, None] == np.array(columns))
        gradient = np.concatenate([(back * logits[:, None]).sum(0), back.sum(0)])
        return float(missed.sum() + _PEN * (values**2).sum()), gradient + 2 * _PEN * values

    # Nearer is never less of a lead, nor more of a misdial.
    bounds = [(0.0, None), (0.0, None), (None, 0.0), *[(None, None)] * 3]
    found = minimize(loss, np.zeros(6), jac=True, method="L-BFGS-B", bounds=bounds).x
    shifts = {
        label: (round(float(slope), 4), round(float(offset), 4))
        for label, slope, offset in zip(SHIFTED, found[:3], found[3:], strict=True)
    }
    return MatchRule(matching.scale, matching.bias, shifts)


def fit_telling(vectors: Floats, tells: NDArray[np.bool_]) -> Telling:
    """Which profile vectors (profiles, hidden) tell a trade; every one where no other is known."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy

    if tells.all():
        return Telling()
    fitted = LogisticRegression(C=10.0, class_weight="balanced", max_iter=3000)
    fitted.fit(vectors, tells)
    return Telling(fitted.coef_[0], float(fitted.intercept_[0]))
