"""The shipped classifier beside the transformers pipeline with the same weights, in one run.

    python benchmarks/classify.py [ITEMS]      default: 120 items of the dev split

One thread; seconds are CPU seconds, so that a busy machine changes little. The lengths are the
corpus's own. The pipeline gets one text at a time and reads its first 512 tokens; the classifier
reads all of a text, in windows, and has its lexical part settle what is plain (`shortcut`): it is
shown with and without. The pipeline does the same job, with torch for the matcher; what its network
alone takes stands below. Flips are labels other than where the network reads everything in float32.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from classifiers import artifact, weights
from classifiers.baseline import Baseline
from classifiers.calibration import Floats
from classifiers.dataset import labels_of, read_corpus
from classifiers.encoder import BaseModel
from classifiers.labels import LABELS
from classifiers.lexical import is_lexical
from classifiers.match import is_match
from classifiers.model import Classifier
from classifiers.runtime import Kind
from classifiers.shortcut import Shortcut
from classifiers.text import render
from classifiers.verdict import Example
from triage.demo.fixtures import corpus_folder

KINDS: Final[tuple[Kind, ...]] = ("torch", "auto")
Labelling = Callable[[Sequence[Example]], Sequence[str]]

_RESIDENT = """
import sys
from classifiers.dataset import read_corpus
from classifiers.model import Classifier
from triage.demo.fixtures import corpus_folder
items = read_corpus(corpus_folder()).dev[: int(sys.argv[1])]
model = Classifier.load(threads=1, runtime=sys.argv[2])
for start in range(0, len(items), 64):
    model.classify([item.example for item in items[start : start + 64]])
from pathlib import Path
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 120
    corpus = read_corpus(corpus_folder())
    items = corpus.dev[:wanted]
    examples, truth = [item.example for item in items], labels_of(items)
    floor = Baseline.fit([item.example for item in corpus.train], labels_of(corpus.train))
    pipeline = Pipeline()
    rows: list[tuple[str, Labelling]] = [
        ("transformers pipeline, batch 1", pipeline.labels),
        ("transformers pipeline, without the matcher", pipeline.alone),
    ]
    for shortcut in (False, True):
        for kind in KINDS:
            model = _classifier(kind, shortcut=shortcut)
            name = f"{model.runtime}{', shortcut' if shortcut else ''}"
            rows.append((f"{name}, one at a time", _single(model)))
            rows.append((f"{name}, all at once", _together(model)))
    rows.append(
        (
            "TF-IDF + logistic regression",
            lambda texts: [verdict.label for verdict in floor.classify(texts)],
        )
    )
    timed = [(name, *_timed(label, examples)) for name, label in rows]
    slowest, reference = timed[0][1], timed[3][2]
    print(f"{'method':<46}{'items/s':>8}{'ratio':>7}{'flips':>7}{'accuracy':>10}")
    for name, seconds, said in timed:
        _show(name, seconds, slowest, said, reference, truth)
    print(f"\n{'a process that only classifies':<46}{'MB at most':>11}")
    for kind in KINDS:
        runtime = _classifier(kind, shortcut=True).runtime
        print(f"{runtime:<46}{_resident_mb(len(items), kind):11.0f}")


class Pipeline:
    """The classifier's network as a transformers text-classification pipeline.

    The class is BERT's, with the mean pooling that this network was trained with.
    """

    def __init__(self) -> None:
        import torch  # noqa: PLC0415 - heavy
        import transformers  # noqa: PLC0415 - heavy
        from safetensors.numpy import load_file  # noqa: PLC0415 - heavy

        torch.set_num_threads(1)
        # The pipeline does not know the class below, says so as an error, and works.
        transformers.logging.set_verbosity(logging.CRITICAL)
        self.manifest, file = artifact.read("default")
        self.ours = _classifier("torch", shortcut=False)
        base = BaseModel()
        tensors = {
            name: value
            for name, value in load_file(file).items()
            if not (is_lexical(name) or is_match(name))
        }
        network = weights.changed(weights.base_weights(base.weights), tensors, len(LABELS))
        config = transformers.BertConfig(
            vocab_size=30_522, hidden_size=384, num_hidden_layers=weights.LAYERS,
            num_attention_heads=12, intermediate_size=1536, num_labels=len(LABELS),
        )  # fmt: skip
        model = _mean_pooled()(config).eval()
        state = {name: torch.from_numpy(value) for name, value in _bert_names(network).items()}
        missing = model.load_state_dict(state, strict=False)
        assert not missing.unexpected_keys, missing
        assert all("token_type" in name for name in missing.missing_keys), missing
        # The type's vector is part of the positions here.
        model.bert.embeddings.token_type_embeddings.weight.data.zero_()
        marks = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "CLS", "SEP", "UNK")}
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_file=str(base.folder / "tokenizer.json"), model_max_length=512, **marks
        )
        self._pipeline = transformers.TextClassificationPipeline(
            model=model, tokenizer=tokenizer, top_k=None, function_to_apply="none"
        )

    def labels(self, examples: Sequence[Example]) -> list[str]:
        """Blended and matched as shipped."""
        found = self.manifest.blend.probabilities(*self._read(examples))
        return [LABELS[row.argmax()] for row in self.ours._matched(found, examples)]

    def alone(self, examples: Sequence[Example]) -> list[str]:
        """Blended as shipped, and not matched."""
        found = self.manifest.blend.probabilities(*self._read(examples))
        return [LABELS[row.argmax()] for row in found]

    def _read(self, examples: Sequence[Example]) -> tuple[Floats, Floats]:
        inputs = [render(example) for example in examples]
        pairs: Any = [{"text": header, "text_pair": body} for header, body in inputs]
        with warnings.catch_warnings(action="ignore"):
            found = self._pipeline(pairs, batch_size=1, truncation=True, max_length=512)
        scores = [{entry["label"]: entry["score"] for entry in row} for row in found]
        network = [[row[f"LABEL_{index}"] for index in range(len(LABELS))] for row in scores]
        lexical = self.ours._lexical.logits(self.ours._base.tokens(inputs))
        return np.array(network, dtype=np.float64), lexical


