"""Training a world model on recorded episodes: `wmsim train data=PATH`, resumable, alone or under `torchrun`."""

from wmsim.train.program import TrainConfig, main, train

__all__ = ["TrainConfig", "main", "train"]
