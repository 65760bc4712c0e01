"""Voice: a short recording is held against a grammar of event phrases, and against plain sounds that are no words.

PocketSphinx brings its model for American English in its wheel. It hears the recording twice: through a grammar of
captions and of decoys, which can only answer with one of them, and as a loop of phones, which can be anything. A
caption counts when it explains the sound nearly as well as the phones do, at the pace of speech, and fills most of what
was said.
Shape legend: S samples of 16 kHz mono PCM, R of them that are kept.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int16

from wmsim.text.unrelated import DECOYS

_PHRASES, _DECOYS, _FEWEST_WORDS, _MOST_WORDS = 40, 240, 2, 6
_QUIET, _FRAME, _DITHER = 60.0, 160, 20.0
_FRAMES_A_PHONE = (3.0, 20.0)


@dataclass(frozen=True)
class Spoken:
    """phrase: the phrase of the grammar that was heard, and its event; None for neither. score: how much of the sound
    it explains, against phones alone; 1 is as much, 0 nothing. why: what was wrong when nothing was heard."""

    phrase: str | None
    event: str | None
    score: float
    why: str = ""


@dataclass(frozen=True)
class Grammar:
    """phrases: phrase -> event. decoys: phrases of no event, so that other speech finds something nearer. skipped:
    captions left out since the dictionary lacks a word of theirs."""

    phrases: Mapping[str, str]
    decoys: tuple[str, ...]
    skipped: int

    def jsgf(self) -> str:
        """The grammar in the JSpeech Grammar Format."""
        return "#JSGF V1.0;\ngrammar events;\npublic <event> = " + "\n | ".join((*self.phrases, *self.decoys)) + ";\n"


def grammar_of(captions: Mapping[str, Sequence[str]], known: Mapping[str, int]) -> Grammar:
    """The phrases to listen for: of each event the first forty captions of two to six words (short ones sound alike).

    known: the words that the dictionary can pronounce. A phrase that two events share stays with the first.
    """
    phrases: dict[str, str] = {}
    skipped = 0
    for event, ways in captions.items():
        taken = 0
        for said in (_words(way) for way in ways):
            if not all(word in known for word in said):
                skipped += 1
            elif taken < _PHRASES and _FEWEST_WORDS <= len(said) <= _MOST_WORDS and " ".join(said) not in phrases:
                phrases[" ".join(said)] = event
                taken += 1
    others = dict.fromkeys(" ".join(_words(way)) for way in DECOYS if all(word in known for word in _words(way)))
    fitting = [way for way in others if _FEWEST_WORDS <= len(way.split()) <= _MOST_WORDS and way not in phrases]
    return Grammar(phrases, tuple(fitting[:: max(len(fitting) // _DECOYS, 1)]), skipped)


class Listener:
    """Recognises phrases of events; not for use by several threads at once.

    least: the score from which a phrase counts, chosen on a few synthesised voices that `eval.voice` does not use.
    """

    def __init__(self, captions: Mapping[str, Sequence[str]], least: float = 0.85) -> None:
        """ImportError: the extra is missing. ValueError: no caption can be pronounced."""
        try:
            from pocketsphinx import Decoder, get_model_path
        except ImportError as missing:
            raise ImportError("voice needs PocketSphinx: pip install 'wmsim[voice]'") from missing
        model = Path(get_model_path()) / "en-us"
        settings = {"hmm": str(model / "en-us"), "dict": str(model / "cmudict-en-us.dict"), "loglevel": "FATAL"}
        self._phones_of = _dictionary(model / "cmudict-en-us.dict")
        self.grammar, self._least = grammar_of(captions, self._phones_of), least
        if not self.grammar.phrases:
            raise ValueError("no caption has two to six words of the dictionary: there is nothing to listen for")
        with tempfile.TemporaryDirectory() as folder:
            rules = Path(folder) / "events.gram"
            rules.write_text(self.grammar.jsgf())
            self._words = Decoder(**settings, lm=None, jsgf=str(rules))
        self._phones = Decoder(**settings, lm=None, allphone=str(model / "en-us-phone.lm.bin"), beam=1e-20, pbeam=1e-20)

    def listen(self, samples: Int16[np.ndarray, "S"]) -> Spoken:
        """What was said in a recording of at most some seconds."""
        said = _trimmed(samples)
        if not len(said):
            return Spoken(None, None, 0.0, "nothing was said, or the microphone is off")
        _decode(self._words, said)
        heard = self._words.hyp()
        if heard is None or heard.hypstr not in self.grammar.phrases:
            return Spoken(None, None, 0.0, "that was none of the phrases that are listened for")
        pace, filled = self._pace(heard.hypstr)
        _decode(self._phones, said)
        phones = self._phones.hyp()
        score = 0.0 if phones is None or phones.score <= 0 else min(heard.score / phones.score, 1.0)
        slow, fast = _FRAMES_A_PHONE[1], _FRAMES_A_PHONE[0]
        if score < self._least or not fast <= pace <= slow or filled < 0.7:
            return Spoken(None, None, score, "that was not clear enough, or none of the phrases that are listened for")
        return Spoken(heard.hypstr, self.grammar.phrases[heard.hypstr], score)

    def _pace(self, phrase: str) -> tuple[float, float]:
        """10 ms frames for each phone of the phrase, and the share of the recording that its words fill."""
        segments = [(one.word, one.end_frame - one.start_frame + 1) for one in self._words.seg()]
        words = sum(frames for word, frames in segments if word[0] not in "<[+(")
        loud = sum(frames for word, frames in segments if word not in ("<sil>", "(NULL)", "<s>", "</s>"))
        return words / sum(self._phones_of[word] for word in phrase.split()), words / max(loud, 1)


def samples_of(data: bytes) -> Int16[np.ndarray, "S"]:
    """Little-endian 16-bit PCM as samples. ValueError: an odd number of bytes."""
    if len(data) % 2:
        raise ValueError(f"16-bit samples come in pairs of bytes, got {len(data)}")
    return np.frombuffer(data, "<i2")


def _decode(decoder: Any, samples: Int16[np.ndarray, "S"]) -> None:
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()


def _trimmed(samples: Int16[np.ndarray, "S"]) -> Int16[np.ndarray, "R"]:
    """The recording between its first and last loud moment, with a quarter of a second of quiet around it."""
    whole = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    loudness = np.sqrt((whole**2).mean(1)) if len(whole) else np.zeros(0)
    if not len(loudness) or loudness.max() < _QUIET:
        return samples[:0]
    loud = np.flatnonzero(loudness > max(_QUIET, 0.06 * float(loudness.max())))
    begin, end = max(int(loud[0]) - 25, 0), int(loud[-1]) + 26
    # Full scale for everyone: how far away the microphone stood is of no interest.
    louder = min(12000 / max(float(np.abs(whole[begin:end]).max()), 1.0), 8.0)
    sound = samples[begin * _FRAME : end * _FRAME] * louder
    # Perfect silence, as browsers make it of faint noise, is nothing that the model has heard before.
    sound += np.random.default_rng(0).normal(0, _DITHER, len(sound))
    kept: Int16[np.ndarray, "R"] = np.rint(sound).astype("<i2")
    return kept


def _dictionary(path: Path) -> dict[str, int]:
    """Word -> number of its phones."""
    rows = (line.split() for line in path.read_text("utf-8").splitlines())
    return {row[0]: len(row) - 1 for row in rows if len(row) > 1}


def _words(text: str) -> list[str]:
    return re.sub(r"[^a-z' ]", " ", text.lower().replace("’", "'")).split()
