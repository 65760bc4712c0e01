"""One program per table of figures: fidelity and speed, always beside the twin, and the demo."""
