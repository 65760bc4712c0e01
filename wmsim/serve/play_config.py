"""Settings of the play server: where it listens, who may come in, and how much each session may ask for."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """What one session may ask for, and how many there may be.

    sessions: at the same time, also the slots of the world that is opened for them. session_seconds, idle_seconds:
    after so long, or so long without a message, the slot is given back. message_bytes: the largest message (a photo);
    text_bytes: the largest command. messages_per_second: of any kind, on average, with bursts of twice as many;
    commands_per_second: of texts, photos and spoken messages; leaps_per_second: of those commands that cost more than a
    step (resets, rewinds, photos, speech, the twin). photo_pixels: of an uploaded picture before it is made smaller.
    rewind_seconds, snapshot_seconds: how far back and how finely. turns: futures left behind that can be returned to.
    film_seconds: longest film; voice_seconds: longest spoken message. unseen: frames sent and not yet painted, beyond
    which further ones are dropped.
    """

    sessions: int = 4
    session_seconds: float = 3600.0
    idle_seconds: float = 300.0
    message_bytes: int = 6_000_000
    text_bytes: int = 1024
    messages_per_second: float = 200.0
    commands_per_second: float = 5.0
    leaps_per_second: float = 1.0
    photo_pixels: int = 24_000_000
    rewind_seconds: float = 20.0
    snapshot_seconds: float = 0.5
    turns: int = 4
    film_seconds: float = 120.0
    voice_seconds: float = 6.0
    unseen: int = 6

    def __post_init__(self) -> None:
        """ValueError: a limit of 0 or less, which would let nobody in."""
        for name, number in vars(self).items():
            if number <= 0:
                raise ValueError(f"{name} is above 0, got {number}")


@dataclass(frozen=True)
class PlayConfig:
    """Where the server listens and what it shows.

    host, port: address; port 0 takes a free one. token: what a visitor must bring; needed when host is no loopback
    address. hosts: names under which the server is reached besides its own; origins: pages elsewhere ("https://name")
    that may open sessions. made: what the picture is, "generated" by a network or "simulated". twin_made: likewise.
    """

    host: str = "127.0.0.1"
    port: int = 8017
    token: str = ""
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    made: str = "generated"
    twin_made: str = "simulated"
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """ValueError: an address outside this machine without a token, or a token that is easily guessed."""
        if not self.token and not is_loopback(self.host):
            raise ValueError(f"{self.host} is reached from other machines: pass a token of at least 16 characters")
        if self.token and (len(self.token) < 16 or not self.token.isascii() or not self.token.isprintable()):
            raise ValueError(f"a token has at least 16 printable ASCII characters, this one has {len(self.token)}")


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
