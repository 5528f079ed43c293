"""The program `handfast` of the Swift package, run as a person runs it: a relay, vaults, nodes, commands.

`HANDFAST` in the environment names the program. Everything is on loopback, in one folder; every process is ended by
its number.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handfast.address import Relay
from handfast.encoding.text import from_base64url

PROGRAM = os.environ.get("HANDFAST", "")


@dataclass
class Stage:
    """A folder, and the processes that were started in it."""

    folder: Path
    daemons: list[Process] = field(default_factory=list)

    @property
    def _environment(self) -> dict[str, str]:
        # Nothing from outside may change what happens here.
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.folder), "TZ": "UTC"}

    async def run(self, *arguments: str, stdin: str = "") -> str:
        """What a command prints; one that fails is an `AssertionError` with what it says."""
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=self._environment
        )
        try:
            output, errors = await process.communicate(stdin.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, f"handfast {' '.join(arguments)}: {errors.decode()}"
        return output.decode()

    async def start(self, *arguments: str) -> str:
        """Starts what runs until it is stopped; the line that it prints once it is ready."""
        log = (self.folder / f"daemon-{len(self.daemons)}.log").open("wb")
        with log:
            process = await asyncio.create_subprocess_exec(
                PROGRAM, *arguments, stdout=PIPE, stderr=log, env=self._environment
            )
        self.daemons.append(process)
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode().strip()
        assert line, f"handfast {' '.join(arguments)} ended: {Path(log.name).read_text()}"
        return line

    async def stop(self, *some: Process) -> None:
        """Ends these processes, or all."""
        for process in some or self.daemons:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        for process in some or self.daemons:
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    scene = Stage(folder)
    try:
        yield scene
    finally:
        await scene.stop()


async def start_relay(scene: Stage, name: str = "relay") -> tuple[str, Relay]:
    """Starts a Swift relay at a free port: the address as commands take it, and as this package does."""
    text = await scene.start("relay", "run", "--listen", "127.0.0.1:0", "--folder", str(scene.folder / name))
    place, key = text.split("/")
    host, port = place.rsplit(":", 1)
    return text, Relay(host, int(port), from_base64url(key))


@dataclass
class Node:
    """A vault with its running node."""

    scene: Stage
    vault: str
    process: Process = field(init=False)

    @classmethod
    async def start(cls, scene: Stage, relay: str, name: str, *options: str) -> Node:
        node = cls(scene, str(scene.folder / "vault"))
        await node.run("init", "--relay", relay, "--name", name, *options)
        await node.wake()
        return node

    async def wake(self) -> None:
        await self.scene.start("--vault", self.vault, "node", "run")
        self.process = self.scene.daemons[-1]

    async def sleep(self) -> None:
        await self.scene.stop(self.process)

    async def run(self, *arguments: str, stdin: str = "") -> str:
        return await self.scene.run("--vault", self.vault, *arguments, stdin=stdin)

    async def ask(self, *arguments: str) -> Any:
        return json.loads(await self.run(*arguments, "--json"))

    async def until(self, holds: Callable[[Any], bool], *arguments: str) -> Any:
        """Asks until it is as it has to be; the caller's time limit ends what never comes."""
        while not holds(answer := await self.ask(*arguments)):
            await asyncio.sleep(0.05)
        return answer

    async def texts(self, peer: str, count: int) -> list[str]:
        """Waits until so many texts of the peer are there."""

        def found(answer: Any) -> list[str]:
            return [entry["text"] for entry in answer["entries"] if entry.get("text") is not None]

        read = ("read", peer, "--from", "peer", "--wait", "0")
        return found(await self.until(lambda answer: len(found(answer)) >= count, *read))
