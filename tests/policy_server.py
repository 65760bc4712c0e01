"""A policy server for tests, in a process of its own: `python policy_server.py PORT MOOD`.

It speaks openpi's protocol through msgpack and websockets alone, so that both sides do not share a mistake.
"""

import asyncio
import sys
import traceback
from typing import Any

import msgpack
import numpy as np
import websockets
from websockets.asyncio.server import serve

CHUNK = 4


def packed(array: np.ndarray) -> dict[bytes, Any]:
    """An array as openpi's msgpack_numpy writes it."""
    return {b"__ndarray__": True, b"data": array.tobytes(), b"dtype": array.dtype.str, b"shape": array.shape}


def read(found: dict[Any, Any]) -> Any:
    """An array as openpi's msgpack_numpy reads it."""
    if b"__ndarray__" in found:
        return np.ndarray(buffer=found[b"data"], dtype=np.dtype(found[b"dtype"]), shape=found[b"shape"])
    return found


def infer(request: dict[str, Any], mood: str) -> dict[str, Any]:
    """The picture's brightness, and the state counted on."""
    assert request["prompt"] == "keep right"
    picture, state = request["observation/image"], request["observation/state"]
    assert picture.shape == (4, 4, 3)
    assert picture.dtype == np.uint8
    actions = np.stack([np.full(CHUNK, picture.mean()), state[0] + np.arange(CHUNK)], 1).astype(np.float64)
    if mood == "fails":
        return {"actions": 1 / 0}
    if mood == "mute":
        return {"nothing": 0}
    return {"actions": packed(actions / (0 if mood == "infinite" else 1)), "server_timing": {"infer_ms": 0.1}}


async def main(port: int, mood: str) -> None:
    """Serve for ever; a server that "leaves" breaks its first connection after one answer."""
    left = mood == "leaves"

    async def handle(connection: Any) -> None:
        nonlocal left
        greeting = {"robot": "car", "authorised": connection.request.headers.get("Authorization", "")}
        await connection.send(msgpack.packb(greeting))
        try:
            async for message in connection:
                try:
                    answer = infer(msgpack.unpackb(message, object_hook=read), mood)
                except Exception:
                    await connection.send(traceback.format_exc())
                    await connection.close(1011)
                    return
                await connection.send(msgpack.packb(answer))
                if left:
                    left = False
                    await connection.close()
                    return
        except websockets.ConnectionClosed:
            return

    async with serve(handle, "127.0.0.1", port, compression=None, max_size=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    np.seterr(all="ignore")
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
