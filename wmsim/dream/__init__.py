"""Our world model as a World: slots, rolling cache, sampler."""

from wmsim.dream.randomise import Randomise
from wmsim.dream.world import DreamWorld, load, shipped

__all__ = ["DreamWorld", "Randomise", "load", "shipped"]
