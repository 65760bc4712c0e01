"""The tables of docs/results.md, each from the JSON that a program of eval/ wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]
MARKS = {True: "yes", False: "no", None: "not measured"}


def cell(value: Any, places: int = 2) -> str:
    """An interval or a number as text; an interval without bounds shows its mean alone."""
    if isinstance(value, Mapping):
        mean, low, high = (value[name] for name in ("mean", "low", "high"))
        if mean is None:
            return "-"
        return f"{mean:.{places}f}" if low is None else f"{mean:.{places}f} [{low:.{places}f}, {high:.{places}f}]"
    return f"{value:.{places}f}" if isinstance(value, float) else str(value)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], places: int = 2) -> str:
    """A Markdown table."""
    lines = [list(head), ["---"] * len(head), *([cell(v, places) for v in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def named(rows: Mapping[str, Json], places: int = 2) -> str:
    """A table of rows by name that share their columns."""
    head = list(next(iter(rows.values())))
    return table(["", *head], [[name, *cells.values()] for name, cells in rows.items()], places)


def bars_section(fidelity: Json, speed: Json) -> str:
    """What was asked of the shipped dream, what was measured, and whether that is enough."""
    one, many = (next(t for t in speed["dream"] if t["slots"] == slots) for slots in (1, 16))
    length, settings = speed["length"], speed["settings"]
    late, grown = length["late_over_early_in_turns"], length["late_megabytes"] - length["early_megabytes"]
    rows = [
        ["one slot, env-steps/s", "at least 50", one["per_second"], MARKS[one["per_second"] >= 50]],
        ["one slot, ms p95", "under 30", one["p95"], MARKS[one["p95"] < 30]],
        ["16 slots, env-steps/s", "at least 250", many["per_second"], MARKS[many["per_second"] >= 250]],
        [f"step {settings['late']} over step {settings['early']}, times", "at most 1.1", late, MARKS[late <= 1.1]],
        ["memory grown between them, MB", "0", grown, MARKS[grown < 1]],
        *([b["name"], f"{b['sign']} {b['asked']}", b["measured"], MARKS[b["reached"]]] for b in fidelity["bars"]),
    ]
    return table(["bar", "asked", "measured", "reached"], rows, 3)


def fidelity_section(found: Json) -> str:
    """Pixels, obedience, reward, end and endurance."""
    machine = found["machine"]
    shipped = next(iter(found["above_copy"]))
    pixels = {name: kinds["psnr"]["all"] for name, kinds in found["pixels"].items()}
    ssim = {name: kinds["ssim"]["all"] for name, kinds in found["pixels"].items()}
    above = {**found["kinds_above_copy"], "right above shuffled controls": found["shuffle_gap"][shipped]}
    parts = [
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load_average']}, torch {machine['torch']}.",
        "PSNR in dB of all pixels, by frame after the context; mean over unseen towns [95 % interval]:",
        named(pixels, 1),
        "SSIM of all pixels:",
        named(ssim),
        f"{shipped} above copying the last frame in dB, by kind of pixel; and right above shuffled controls:",
        named(above),
        "Controls that the probe reads back (correlation with the truth):",
        named(found["obedience"]),
        "Reward (correlation), open loop over 16 frames:",
        named(found["reward"]),
        "End (AUROC), open loop over 16 frames:",
        named(found["end"]),
        "The tenth of the frames that is furthest off, told by the uncertainty (AUROC), over all frames of the clips:",
        named(found["uncertainty"]),
        "Long dreams:",
        named(found["endurance"]),
    ]
    return "\n\n".join(parts)


def speed_section(found: Json) -> str:
    """Milliseconds and steps a second by slots and passes, and the cost of long episodes."""
    rows = [[r["about"], r["slots"], r["p50"], r["p95"], r["per_second"]] for r in [*found["dream"], *found["twin"]]]
    machine = found["machine"]
    parts = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads, torch {machine['torch']}; "
        f"load {machine['load_average']} before and {machine['load_average_after']} after.",
        table(["", "slots", "ms p50", "ms p95", "env-steps/s"], rows, 1),
        "One slot: " + ", ".join(f"{name.replace('_', ' ')} {cell(v, 3)}" for name, v in found["length"].items()) + ".",
        "Drawing a frame of the twin, ms: "
        + ", ".join(f"{k} {cell(v, 1)}" for k, v in found["drawing_ms"].items())
        + ".",
    ]
    return "\n\n".join(parts)


def udacity_section(found: Json) -> str:
    """Pixels and obedience of the small dream of the real drive; one pass a frame."""
    name = next(iter(found["above_copy"]))
    pixels = {row: kinds["psnr"]["all"] for row, kinds in found["pixels"].items()}
    above = {"above copying": found["above_copy"][name], "right above shuffled controls": found["shuffle_gap"][name]}
    parts = [
        f"{found['machine']['processor']}, {found['machine']['cores']} cores.",
        "PSNR in dB by frame after the context, mean over clips of the unseen fifth [95 % interval]:",
        named(pixels, 1),
        f"{name}, in dB:",
        named(above),
        "Steering that the probe reads back (correlation with the truth):",
        named(found["obedience"]),
    ]
    return "\n\n".join(parts)


def transfer_section(found: Json) -> str:
    """Returns in the twin by who was trained where, the cost of training, and the gap along it."""
    machine, settings = found["machine"], found["settings"]
    cost = [
        [name, ", ".join(f"{rate:.0f}" for rate in t["steps per second"]), ", ".join(f"{m:.1f}" for m in t["minutes"])]
        for name, t in found["training"].items()
    ]
    above = {name: found[name] for name in ("dream over twin", "dream over clone")}
    above |= {f"{name}, above cloning": value for name, value in found["planning above clone"].items()}
    gap = [[label, steps, *sides.values()] for label, along in found["gap"].items() for steps, sides in along.items()]
    parts = [
        f"{machine['processor']}, {machine['cores']} cores. {settings['seeds']} trainings of {settings['steps']} "
        f"environment steps; {settings['episodes']} unseen towns of {settings['frames']} frames.",
        "In the twin, mean [95 % interval over towns]:",
        named(found["rows"]),
        "\n".join(f"* {name}: {cell(value)}" for name, value in above.items()),
        "The whole training loop, a figure for each seed:",
        table(["", "env-steps/s", "minutes"], cost),
        "Return along one training, in dream and twin, and the gap between them:",
        table(["", "steps", "dream", "twin", "gap"], gap),
    ]
    return "\n\n".join(parts)


def cost_section(found: Json) -> str:
    """Environment steps a second of a whole training, dream and twin side by side."""
    machine = found["machine"]
    by_size = {(one["num_envs"], one["where"]): one for one in found["cost"]}
    sizes = sorted({count for count, _ in by_size})
    rows = []
    for count in sizes:
        inside, outside = by_size[count, "dream"], by_size[count, "twin"]
        shares = [f"{100 * one['playing']:.0f} %" for one in (inside, outside)]
        rates = [inside["per_second"], outside["per_second"]]
        rows.append([count, *rates, rates[0] / rates[1], *shares])
    columns = ["environments", "dream, env-steps/s", "twin, env-steps/s", "times", "dream, of it playing", "twin"]
    about = f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads; "
    return f"{about}load {machine['load_average']} before.\n\n{table(columns, rows, 1)}"


def agreement_section(found: Json) -> str:
    """How alike dream and twin rank policies, and every policy's return in both."""
    along = {f"{frames} frames": row for frames, row in found["by horizon"].items()}
    short = {f"{frames} frames": row for frames, row in found["short dreams of whole drives"].items()}
    without = {f"without {family}": row for family, row in found["without a family"].items()}
    parts = [
        f"{found['episodes']} episodes of {found['frames']} frames, {len(found['policies'])} policies; MMRV, regret "
        f"and bias are shares of the span of returns in the twin ({found['span of returns']:.2f}).",
        named(found["agreement"]),
        "By the length of an episode, as shares of the span over that many frames:",
        named(along),
        "The first frames of the dream alone, at that rate, against whole drives in the twin:",
        named(short),
        "With one family of policies left out:",
        named(without),
        f'phi of "it ended" episode by episode: {cell(found["ended in both (phi)"])}.',
        named(found["policies"]),
    ]
    return "\n\n".join(parts)


