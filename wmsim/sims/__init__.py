"""The simulators: each one a World whose frames are computed, not dreamt."""
