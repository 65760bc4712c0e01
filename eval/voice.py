"""How well spoken events are recognised: phrases of the grammar in synthesised voices, and speech that is no event.

    apt-get install espeak-ng
    python -m eval.voice

Every phrase is said by every voice at every level of noise. An utterance is right when its event was recognised,
whichever words; the intervals count phrases, since one phrase in several voices is no independent sample. Synthesised
speech is no human speech: the figures compare settings and tell what breaks, they promise no rate for people.
Prints tables and writes runs/voice/voice.json.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import wave
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from jaxtyping import Int16
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table
from scipy.signal import resample_poly

from eval.report import wide_console
from wmsim.metrics.statistics import Interval, bootstrap_mean
from wmsim.serve.voice import Listener, Spoken
from wmsim.text.captions import DRIVE

_RATE = 16000


@dataclass(frozen=True)
class VoiceConfig:
    """voices: "name:speed:pitch" of espeak-ng, words a minute and 0 to 99. noise: levels of white noise in dB below the
    speech. phrases: of each event, spread over the grammar; unrelated: sentences of no event, of the file `sentences`.
    """

    voices: tuple[str, ...]
    noise: tuple[float, ...]
    phrases: int
    unrelated: int
    sentences: str
    out: str


@dataclass(frozen=True)
class Utterance:
    """What was said by whom, the event that it means ("" for none), and what was heard."""

    text: str
    event: str
    voice: str
    noise: float
    phrase: str
    heard: str
    score: float


def say(text: str, voice: str) -> Int16[np.ndarray, "S"]:
    """A text in a voice "name:speed:pitch", 16 kHz, with a quarter of a second of quiet on both sides.

    FileNotFoundError: espeak-ng is not installed.
    """
    if shutil.which("espeak-ng") is None:
        raise FileNotFoundError("speech is synthesised by espeak-ng: apt-get install espeak-ng")
    name, speed, pitch = voice.split(":")
    command = ["espeak-ng", "-v", name, "-s", speed, "-p", pitch, "--stdin", "--stdout"]
    made = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(made)) as opened:
        rate = opened.getframerate()
    # A stream's header cannot tell its length: everything after it is sound.
    sound = resample_poly(np.frombuffer(made[44 : 44 + (len(made) - 44) // 2 * 2], "<i2").astype(float), _RATE, rate)
    return np.rint(np.pad(np.clip(sound, -32768, 32767), _RATE // 4)).astype("<i2")


def with_noise(speech: Int16[np.ndarray, "S"], decibels: float, seed: int) -> Int16[np.ndarray, "S"]:
    """Speech in white noise that lies so far below it."""
    loud = speech[np.abs(speech.astype(int)) > 200].astype(float)
    level = float(np.sqrt((loud**2).mean())) * 10 ** (-decibels / 20) if len(loud) else 0.0
    noisy = speech + np.random.default_rng(seed).normal(0, level, len(speech))
    return np.rint(np.clip(noisy, -32768, 32767)).astype("<i2")


def said(config: VoiceConfig, listener: Listener) -> list[tuple[str, str]]:
    """The texts to say, each with its event."""
    rows = []
    for event in DRIVE:
        mine = [phrase for phrase, meant in listener.grammar.phrases.items() if meant == event]
        rows += [(mine[place], event) for place in np.linspace(0, len(mine) - 1, config.phrases).astype(int)]
    others = json.loads(Path(config.sentences).read_text())["unrelated"]
    sentences = [text for kind in others.values() for text in kind if len(text.split()) > 1]
    chosen = np.random.default_rng(0).permutation(len(sentences))[: config.unrelated]
    return rows + [(sentences[place], "") for place in chosen]


def hear_all(config: VoiceConfig, listener: Listener) -> list[Utterance]:
    """Say everything and listen."""
    made = []
    for number, (text, event) in enumerate(said(config, listener)):
        for voice in config.voices:
            speech = say(text, voice)
            for decibels in config.noise:
                told = listener.listen(with_noise(speech, decibels, number)[: 6 * _RATE])
                made.append(_utterance(text, event, voice, decibels, told))
    return made


def _utterance(text: str, event: str, voice: str, decibels: float, told: Spoken) -> Utterance:
    return Utterance(text, event, voice, decibels, told.phrase or "", told.event or "", told.score)


def rate(utterances: list[Utterance]) -> Interval:
    """The share that was heard as what it means; a phrase's utterances are drawn together."""
    right = np.array([one.heard == one.event for one in utterances], float)
    return bootstrap_mean(right, np.array([one.text for one in utterances]))


def run(config: VoiceConfig, console: Console) -> dict[str, Any]:
    """Say, listen, count; prints the tables and returns what voice.json holds."""
    listener = Listener(DRIVE)
    heard = hear_all(config, listener)
    meant, others = [one for one in heard if one.event], [one for one in heard if not one.event]
    quiet = np.random.default_rng(0)
    sounds = [np.zeros(2 * _RATE), *(quiet.normal(0, level, 2 * _RATE) for level in (100, 1000, 5000))]
    groups = {event: [one for one in meant if one.event == event] for event in DRIVE}
    groups |= {voice: [one for one in meant if one.voice == voice] for voice in config.voices}
    groups |= {f"noise {level:g} dB below": [one for one in meant if one.noise == level] for level in config.noise}
    groups |= {"all": meant, "taken for another event (share that is not)": _as_right(meant), "unrelated": others}
    rates = {name: rate(some) for name, some in groups.items()}
    result = {
        "settings": asdict(config),
        "grammar": {"phrases": len(listener.grammar.phrases), "skipped": listener.grammar.skipped},
        "right": {name: asdict(interval) for name, interval in rates.items()},
        "false_accepts": float(np.mean([one.heard != "" for one in others])) if others else None,
        "sounds_accepted": sum(listener.listen(sound.astype("<i2")).event is not None for sound in sounds),
        "confusions": dict(Counter(f"{one.event} -> {one.heard}" for one in meant if one.heard not in ("", one.event))),
        "utterances": [asdict(one) for one in heard],
    }
    show(console, rates, result)
    return result


def _as_right(meant: list[Utterance]) -> list[Utterance]:
    """The utterances with those that were not heard at all counted as right: what is left is heard as another."""
    return [one if one.heard else Utterance(**{**asdict(one), "heard": one.event}) for one in meant]


def show(console: Console, rates: dict[str, Interval], result: dict[str, Any]) -> None:
    """The tables as text."""
    table = Table("said", "event right", "phrases", title="Voice: espeak-ng; unrelated is right when nothing is heard")
    for name, interval in rates.items():
        table.add_row(name, str(interval), str(interval.count))
    console.print(table)
    console.print("grammar:", result["grammar"], "confusions:", result["confusions"], highlight=False)
    console.print(f"silence and noise taken for an event: {result['sounds_accepted']} of 4", highlight=False)


@hydra.main(version_base=None, config_path="../configs", config_name="eval/voice")
def main(settings: DictConfig) -> None:
    """Read the settings, say and listen, write voice.json."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    config = VoiceConfig(**plain | {name: tuple(plain[name]) for name in ("voices", "noise")})
    result = run(config, wide_console())
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "voice.json").write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
