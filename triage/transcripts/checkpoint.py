"""CTranslate2's `model.bin` → the arrays of openai-whisper's own checkpoint.

The file is a list of named arrays: version, specification and revision, then for each array its
name, shape, type and data (ctranslate2/specs/model_spec.py, `_serialize`). Query, key and value
rows are fused there; int8 rows have a scale each.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from triage.errors import Configuration

Array = NDArray[Any]

_TYPES: Final = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_SUBLAYERS: Final = {
    # CTranslate2's name → (openai's attention, its norm, index of the output layer)
    "self_attention": ("attn", "attn_ln", 1),
    "attention": ("cross_attn", "cross_attn_ln", 2),
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """float32 arrays by openai-whisper's names, with its `ModelDimensions`.

    `alignment_heads` are the attention heads, as (layer, head), that place words in time.
    """

    arrays: dict[str, NDArray[np.float32]]
    dimensions: dict[str, int]
    alignment_heads: tuple[tuple[int, int], ...]


def read(folder: Path) -> Checkpoint:
    """Read and rename the weights in `folder`; `Configuration` where they are not Whisper's."""
    try:
        stored = _stored((folder / "model.bin").read_bytes())
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        arrays = {
            name: np.ascontiguousarray(array, dtype=np.float32)
            for side in ("encoder", "decoder")
            for name, array in _side(stored, side).items()
        }
        return Checkpoint(
            arrays,
            _dimensions(stored, arrays),
            tuple((int(layer), int(head)) for layer, head in config["alignment_heads"]),
        )
    except (KeyError, ValueError, struct.error, OSError) as error:
        raise Configuration(
            f"{folder} holds no Whisper model that openai-whisper can load: {error!r}"
        ) from error


class _Cursor:
    """Reads little-endian values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def number(self, code: str) -> int:
        (value,) = struct.unpack_from(f"<{code}", self.data, self.at)
        self.at += struct.calcsize(code)
        return int(value)

    def string(self) -> str:
        length = self.number("H")
        self.at += length
        return self.data[self.at - length : self.at - 1].decode()

    def array(self) -> Array:
        shape = [self.number("I") for _ in range(self.number("B"))]
        kind = _TYPES[self.number("B")]
        length = self.number("I")
        flat = np.frombuffer(self.data, kind, length // np.dtype(kind).itemsize, self.at)
        self.at += length
        return flat.reshape(shape)


def _stored(data: bytes) -> dict[str, Array]:
    """The arrays by CTranslate2's names, int8 rows multiplied out."""
    cursor = _Cursor(data)
    cursor.number("I")
    if (specification := cursor.string()) != "WhisperSpec":
        raise ValueError(f"a {specification}, not a WhisperSpec")
    cursor.number("I")
    stored = {cursor.string(): cursor.array() for _ in range(cursor.number("I"))}
    for name, scale in list(stored.items()):
        if name.endswith("/weight_scale"):
            weight = name.removesuffix("_scale")
            rows = stored[weight].astype(np.float32)
            stored[weight] = rows / scale.reshape(-1, *[1] * (rows.ndim - 1))
    return stored


def _side(stored: dict[str, Array], side: str) -> dict[str, Array]:
    """Everything of the encoder or the decoder."""
    named = {f"{side}.positional_embedding": stored[f"{side}/position_encodings/encodings"]}
    if side == "encoder":
        for conv in ("conv1", "conv2"):
            named[f"encoder.{conv}.weight"] = stored[f"encoder/{conv}/weight"]
            named[f"encoder.{conv}.bias"] = stored[f"encoder/{conv}/bias"]
        named |= _norm(stored, "encoder/layer_norm", "encoder.ln_post")
    else:
        named["decoder.token_embedding.weight"] = stored["decoder/embeddings/weight"]
        named |= _norm(stored, "decoder/layer_norm", "decoder.ln")
    for index in range(_layers(stored, side)):
        source, target = f"{side}/layer_{index}", f"{side}.blocks.{index}"
        for sublayer, (attention, norm, output) in _SUBLAYERS.items():
            if f"{source}/{sublayer}/linear_0/weight" in stored:
                named |= _attention(stored, f"{source}/{sublayer}", f"{target}.{attention}", output)
                named |= _norm(stored, f"{source}/{sublayer}/layer_norm", f"{target}.{norm}")
        named |= _norm(stored, f"{source}/ffn/layer_norm", f"{target}.mlp_ln")
        named |= _linear(stored, f"{source}/ffn/linear_0", f"{target}.mlp.0")
        named |= _linear(stored, f"{source}/ffn/linear_1", f"{target}.mlp.2")
    return named


def _attention(stored: dict[str, Array], source: str, target: str, output: int) -> dict[str, Array]:
    """Split the fused rows: query, key, value; or, across, query alone and key with value."""
    names = ("query", "key", "value")
    fused = [f"{source}/linear_{index}" for index in range(output)]
    weights = np.split(np.concatenate([stored[f"{name}/weight"] for name in fused]), 3)
    biases = np.split(np.concatenate([stored[f"{name}/bias"] for name in fused]), 3)
    named = {f"{target}.{n}.weight": w for n, w in zip(names, weights, strict=True)}
    # openai-whisper's key has no bias; CTranslate2 stores zeros in its place.
    named |= {f"{target}.{n}.bias": b for n, b in zip(names, biases, strict=True) if n != "key"}
    return named | _linear(stored, f"{source}/linear_{output}", f"{target}.out")


def _linear(stored: dict[str, Array], source: str, target: str) -> dict[str, Array]:
    return {f"{target}.{part}": stored[f"{source}/{part}"] for part in ("weight", "bias")}


def _norm(stored: dict[str, Array], source: str, target: str) -> dict[str, Array]:
    return {
        f"{target}.weight": stored[f"{source}/gamma"],
        f"{target}.bias": stored[f"{source}/beta"],
    }


def _layers(stored: dict[str, Array], side: str) -> int:
    return len(
        {name.split("/")[1] for name in stored if name.startswith(f"{side}/layer_")}
        - {"layer_norm"}
    )


def _dimensions(stored: dict[str, Array], arrays: dict[str, NDArray[np.float32]]) -> dict[str, int]:
    vocabulary, text_state = arrays["decoder.token_embedding.weight"].shape
    audio_state, mels, _ = arrays["encoder.conv1.weight"].shape
    return {
        "n_mels": mels,
        "n_audio_ctx": arrays["encoder.positional_embedding"].shape[0],
        "n_audio_state": audio_state,
        "n_audio_head": int(stored["encoder/num_heads"]),
        "n_audio_layer": _layers(stored, "encoder"),
        "n_vocab": vocabulary,
        "n_text_ctx": arrays["decoder.positional_embedding"].shape[0],
        "n_text_state": text_state,
        "n_text_head": int(stored["decoder/num_heads"]),
        "n_text_layer": _layers(stored, "decoder"),
    }
