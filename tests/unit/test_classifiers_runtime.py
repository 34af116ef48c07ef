"""Every runtime computes the same network, whatever is read together."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifiers import weights
from classifiers.errors import ArtifactError, EngineError
from classifiers.runtime import Runtime, build, pooled

LABELS = 3


@pytest.fixture(scope="module")
def arrays() -> dict[str, weights.Array]:
    """A network of the real size, with weights by chance."""
    chance = np.random.default_rng(5)

    def real(*shape: int) -> weights.Array:
        return chance.normal(0, 0.1, shape).astype(np.float32)

    found = {"words.weight": real(30_522, 384), "positions.weight": real(512, 384)}
    norms = ["norm"]
    for layer in (f"encoder.layers.{index}" for index in range(weights.LAYERS)):
        norms += [f"{layer}.norm1", f"{layer}.norm2"]
        found[f"{layer}.self_attn.in_proj_weight"] = real(3 * 384, 384)
        found[f"{layer}.self_attn.in_proj_bias"] = real(3 * 384)
        for name, out, into in (
            ("self_attn.out_proj", 384, 384), ("linear1", 1536, 384), ("linear2", 384, 1536)
        ):  # fmt: skip
            found[f"{layer}.{name}.weight"] = real(out, into)
            found[f"{layer}.{name}.bias"] = real(out)
    for norm in norms:
        found[f"{norm}.weight"], found[f"{norm}.bias"] = 1 + real(384), real(384)
    return found | {"head.weight": real(LABELS, 384), "head.bias": real(LABELS)}


@pytest.fixture(scope="module")
def reference(arrays: dict[str, weights.Array]) -> Runtime:
    return build("torch", arrays, 1)


@pytest.fixture(scope="module")
def fast(arrays: dict[str, weights.Array]) -> Runtime:
    pytest.importorskip("openvino")
    return build("auto", arrays, 1)


def texts(*, seed: int = 6) -> list[list[list[int]]]:
    chance = np.random.default_rng(seed)
    lengths = [[7], [31, 12], [3], [64], [9]]
    return [[chance.integers(1000, 30_000, n).tolist() for n in text] for text in lengths]


def assert_same(runtime: Runtime, found: np.ndarray, expected: np.ndarray) -> None:
    """The same but for rounding: bfloat16 keeps eight bits, and processors add them up in other
    orders, so that single elements differ by more than any bound that would notice a fault.
    """
    away = np.abs(found - expected)
    if runtime.name.endswith("float32"):
        assert away.max() < 1e-4
    else:
        assert np.sqrt((away**2).mean()) < 0.02 * expected.std()
        assert away.max() < 0.15 * expected.std()


def test_the_fast_runtime_computes_what_the_reference_does(
    reference: Runtime, fast: Runtime
) -> None:
    assert fast.name.startswith("openvino")
    given = texts()
    expected = pooled(reference, given, 16)
    assert expected.std() > 0.1
    assert_same(fast, pooled(fast, given, 16), expected)
    assert not np.allclose(pooled(reference, texts(seed=7), 16), expected, atol=0.5)


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_company_changes_nothing(fast: Runtime, batch: int) -> None:
    given = texts()
    alone = np.vstack([pooled(fast, [text], 1) for text in given])
    assert_same(fast, pooled(fast, given, batch), alone)


def test_mean_is_over_the_tokens_of_all_windows(reference: Runtime) -> None:
    _, (long, short), *_ = texts()
    parts = [pooled(reference, [[part]], 1)[0] for part in (long, short)]
    together = pooled(reference, [[long, short]], 1)[0]
    assert together == pytest.approx((31 * parts[0] + 12 * parts[1]) / 43, abs=1e-4)


def test_torch_can_be_forced(reference: Runtime) -> None:
    assert reference.name == "torch float32"


def test_without_openvino_torch_computes(
    arrays: dict[str, weights.Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "classifiers.graph", raising=False)
    monkeypatch.setattr("classifiers.runtime.find_spec", lambda _: object())
    assert build("auto", arrays, 1).name == "torch float32"
    with pytest.raises(EngineError, match="install the package openvino"):
        build("openvino", arrays, 1)


def test_classifying_with_openvino_imports_no_torch() -> None:
    pytest.importorskip("openvino")
    code = (
        "import sys\n"
        "from classifiers.model import Classifier\n"
        "from classifiers.verdict import Example\n"
        "model = Classifier.load(runtime='openvino', threads=1)\n"
        "assert model.runtime.startswith('openvino')\n"
        "model.classify([Example('email', 'We want a quote for two vans.')])\n"
        "assert not {'torch', 'transformers', 'sklearn'} & set(sys.modules)\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def changes() -> dict[str, Any]:
    return {
        "a.weight.delta": np.array([[10, -20], [0, 127]], np.int8),
        "a.weight.scale": np.array([[0.1], [0.01]], np.float32),
        "b.weight.up": np.array([[1.0], [2.0]], np.float16),
        "b.weight.down": np.array([[0.5, -0.5]], np.float16),
        "head.weight": np.ones((LABELS, 2), np.float32),
        "head.bias": np.zeros(LABELS, np.float32),
    }


BASE = {
    "a.weight": np.ones((2, 2), np.float32),
    "b.weight": np.zeros((2, 2), np.float32),
    "norm.bias": np.zeros(2, np.float32),
}


def test_changes_are_added_to_the_base() -> None:
    found = weights.changed(BASE, changes(), LABELS)
    assert found["a.weight"] == pytest.approx(np.array([[2.0, -1.0], [1.0, 2.27]]))
    assert found["b.weight"] == pytest.approx(np.array([[0.5, -0.5], [1.0, -1.0]]))
    assert found["norm.bias"] is BASE["norm.bias"]
    assert BASE["a.weight"][0, 0] == 1


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("a.weight", np.ones((3, 2), np.float32), r"'a\.weight' does not fit"),
        ("c.weight", np.ones((2, 2), np.float32), r"'c\.weight' does not fit"),
        ("head.bias", np.ones(7, np.float32), r"'head\.bias' does not fit"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: Any, why: str) -> None:
    with pytest.raises(ArtifactError, match=why):
        weights.changed(BASE, changes() | {name: value}, LABELS)


def test_a_model_without_a_head_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"'head\.bias' is missing"):
        weights.changed(BASE, {k: v for k, v in changes().items() if k != "head.bias"}, LABELS)
