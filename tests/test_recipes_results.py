"""eval.results puts tables between the markers of a page and touches nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval import results

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
    rows = results.bars_section({"bars": [bar]}, speed).splitlines()[2:]
    assert [row.split(" | ")[-1].removesuffix(" |") for row in rows] == ["yes", "no", "no", "yes", "yes", "yes"]
    assert rows[-1] == "| above copy, dB | at least 2 | 3.000 [2.000, 4.000] | yes |"


def test_a_page_without_markers_is_told() -> None:
    with pytest.raises(ValueError, match="<!-- fidelity -->"):
        results.put(PAGE, "fidelity", "text")


def test_cells() -> None:
    assert results.cell({"mean": 1.0, "low": 0.5, "high": 2.0}, 1) == "1.0 [0.5, 2.0]"
    assert results.cell({"mean": 1.0, "low": None, "high": None}) == "1.00"
    assert results.cell({"mean": None, "low": None, "high": None}) == "-"


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
        "MPC above clone": None,
        "gap": {"with guards": {"1024": {"dream": interval, "twin": interval, "gap": interval}}},
    }
    text = results.transfer_section(transfer)
    assert "2 trainings of 65536 environment steps" in text
    assert "* dream over twin: 0.91 [0.80, 1.00]" in text
    assert "MPC above clone" not in text
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
        "without a family": {"PPO": {"Pearson": 0.4, "MMRV": 0.2}},
        "ended in both (phi)": 0.3,
    }
    text = results.agreement_section(agreement)
    assert "1 policies; MMRV, regret and bias are shares of the span of returns in the twin (6.00)" in text
    assert "| 16 frames | 0.50 | 0.10 |" in text
    assert "| without PPO | 0.40 | 0.20 |" in text
    assert "| random | scripted | 0.91 [0.80, 1.00] |" in text
