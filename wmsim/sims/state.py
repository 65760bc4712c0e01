"""Names of the true state of the Drive twin, in the order of `info["state"]`; needs no simulator to be read."""

from __future__ import annotations

CURVATURE_METRES = (0, 5, 10, 15, 20, 30)
PREVIEW_METRES = (3, 6, 10, 15, 22)
"""Where the lane is previewed: its curvature (1/m, + = left), and its points in the car's frame, this far ahead."""

STATE_NAMES: tuple[str, ...] = (
    "x_m", "y_m", "yaw_rad", "speed_mps", "yaw_rate_radps", "steer", "drive", "lane_offset_m", "heading_error_rad",
    *(f"curvature_{d}m" for d in CURVATURE_METRES),
    *(f"preview_{d}m_{axis}" for d in PREVIEW_METRES for axis in "xy"),
    "gap_m", "progress_m", "on_road", "collided", "friction",
)  # fmt: skip
"""lane_offset_m: + = left of the lane's middle. gap_m: free metres to the next road user on the lane, at most 45.
friction: of the tyres on this town's surface. steer, drive: the control that led here."""
