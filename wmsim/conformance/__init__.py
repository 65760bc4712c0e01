"""The contract as executable checks: `check_world` for anyone's World, `check_env` for anyone's vector environment."""

from wmsim.conformance.probe import CheckConfig
from wmsim.conformance.report import ConformanceError, Report, Result
from wmsim.conformance.target import ENV_CHECKS, WORLD_CHECKS, check, check_env, check_world

__all__ = [
    "ENV_CHECKS",
    "WORLD_CHECKS",
    "CheckConfig",
    "ConformanceError",
    "Report",
    "Result",
    "check",
    "check_env",
    "check_world",
]
