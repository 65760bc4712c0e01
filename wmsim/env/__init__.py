"""Tasks on worlds as Gymnasium environments: one slot as `WorldEnv`, n slots as `WorldVectorEnv`."""

from wmsim.env.episodes import EnvSnapshot, episode_seed
from wmsim.env.single import WorldEnv
from wmsim.env.task import TASKS, EnvConfig, Task
from wmsim.env.vector import WorldVectorEnv

__all__ = ["TASKS", "EnvConfig", "EnvSnapshot", "Task", "WorldEnv", "WorldVectorEnv", "episode_seed"]
