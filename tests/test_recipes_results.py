"""eval.results puts tables between the markers of a page and touches nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval import results, sections

PAGE = "# Results\nhand-written\n<!-- speed -->\nold\n<!-- /speed -->\nend\n"
SPEED = {
    "machine": {"processor": "P", "cores": 2, "threads": 2, "load_average": 1, "load_average_after": 2, "torch": "2"},
    "dream": [{"about": "dream, K = 1", "slots": 16, "p50": 60.0, "p95": 70.0, "per_second": 266.66}],
    "twin": [],
    "length": {"early_ms": 17.0},
    "drawing_ms": {"with neither": 2.9},
}


def test_the_page_is_filled_again_and_again(tmp_path: Path) -> None:
    page, speed = tmp_path / "results.md", tmp_path / "speed.json"
    page.write_text(PAGE)
    speed.write_text(json.dumps(SPEED))
    for _ in range(2):
        results.main(tmp_path / "none.json", speed, tmp_path / "none.json", page)
    text = page.read_text()
    assert text.startswith("# Results\nhand-written\n<!-- speed -->\n")
    assert text.endswith("\n<!-- /speed -->\nend\n")
    assert text.count("| dream, K = 1 | 16 | 60.0 | 70.0 | 266.7 |") == 1
    assert "old" not in text


def test_bars_join_both_programs() -> None:
    timings = [{"slots": 1, "p95": 31.0, "per_second": 60.0}, {"slots": 16, "p95": 60.0, "per_second": 249.0}]
    length = {"late_over_early_in_turns": 1.05, "late_megabytes": 900.0, "early_megabytes": 900.0}
    speed = {"dream": timings, "length": length, "settings": {"early": 100, "late": 9000}}
    interval = {"mean": 3.0, "low": 2.0, "high": 4.0}
    bar = {"name": "above copy, dB", "sign": "at least", "asked": 2, "measured": interval, "reached": True}
    rows = sections.bars_section({"bars": [bar]}, speed).splitlines()[2:]
    assert [row.split(" | ")[-1].removesuffix(" |") for row in rows] == ["yes", "no", "no", "yes", "yes", "yes"]
    assert rows[-1] == "| above copy, dB | at least 2 | 3.000 [2.000, 4.000] | yes |"


def test_a_page_without_markers_is_told() -> None:
    with pytest.raises(ValueError, match="<!-- fidelity -->"):
        results.put(PAGE, "fidelity", "text")


def test_cells() -> None:
    assert sections.cell({"mean": 1.0, "low": 0.5, "high": 2.0}, 1) == "1.0 [0.5, 2.0]"
    assert sections.cell({"mean": 1.0, "low": None, "high": None}) == "1.00"
    assert sections.cell({"mean": None, "low": None, "high": None}) == "-"


def test_transfer_and_agreement_have_their_sections() -> None:
    interval = {"mean": 0.912, "low": 0.8, "high": 1.0}
    training = {"PPO in the dream": {"steps per second": [250.0, 240.0], "minutes": [4.0, 4.2]}}
    transfer = {
        "machine": {"processor": "P", "cores": 2},
        "settings": {"seeds": 2, "steps": 65536, "episodes": 100, "frames": 128},
        "rows": {"random": {"return": interval}},
        "training": training,
        "dream over twin": interval,
        "dream over clone": interval,
        "planning above clone": {"MPC in the dream": interval},
        "gap": {"with guards": {"1024": {"dream": interval, "twin": interval, "gap": interval}}},
    }
    text = sections.transfer_section(transfer)
    assert "2 trainings of 65536 environment steps" in text
    assert "* dream over twin: 0.91 [0.80, 1.00]" in text
    assert "* MPC in the dream, above cloning: 0.91 [0.80, 1.00]" in text
    assert "| PPO in the dream | 250, 240 | 4.0, 4.2 |" in text
    assert "| with guards | 1024 | 0.91 [0.80, 1.00] |" in text
    row = {"Pearson": interval, "MMRV": interval}
    agreement = {
        "episodes": 100,
        "frames": 128,
        "span of returns": 6.0,
        "policies": {"random": {"family": "scripted", "return, dream": interval}},
        "agreement": {"dream": row},
        "by horizon": {"16": {"Pearson": 0.5, "MMRV": 0.1}},
        "short dreams of whole drives": {"16": {"Pearson": 0.3, "MMRV": 0.15}},
        "without a family": {"PPO": {"Pearson": 0.4, "MMRV": 0.2}},
        "ended in both (phi)": 0.3,
    }
    text = sections.agreement_section(agreement)
    assert "1 policies; MMRV, regret and bias are shares of the span of returns in the twin (6.00)" in text
    assert "| 16 frames | 0.50 | 0.10 |" in text
    assert "| 16 frames | 0.30 | 0.15 |" in text
    assert "| without PPO | 0.40 | 0.20 |" in text
    assert "| random | scripted | 0.91 [0.80, 1.00] |" in text


def _interval(mean: float, low: float, high: float) -> dict[str, float]:
    return {"mean": mean, "low": low, "high": high}


def test_the_bars_of_agents_are_held_against_what_was_found() -> None:
    def along(gap: float) -> dict[str, object]:
        early = {"gap": _interval(9, 9, 9), "twin": _interval(1, 1, 1)}
        return {"128": early, "1024": {"gap": _interval(gap, 0, 1), "twin": _interval(5, 4, 6)}}

    transfer = {
        "settings": {"guards": {"max_episode_steps": 32}},
        "dream over twin": _interval(0.95, 0.8, 1.1),
        "dream over clone": _interval(1.2, 0.99, 1.3),
        "planning above clone": {},
        "gap": {"with guards": along(0.4), "without": along(0.9)},
    }
    cost = {"cost": [{"num_envs": 16, "where": "dream", "per_second": 199.0}]}
    measures = {"Pearson": 0.91, "Spearman": 0.8, "MMRV": 0.04, "regret": 0.06}
    found = {name: _interval(value, 0, 1) for name, value in measures.items()}
    short = {**found, "Spearman": _interval(0.9, 0, 1)}
    agreement = {"frames": 128, "agreement": {"dream": found}, "by horizon": {"32": short, "128": found}}
    rows = sections.agents_bars_section(transfer, cost, agreement).splitlines()[2:]
    told = [row.split(" | ")[-1].removesuffix(" |") for row in rows]
    whole, quick = ["yes", "no", "yes", "no"], ["yes", "yes", "yes", "no"]
    assert told == ["yes", "no", "yes", "yes", "not measured", "no", *whole, *quick]
    assert "| agreement over 32 frames: Spearman | at least 0.85 | 0.900 [0.000, 1.000] | yes |" in rows
    assert "| gap over return in the twin | at most 0.1 | 0.080 | yes |" in rows
    transfer["planning above clone"] = {"bare": _interval(0.5, -0.1, 1), "guided": _interval(0.5, 0.1, 1)}
    rows = sections.agents_bars_section(transfer, None, None).splitlines()
    assert len(rows) == 2 + 6
    assert rows[-2:] == [
        "| bare, above cloning, return | above 0 | 0.500 [-0.100, 1.000] | no |",
        "| guided, above cloning, return | above 0 | 0.500 [0.100, 1.000] | yes |",
    ]


def test_every_environment_with_a_folder_has_its_rows(tmp_path: Path) -> None:
    interval = _interval(5.5, 5.0, 6.0)
    fidelity = {"above_copy": {"dream, K = 1": {"1": interval}}, "shuffle_gap": {"dream, K = 1": {"1": interval}}}
    for name, more in (("racing", {"rows": {"random": {"return": interval}}}), ("reacher", None)):
        folder = tmp_path / "outside" / name
        (folder / "fidelity").mkdir(parents=True)
        (folder / "fidelity" / "fidelity.json").write_text(json.dumps(fidelity))
        if more is not None:
            (folder / "transfer").mkdir()
            (folder / "transfer" / "transfer.json").write_text(json.dumps(more))
    page = tmp_path / "page.md"
    page.write_text("<!-- outside -->\n<!-- /outside -->".replace("\n", "\nold\n"))
    none = tmp_path / "none.json"
    results.main(none, none, none, page, none, none, none, tmp_path / "outside", none, none, none)
    text = page.read_text()
    assert "| racing: dream above copying | 5.50 [5.00, 6.00] |" in text
    assert "| racing | random | 5.50 [5.00, 6.00] |" in text
    assert "| reacher | random" not in text


def test_events_and_words_have_their_sections() -> None:
    row = {"p50_s": 0.2, "p95_s": 0.5, "seen": 1.0}
    late = {**row, "p95_s": None}
    kinds = {"twin": {"fog": row, "all": {**row, "p95_s": 2.0}}, "dream": {"fog": late, "all": late}}
    text = sections.events_section({"config": {"drives": 120, "trials": 40}, "events": kinds})
    assert "120 drives to learn from, 40 towns" in text
    assert "| fog | 0.20 | 0.50 | 1.00 |" in text
    assert "| fog | 0.20 | never | 1.00 |" in text
    assert "twin (p95 of all at most 2 s: yes):" in text
    assert "dream (p95 of all at most 2 s: no):" in text
    understanding = {"understood": _interval(0.92, 0.9, 0.95), "unrelated_accepted": _interval(0.03, 0.02, 0.05)}
    voice = {"right": {"all": _interval(0.8, 0.7, 0.9)}, "false_accepts": 0.06}
    text = sections.words_section(understanding, voice)
    assert "| text: unseen wordings understood | at least 0.9 | 0.920 [0.900, 0.950] | yes |" in text
    assert "| text: unrelated accepted | at most 0.02 | 0.030 [0.020, 0.050] | no |" in text
    assert "| voice: other speech accepted | reported | 0.060 | - |" in text
    assert len(sections.words_section(None, voice).splitlines()) == 2 + 2


def test_the_bars_of_serving_are_held_against_what_was_found(tmp_path: Path) -> None:
    rates, tails = (400.0, 300.0, 90.0), (20.0, 29.0)
    serve = {
        "batching": [{"slots": 32, "per_second": rate} for rate in rates],
        "latency": [{"p95": tail} for tail in tails],
        "faults": {"frames": 900, "kills": 50, "wrong_frames": 1, "recovery_worst": 4.9},
    }
    play = {"drive": {"key_to_pixel_ms": {"p95": 140.0}, "bar_ms": 150.0}}
    verdict = {"longest_stall_ms": 900.0, "no_stall": True, "growth_mib_a_minute": 0.5, "no_growth": False}
    soak = {"minutes": 30, "training": {"slots": 16}, "verdict": verdict, "drive": {**play["drive"]}}
    soak["drive"]["key_to_pixel_ms"] = {"p95": 151.0}
    rows = sections.serving_section(serve, play, soak).splitlines()[2:]
    told = [row.split(" | ")[-1].removesuffix(" |") for row in rows]
    assert told == ["yes", "yes", "no", "no", "yes", "yes", "no", "yes", "no"]
    assert "| wrong frames of 900, 50 kills | 0 | 1 | no |" in rows
    assert "| 30 minutes, page and 16 slots: longest stall, ms | at most 1000 | 900.00 | yes |" in rows
    page, none = tmp_path / "page.md", tmp_path / "none.json"
    page.write_text("<!-- serving -->\nold\n<!-- /serving -->")
    (tmp_path / "play.json").write_text(json.dumps(play))
    results.main(none, none, none, page, none, none, none, none, none, none, none, none, tmp_path / "play.json", none)
    assert page.read_text().splitlines()[3] == "| key to pixel, p95, ms | at most 150 | 140.00 | yes |"