def agents_bars_section(transfer: Json, cost: Json | None, agreement: Json | None) -> str:
    """What was asked of training and ranking in the dream, what was measured, and whether that is enough.

    The gap's row is of the policy that a training ends with, as a share of its return in the twin. Agreement is held
    against its bars over whole episodes and over those that agents train in.
    """
    over, clone = transfer["dream over twin"], transfer["dream over clone"]
    rows = [
        ["PPO in the dream over PPO in the twin, return", "at least 0.9", over, MARKS[over["mean"] >= 0.9]],
        ["PPO in the dream over cloning, return", "above 1, clearly", clone, MARKS[clone["low"] > 1]],
    ]
    gaps = {label: _last_gap(along) for label, along in transfer["gap"].items()}
    guarded, free = gaps["with guards"], gaps["without"]
    rows.append(["gap over return in the twin", "at most 0.1", guarded, MARKS[guarded <= 0.1]])
    rows.append(["the same without guards", "larger than with", free, MARKS[free > guarded]])
    for name, above in (transfer["planning above clone"] or {"planning": None}).items():
        enough = None if above is None else above["low"] > 0
        rows.append([f"{name}, above cloning, return", "above 0", "-" if above is None else above, MARKS[enough]])
    if cost is not None:
        rate = next(one["per_second"] for one in cost["cost"] if (one["num_envs"], one["where"]) == (16, "dream"))
        rows.append(
            ["training loop in the dream, 16 environments, env-steps/s", "at least 200", rate, MARKS[rate >= 200]]
        )
    if agreement is not None:
        whole, short = agreement["frames"], transfer["settings"]["guards"].get("max_episode_steps")
        for frames, row in ((whole, agreement["agreement"]["dream"]), (short, agreement["by horizon"].get(str(short)))):
            rows += [] if row is None else _agreement_bars(frames, row)
    return table(["bar", "asked", "measured", "reached"], rows, 3)


