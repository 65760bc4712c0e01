"""Checks of Gymnasium's three autoreset modes and of the final observation.

In NEXT_STEP mode the step after an end ignores the action and shows the next episode's first observation; SAME_STEP
shows it at once and puts the last one into infos["final_obs"]; DISABLED waits for reset(options={"reset_mask": ...}).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from wmsim.conformance.envprobe import Beat, EnvProbe, apart, array, flat_one, reset, run, step
from wmsim.conformance.suite import expect


def autoreset_next_step(probe: EnvProbe) -> str:
    """The step after an end ignores the action, earns nothing, is not over, and shows the next episode's beginning."""
    end = probe.first_end
    last, first = end.beats[end.at], end.beats[end.at + 1]
    for i in end.rows:
        earned = float(first.reward[i])
        fix = "declare SAME_STEP if the environment resets within the step, else spend a step on the reset"
        expect(earned == 0, f"the step after an end earned {earned:.3g} in environment {i}: {fix}")
        expect(not first.over[i], f"the step after an end is over in environment {i}: it only resets")
        expect(apart(last.obs[i], first.obs[i]) > 0, f"the step after an end shows the end again in environment {i}")
    other = _replay(probe, AutoresetMode.NEXT_STEP, end.at, shift=1)
    far = max(apart(first.obs[i], other.obs[i]) for i in end.rows)
    expect(far <= probe.tolerance, f"the step after an end obeyed the action ({far:.3g}): it must only reset")
    return f"environments {end.rows} ended at step {end.at} and began anew at the next"


def autoreset_disabled(probe: EnvProbe) -> str:
    """Nothing resets by itself; reset(options={"reset_mask": mask}) resets the masked environments alone."""
    env, end = probe.env(mode=AutoresetMode.DISABLED), probe.first_end
    beats = run(env, probe.config.seed, probe.actions(end.at))
    last, mask = beats[-1], end.beats[end.at].over
    expect(bool((last.over == mask).all()), "an episode ended at another step than in NEXT_STEP mode")
    expect(_near(probe, last, end.beats[end.at], end.rows), "the end shows another observation than in NEXT_STEP mode")
    begun = reset(env, None, {"reset_mask": mask.copy()})
    kept = np.flatnonzero(~mask).tolist()
    expect(_near(probe, begun, last, kept), "reset with a reset_mask changed an environment outside the mask")
    expect(not _near(probe, begun, last, end.rows), "reset with a reset_mask left a masked environment as it was")
    step(env, probe.actions(end.at + 1)[-1])
    _refuses_or_waits(probe, begun)
    return f"environments {end.rows} waited for their reset, {kept} were left alone"


def autoreset_same_step(probe: EnvProbe) -> str:
    """The step that ends an episode shows the next one's first observation, with that step's own reward and flags."""
    end, beat = probe.first_end, _replay(probe, AutoresetMode.SAME_STEP, probe.first_end.at - 1)
    last, first = end.beats[end.at], end.beats[end.at + 1]
    flags = bool((beat.terminated == last.terminated).all() and (beat.truncated == last.truncated).all())
    expect(flags, "the flags of the ending step differ from NEXT_STEP mode: return those of the episode that ended")
    paid = bool(np.isclose(beat.reward, last.reward, atol=1e-6 + 0.05 * probe.tolerance).all())
    expect(paid, "the reward of the ending step differs from NEXT_STEP mode: return that of the episode that ended")
    shows = "reset within the step, and keep the last one for infos['final_obs']"
    expect(_near(probe, beat, first, end.rows), f"the ending step does not show the next episode's beginning: {shows}")
    return f"environments {end.rows} began anew within step {end.at}"


def final_observation(probe: EnvProbe) -> str:
    """In SAME_STEP mode infos["final_obs"] and infos["final_info"] are those before the reset, of the ended alone."""
    end, beat = probe.first_end, _replay(probe, AutoresetMode.SAME_STEP, probe.first_end.at - 1)
    last = end.beats[end.at]
    for name in ("final_obs", "final_info"):
        there = name in beat.infos and f"_{name}" in beat.infos
        expect(there, f"infos lack {name!r} or its mask '_{name}': learners bootstrap from it")
        mask = np.asarray(beat.infos[f"_{name}"])
        expect(bool((mask == last.over).all()), f"'_{name}' marks {mask.tolist()}, ended are {last.over.tolist()}")
    for i in end.rows:
        far = apart(flat_one(beat.infos["final_obs"][i]), last.obs[i])
        fix = "copy the observation before resetting"
        expect(far <= probe.tolerance, f"final_obs of environment {i} is {far:.3g} from the episode's last one: {fix}")
        _check_info(beat.infos["final_info"], last.infos, i, probe.tolerance)
    return f"environments {end.rows} kept their last observation and info"


# --- parts -----------------------------------------------------------------------------------------------------------


def _replay(probe: EnvProbe, mode: AutoresetMode, steps: int, shift: int = 0) -> Beat:
    """The beat after `steps` steps of the script and one more, whose actions are a neighbour's when shift is 1."""
    env = probe.env(mode=mode)
    run(env, probe.config.seed, probe.actions(steps))
    return step(env, probe.actions(steps + 1, shift=shift)[-1])


def _near(probe: EnvProbe, a: Beat, b: Beat, rows: list[int]) -> bool:
    return all(apart(a.obs[i], b.obs[i]) <= probe.tolerance for i in rows)


def _refuses_or_waits(probe: EnvProbe, begun: Beat) -> None:
    """Stepping over an end may raise or go on, but it must not begin the next episode by itself."""
    env, end = probe.env(mode=AutoresetMode.DISABLED), probe.first_end
    run(env, probe.config.seed, probe.actions(end.at))
    try:
        beat = step(env, probe.actions(end.at + 1)[-1])
    except Exception:
        return
    expect(not _near(probe, beat, begun, end.rows), "an environment reset itself in DISABLED mode: wait for the reset")


def _check_info(final: dict[str, Any], last: Any, i: int, tolerance: float) -> None:
    for name, value in last.items():
        if name.startswith("_") or not _number(value):
            continue
        expect(name in final, f"final_info lacks {name!r}: keep the whole info of the last step")
        far = float(np.abs(array(final[name])[i].astype(float) - array(value)[i].astype(float)).max(initial=0.0))
        bound = 1e-6 + 0.05 * tolerance * (1 + float(np.abs(array(value)[i].astype(float)).max(initial=0.0)))
        expect(far <= bound, f"final_info[{name!r}] of environment {i} is not that of the last step")


def _number(value: Any) -> bool:
    return not isinstance(value, dict) and np.issubdtype(_kind(value), np.number)


def _kind(value: Any) -> np.dtype[Any]:
    return np.asarray(array(value)).dtype