def _mean_pooled() -> Any:
    import transformers  # noqa: PLC0415 - heavy
    from torch import nn  # noqa: PLC0415 - heavy
    from transformers.modeling_outputs import SequenceClassifierOutput  # noqa: PLC0415

    class MeanPooled(transformers.BertPreTrainedModel):  # type: ignore[misc]
        config_class = transformers.BertConfig

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.bert = transformers.BertModel(config, add_pooling_layer=False)
            self.classifier = nn.Linear(config.hidden_size, config.num_labels)
            self.post_init()

        def forward(self, input_ids: Any, attention_mask: Any, **rest: Any) -> Any:
            read = self.bert(input_ids, attention_mask=attention_mask, **rest)[0]
            counted = attention_mask[:, :, None].float()
            return SequenceClassifierOutput(
                logits=self.classifier((read * counted).sum(1) / counted.sum(1))
            )

    return MeanPooled


def _bert_names(network: dict[str, weights.Array]) -> dict[str, weights.Array]:
    """The network's weights under the names of transformers' BERT."""
    named = {
        "bert.embeddings.word_embeddings.weight": network["words.weight"],
        "bert.embeddings.position_embeddings.weight": network["positions.weight"],
    }
    for kind in ("weight", "bias"):
        named[f"bert.embeddings.LayerNorm.{kind}"] = network[f"norm.{kind}"]
        named[f"classifier.{kind}"] = network[f"head.{kind}"]
        for index in range(weights.LAYERS):
            ours, theirs = f"encoder.layers.{index}", f"bert.encoder.layer.{index}"
            joint = np.split(network[f"{ours}.self_attn.in_proj_{kind}"], 3)
            for part, value in zip(("query", "key", "value"), joint, strict=True):
                named[f"{theirs}.attention.self.{part}.{kind}"] = value
            for mine, other in weights.NAMES.items():
                named[f"{theirs}.{other}.{kind}"] = network[f"{ours}.{mine}.{kind}"]
    return named


def _classifier(kind: Kind, *, shortcut: bool) -> Classifier:
    """The shipped model, or with the network reading everything."""
    model = Classifier.load("default", threads=1, runtime=kind)
    if not shortcut:
        model.manifest = replace(model.manifest, shortcut=Shortcut())
    return model


def _single(model: Classifier) -> Labelling:
    return lambda texts: [model.classify([text])[0].label for text in texts]


def _together(model: Classifier) -> Labelling:
    return lambda texts: [verdict.label for verdict in model.classify(texts)]


def _timed(label: Labelling, examples: Sequence[Example]) -> tuple[float, Sequence[str]]:
    label(examples[:3])  # the first call pays for what is loaded late
    before = time.process_time()
    said = label(examples)
    return time.process_time() - before, said


def _show(
    name: str,
    seconds: float,
    slowest: float,
    said: Sequence[str],
    reference: Sequence[str],
    truth: Sequence[str],
) -> None:
    flips = sum(a != b for a, b in zip(said, reference, strict=True))
    right = sum(a == b for a, b in zip(said, truth, strict=True)) / len(truth)
    print(f"{name:<46}{len(said) / seconds:8.1f}{slowest / seconds:7.2f}{flips:7}{right:10.3f}")


def _resident_mb(items: int, kind: Kind) -> float:
    """The most memory that a fresh process holds which classifies `items`, in MB."""
    command = [sys.executable, "-c", _RESIDENT, str(items), kind]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    return int(done.stdout) / 1000


if __name__ == "__main__":
    main()
