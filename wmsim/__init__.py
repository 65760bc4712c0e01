"""World models as Gymnasium environments; importing it registers the ids `wmsim/Drive-v0`, `wmsim/Toy-v0` and, for
worlds trained on anything else, `wmsim/World-v0`."""

from gymnasium.envs.registration import register, registry

from wmsim.control import Control
from wmsim.world import Snapshot, Start, Step, World, WorldSpec

__version__ = "0.1.0"
__all__ = ["Control", "Snapshot", "Start", "Step", "World", "WorldSpec", "__version__"]

_IDS = {"wmsim/Drive-v0": "drive", "wmsim/Toy-v0": "toy", "wmsim/World-v0": "world"}

# The time limit lies inside the environments (`Task.max_episode_frames`), not in the spec: Gymnasium's TimeLimit
# wrapper exists for single environments only, so with it gym.make and gym.make_vec would not give the same episodes.
# Order enforcing and space checks lie inside too, so gym.make returns the bare WorldEnv with its snapshot and fork.
for _id, _task in _IDS.items():
    if _id not in registry:
        register(
            _id,
            entry_point="wmsim.env:WorldEnv",
            vector_entry_point="wmsim.env:WorldVectorEnv",
            order_enforce=False,
            disable_env_checker=True,
            kwargs={"task": _task},
        )
