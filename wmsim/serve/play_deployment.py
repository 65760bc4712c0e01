"""The play server as a Ray Serve deployment: the same application on a cluster, each replica with sessions of its own.

from ray import serve
from wmsim.serve.play_config import PlayConfig
from wmsim.serve.play_deployment import play_deployment

serve.run(play_deployment(PlayConfig(host="0.0.0.0", token="...", hosts=("play.example.org",)), "ray://pool"))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wmsim.serve.play_config import PlayConfig
from wmsim.serve.play_server import open_target


def play_deployment(config: PlayConfig, target: str, settings: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """The bound application for `serve.run`.

    config: who may come in; Ray Serve itself decides where to listen, so name the token and the hosts. target,
    settings: as `wmsim play` takes them; opened in each replica. options: of `serve.deployment` (num_replicas, ...).
    A session lives in the replica that opened it; a replica that is killed ends its sessions. ImportError: Ray Serve
    is missing.
    """
    try:
        from ray import serve
    except ImportError as missing:
        raise ImportError(f"Ray Serve is missing ({missing}): pip install 'ray[serve]'") from missing

    seats = config.limits.sessions

    class Play:
        def __init__(self) -> None:
            self._opened = open_target(target, seats, settings or {})

        def __serve_build_asgi_app__(self) -> Any:
            from wmsim.serve.play_app import make_app

            told = replace(config, made=self._opened.made)
            return make_app(told, self._opened.world, self._opened.twin, self._opened.camera)

        def __del__(self) -> None:
            if hasattr(self, "_opened"):
                self._opened.close()

    # Every session is one long request; the page's own files and figures are some more.
    asked = {"max_ongoing_requests": 8 * seats + 64, **options}
    return serve.deployment(**asked)(serve.ingress()(Play)).bind()
