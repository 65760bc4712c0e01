"""What acts in a world: the Policy protocol; random, scripted, replayed, from an ONNX file, from a remote server."""

from wmsim.policy.driver import DriverConfig, ScriptedDriver, pursuit
from wmsim.policy.onnx import OnnxPolicy, save_policy
from wmsim.policy.protocol import Executor, Policy, rows_of
from wmsim.policy.random import RandomPolicy, WanderPolicy
from wmsim.policy.remote import RemoteConfig, RemotePolicy
from wmsim.policy.replay import ReplayPolicy

__all__ = [
    "DriverConfig",
    "Executor",
    "OnnxPolicy",
    "Policy",
    "RandomPolicy",
    "RemoteConfig",
    "RemotePolicy",
    "ReplayPolicy",
    "ScriptedDriver",
    "WanderPolicy",
    "pursuit",
    "rows_of",
    "save_policy",
]