def _agreement_bars(frames: int, row: Json) -> list[list[Any]]:
    bars = (("Pearson", 1, 0.9), ("Spearman", 1, 0.85), ("MMRV", -1, 0.05), ("regret", -1, 0.05))
    asked = [f"{'at least' if sign > 0 else 'at most'} {bar}" for _, sign, bar in bars]
    reached = [MARKS[sign * row[name]["mean"] >= sign * bar] for name, sign, bar in bars]
    names = [f"agreement over {frames} frames: {name}" for name, _, _ in bars]
    return [[name, bar, row[key[0]], mark] for name, bar, key, mark in zip(names, asked, bars, reached, strict=True)]


def _last_gap(along: Mapping[str, Json]) -> float:
    last = along[max(along, key=int)]
    return float(last["gap"]["mean"] / last["twin"]["mean"])


def outside_section(worlds: Mapping[str, tuple[Json, Json | None]]) -> str:
    """Of anyone's environments: pixels above copying in their dreams, and returns of policies in the real one."""
    above, returns = {}, []
    for name, (fidelity, transfer) in worlds.items():
        shipped = next(iter(fidelity["above_copy"]))
        above[f"{name}: dream above copying"] = fidelity["above_copy"][shipped]
        above[f"{name}: right above shuffled controls"] = fidelity["shuffle_gap"][shipped]
        if transfer is not None:
            returns += [[name, row, columns["return"]] for row, columns in transfer["rows"].items()]
    heads = list(dict.fromkeys(head for row in above.values() for head in row))
    rows = [[name, *(row.get(head, "-") for head in heads)] for name, row in above.items()]
    parts = ["In dB, by frame after the context:", table(["", *heads], rows)]
    if returns:
        parts += ["Return in the real environment, mean [95 % interval]:", table(["", "policy", "return"], returns)]
    return "\n\n".join(parts)


