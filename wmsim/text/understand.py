"""What a text means among a world's events, or that it means none of them: calibrated to say "not understood".

A sentence is described by its embedding, by the mean similarity to its nearest captions of each event and to its
nearest unrelated sentences, by its words and pairs of words (which embeddings blur: "a shower of praise" is no rain),
and by the small words that embeddings overlook (`_CUES`). A softmax over the events and "none" is fitted to that; what
asks or refuses (`wmsim.text.mood`) is no event whatever its topic. The threshold is the score that a given
share of the unrelated sentences reaches in cross-validation.
For the captions of Drive the fit ships; for others it takes some seconds, once.

    python -m wmsim.text.understand     fits anew to `wmsim.text.captions` and writes the file that ships

Shape legend: N sentences, D = 384 width, K classes (the events, then "none"), F features, V = 4096 places of words.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, Int8
from safetensors import safe_open
from safetensors.numpy import save_file
from torch import Tensor
from torch.nn import functional

from wmsim.text.captions import DRIVE
from wmsim.text.embed import Embedder
from wmsim.text.mood import mood
from wmsim.text.unrelated import UNRELATED

_SMALL_WORDS = (
    "no not don't never without nobody none avoid keep stop end enough rid remove off away is was were are does do did "
    "will would how what when where who why which has i my he she it let make can could please a the some want like ?"
)
_CUES = tuple(_SMALL_WORDS.split())
_CUE_WEIGHT, _NEAR_WEIGHT, _DECAY, _NEAREST, _FOLDS = 0.2, 2.0, 1e-5, 3, 5
_WORDS, _WORD_WEIGHT = 4096, 1.0
_ACCEPTED = 0.03
_FEWEST = 5
SHIPPED = "drive.safetensors"
"""The fit to the captions of Drive."""


@dataclass(frozen=True)
class Understood:
    """event: what was meant, None when it was not understood. score: the probability, 0 to 1, of the likeliest event.

    nearest: (event, probability), the likeliest first.
    """

    event: str | None
    score: float
    nearest: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Fit:
    """embeddings: of all captions and unrelated sentences; classes: of each; weights: of the softmax, words first, bias
    last."""

    embeddings: Float[np.ndarray, "N D"]
    classes: Int[np.ndarray, "N"]
    weights: Float[np.ndarray, "G K"]
    threshold: float


class Understander:
    """Understands texts as events. captions: event -> ways to say it, which stand for the many others."""

    def __init__(self, captions: Mapping[str, Sequence[str]], embedder: Embedder) -> None:
        """ValueError: an event with too few captions to learn it from."""
        for event, ways in captions.items():
            if len(ways) < _FEWEST:
                raise ValueError(f"{event!r} has {len(ways)} captions, at least {_FEWEST} are needed to understand it")
        if not captions:
            raise ValueError("there are no captions: without an event nothing can be understood")
        self.events, self._embedder = tuple(captions), embedder
        self._fit = shipped(captions) or fit(captions, embedder, known=shipped_unrelated())

    def understand(self, text: str) -> Understood:
        """What one sentence means."""
        return self.understand_all([text])[0]

    def understand_all(self, texts: Sequence[str]) -> list[Understood]:
        """What each of many sentences means; quicker than one by one."""
        if not texts:
            return []
        known, embeddings = self._fit, self._embedder.embed(texts)
        near = _nearness(embeddings, known.embeddings, known.classes, len(self.events) + 1)
        told = _softmax(_worded(texts), _features(texts, embeddings, near), known.weights)[:, :-1]
        return [self._judged(text, row) for text, row in zip(texts, told, strict=True)]

    def _judged(self, text: str, told: Float[np.ndarray, "E"]) -> Understood:
        order = np.argsort(-told, kind="stable")
        nearest = tuple((self.events[place], float(told[place])) for place in order)
        best, score = nearest[0]
        meant = score >= self._fit.threshold and mood(text) == "wish"
        return Understood(best if meant else None, score, nearest)


# --- fitting ---------------------------------------------------------------------------------------------------------


def fit(
    captions: Mapping[str, Sequence[str]], embedder: Embedder, accepted: float = _ACCEPTED,
    known: Mapping[str, Float[np.ndarray, "D"]] | None = None,
) -> Fit:  # fmt: skip
    """Fit to captions and to `UNRELATED`; the same captions give the same fit.

    accepted: share of the unrelated sentences that may reach the threshold in cross-validation. They are much nearer
    to events than what people say by chance. known: embeddings that need not be made.
    """
    texts, classes = _examples(captions)
    embeddings = _embedded(texts, embedder, known or {})
    count, fold = len(captions) + 1, np.arange(len(texts)) % _FOLDS
    scores = np.zeros(len(texts))
    for number in range(_FOLDS):
        left = np.flatnonzero(fold == number)
        weights = _fitted_to(texts, embeddings, classes, np.flatnonzero(fold != number), count)
        near = _nearness(embeddings[left], embeddings[fold != number], classes[fold != number], count)
        asked = [texts[place] for place in left]
        scores[left] = _softmax(_worded(asked), _features(asked, embeddings[left], near), weights)[:, :-1].max(1)
    wishes = np.array([mood(text) == "wish" for text in texts])
    none = np.sort(np.where(wishes, scores, 0)[classes == count - 1])
    threshold = float(none[int((1 - accepted) * (len(none) - 1))])
    weights = _fitted_to(texts, embeddings, classes, np.arange(len(texts)), count)
    return Fit(embeddings, classes, weights, threshold)


def _embedded(
    texts: Sequence[str], embedder: Embedder, known: Mapping[str, Float[np.ndarray, "D"]]
) -> Float[np.ndarray, "N D"]:
    """The embeddings as they are after shipping, whether or not they have been shipped."""
    missing = [text for text in texts if text not in known]
    found = {**known, **dict(zip(missing, _precise(*_coarse(embedder.embed(missing))), strict=True))}
    return np.stack([found[text] for text in texts])


def _examples(captions: Mapping[str, Sequence[str]]) -> tuple[list[str], Int[np.ndarray, "N"]]:
    rows = [(text, place) for place, ways in enumerate(captions.values()) for text in ways]
    meant = {text for text, _ in rows}
    rows += [(text, len(captions)) for text in UNRELATED if text not in meant]
    return [text for text, _ in rows], np.array([place for _, place in rows])


def _fitted_to(
    texts: Sequence[str], embeddings: Float[np.ndarray, "N D"], classes: Int[np.ndarray, "N"],
    kept: Int[np.ndarray, "M"], count: int,
) -> Float[np.ndarray, "G K"]:  # fmt: skip
    """The weights for some of the sentences; none is its own neighbour."""
    some, mine, meant = [texts[place] for place in kept], embeddings[kept], classes[kept]
    near = _nearness(mine, mine, meant, count, itself=False)
    return _fitted(_worded(some), _features(some, mine, near), meant, count)


def _nearness(
    asked: Float[np.ndarray, "M D"], known: Float[np.ndarray, "N D"], classes: Int[np.ndarray, "N"], count: int,
    itself: bool = True,
) -> Float[np.ndarray, "M K"]:  # fmt: skip
    """Mean cosine similarity to the nearest sentences of each class."""
    alike = asked @ known.T
    if not itself:
        np.fill_diagonal(alike, -1.0)
    columns = [np.partition(alike[:, classes == place], -_NEAREST, 1)[:, -_NEAREST:].mean(1) for place in range(count)]
    return np.stack(columns, 1)


def _features(
    texts: Sequence[str], embeddings: Float[np.ndarray, "N D"], near: Float[np.ndarray, "N K"]
) -> Float[np.ndarray, "N F"]:
    said = [set(re.findall(r"[a-z']+|\?", text.lower().replace("’", "'"))) for text in texts]
    cues = np.array([[cue in words for cue in _CUES] for words in said], np.float64)
    return np.concatenate([embeddings, _CUE_WEIGHT * cues, _NEAR_WEIGHT * near], 1)


def _worded(texts: Sequence[str]) -> Float[Tensor, "N V"]:
    """Which words and pairs of neighbours a sentence has, sparse: each at the place of its checksum, of length one."""
    rows, places, shares = [], [], []
    for row, text in enumerate(texts):
        words = re.findall(r"[a-z0-9']+|\?", text.lower().replace("’", "'"))
        pairs = zip(["^", *words], [*words, "$"], strict=True)
        parts = {*words, *(f"{one}_{next_one}" for one, next_one in pairs)}
        told, counts = np.unique([zlib.crc32(part.encode()) % _WORDS for part in parts], return_counts=True)
        rows += [row] * len(told)
        places += told.tolist()
        shares += (_WORD_WEIGHT * counts / np.linalg.norm(counts)).tolist()
    where, values = torch.tensor([rows, places]), torch.tensor(shares, dtype=torch.float64)
    return torch.sparse_coo_tensor(where, values, (len(texts), _WORDS), check_invariants=False).coalesce()


def _fitted(
    words: Float[Tensor, "N V"], features: Float[np.ndarray, "N F"], classes: Int[np.ndarray, "N"], count: int
) -> Float[np.ndarray, "G K"]:
    """Weights of the softmax with least cross-entropy, by L-BFGS from zero, so that nothing is left to chance."""
    rows = functional.pad(torch.tensor(features, dtype=torch.float64), (0, 1), value=1.0)
    wanted = torch.tensor(classes)
    weights = torch.zeros(_WORDS + rows.shape[1], count, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([weights], max_iter=80, line_search_fn="strong_wolfe")

    def loss() -> float:
        search.zero_grad()
        logits = torch.sparse.mm(words, weights[:_WORDS]) + rows @ weights[_WORDS:]
        total = functional.cross_entropy(logits, wanted) + _DECAY * weights[:-1].square().sum()
        total.backward()
        return total.item()

    search.step(loss)
    return weights.detach().numpy().astype(np.float32)


def _softmax(
    words: Float[Tensor, "N V"], features: Float[np.ndarray, "N F"], weights: Float[np.ndarray, "G K"]
) -> Float[np.ndarray, "N K"]:
    logits = torch.sparse.mm(words, torch.tensor(weights[:_WORDS], dtype=torch.float64)).numpy()
    logits = logits + features @ weights[_WORDS:-1] + weights[-1]
    powers = np.exp(logits - logits.max(1, keepdims=True))
    shares: Float[np.ndarray, "N K"] = powers / powers.sum(1, keepdims=True)
    return shares


# --- the fit that ships ----------------------------------------------------------------------------------------------


def fingerprint(captions: Mapping[str, Sequence[str]]) -> str:
    """Tells one set of captions, unrelated sentences and settings from another."""
    settings = [_CUES, _CUE_WEIGHT, _NEAR_WEIGHT, _DECAY, _NEAREST, _FOLDS, _ACCEPTED, _WORDS, _WORD_WEIGHT]
    return _digest([[[event, list(ways)] for event, ways in captions.items()], list(UNRELATED), settings])


def shipped(captions: Mapping[str, Sequence[str]]) -> Fit | None:
    """The fit that ships, where it is of these captions."""
    told, arrays = _opened("captions", fingerprint(captions))
    if not arrays:
        return None
    embeddings = _precise(arrays["embeddings"], arrays["scales"])
    return Fit(embeddings, arrays["classes"].astype(np.int64), arrays["weights"], float(told["threshold"]))


def shipped_unrelated() -> dict[str, Float[np.ndarray, "D"]]:
    """The embeddings of `UNRELATED`, where they are those that ship: worlds of other captions need not make them."""
    _, arrays = _opened("unrelated", _digest(list(UNRELATED)))
    if not arrays:
        return {}
    none = arrays["classes"] == arrays["classes"].max()
    return dict(zip(UNRELATED, _precise(arrays["embeddings"][none], arrays["scales"][none]), strict=True))


def ship(path: Path) -> None:
    """Write the fit to the captions of Drive."""
    made = fit(DRIVE, Embedder())
    embeddings, scales = _coarse(made.embeddings)
    classes = made.classes.astype(np.uint8)
    arrays = {"embeddings": embeddings, "scales": scales, "classes": classes, "weights": made.weights}
    told = {"captions": fingerprint(DRIVE), "unrelated": _digest(list(UNRELATED)), "threshold": repr(made.threshold)}
    save_file(arrays, path, told)


def _opened(name: str, digest: str) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """What the file that ships tells and holds; nothing where it is of something else."""
    with as_file(files("wmsim.text") / SHIPPED) as path, safe_open(path, "np") as opened:
        told: dict[str, str] = opened.metadata()
        if told.get(name) != digest:
            return told, {}
        return told, {key: opened.get_tensor(key) for key in ("embeddings", "scales", "classes", "weights")}


def _coarse(embeddings: Float[np.ndarray, "N D"]) -> tuple[Int8[np.ndarray, "N D"], Float[np.ndarray, "N"]]:
    """A byte for each number, and what it is a multiple of: half the size of half precision."""
    scales = np.abs(embeddings).max(1).astype(np.float32) / 127
    return np.rint(embeddings / scales[:, None]).astype(np.int8), scales


def _precise(embeddings: Int8[np.ndarray, "N D"], scales: Float[np.ndarray, "N"]) -> Float[np.ndarray, "N D"]:
    made: Float[np.ndarray, "N D"] = embeddings.astype(np.float32) * scales[:, None]
    return made


def _digest(told: list[object]) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


if __name__ == "__main__":
    ship(Path(__file__).parent / SHIPPED)