def events_section(found: Json) -> str:
    """How soon an event can be seen once it was told, in the twin and in a dream."""
    config = found["config"]
    parts = [f"{config['drives']} drives to learn from, {config['trials']} towns an event; seconds from the telling."]
    for kind, rows in found["events"].items():
        p95 = rows["all"]["p95_s"]
        bar = f"p95 of all at most 2 s: {MARKS[p95 is not None and p95 <= 2]}"
        shown = {name: {head: "never" if v is None else v for head, v in row.items()} for name, row in rows.items()}
        parts.append(f"{kind} ({bar}):\n\n{named(shown)}")
    return "\n\n".join(parts)


def words_section(understanding: Json | None, voice: Json | None) -> str:
    """Which wordings of events are understood, read and spoken."""
    rows: list[list[Any]] = []
    if understanding is not None:
        understood, accepted = understanding["understood"], understanding["unrelated_accepted"]
        rows.append(["text: unseen wordings understood", "at least 0.9", understood, MARKS[understood["mean"] >= 0.9]])
        rows.append(["text: unrelated accepted", "at most 0.02", accepted, MARKS[accepted["mean"] <= 0.02]])
    if voice is not None:
        rows.append(["voice: event right", "reported", voice["right"]["all"], "-"])
        rows.append(["voice: other speech accepted", "reported", voice["false_accepts"], "-"])
    return table(["", "asked", "measured", "reached"], rows, 3)


def serving_section(serve: Json | None, play: Json | None, soak: Json | None) -> str:
    """What was asked of the pool and of the page, what was measured, and whether that is enough."""
    rows: list[list[Any]] = []

    def add(name: str, asked: str, measured: Any, reached: bool | None) -> None:
        rows.append([name, asked, measured, MARKS[reached]])

    if serve and (batching := serve.get("batching")):
        alone, served, apart = (row["per_second"] for row in batching)
        count = batching[0]["slots"]
        share = served / alone
        add(
            f"{count} clients of a slot each, over one batch of {count} in process", "at least 0.7", share, share >= 0.7
        )
        add("the same over no batching", "at least 3", served / apart, served / apart >= 3)
    if serve and (latency := serve.get("latency")):
        more = latency[1]["p95"] - latency[0]["p95"]
        add("one served step above one in process, p95, ms", "at most 8", more, more <= 8)
    if serve and (faults := serve.get("faults")):
        kills, wrong, worst = (faults[name] for name in ("kills", "wrong_frames", "recovery_worst"))
        add(f"wrong frames of {faults['frames']}, {kills} kills", "0", wrong, wrong == 0)
        add("slowest recovery from a kill, s", "under 5", worst, worst < 5)
    about = f"{soak['minutes']:g} minutes, page and {soak['training']['slots']} slots: " if soak else ""
    for prefix, visit in (("", play), (about, soak)):
        if visit:
            p95, most = visit["drive"]["key_to_pixel_ms"]["p95"], visit["drive"]["bar_ms"]
            add(prefix + "key to pixel, p95, ms", f"at most {most:.0f}", p95, p95 <= most)
    if soak:
        found = soak["verdict"]
        add(about + "longest stall, ms", "at most 1000", found["longest_stall_ms"], found["no_stall"])
        add(about + "growth of a process, MiB a minute", "0", found["growth_mib_a_minute"], found["no_growth"])
    return table(["bar", "asked", "measured", "reached"], rows)
