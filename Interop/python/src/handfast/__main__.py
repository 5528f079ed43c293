"""`python -m handfast`: verify ledgers, or meet another implementation over its relay."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from .address import Relay
from .encoding.text import base32, from_hex
from .errors import HandfastError
from .export import Export, compare, verify
from .party import Host, Party
from .record import Direction, Entry, read_body


def _verify(paths: list[Path]) -> None:
    exports = [Export.decode(path.read_bytes()) for path in paths]
    for path, export in zip(paths, exports, strict=True):
        verified = verify(export)
        counts = " + ".join(str(len(side.entries)) for side in verified.sides)
        print(f"{path}: relationship {base32(verified.relationship)}, {counts} records, signer {verified.signer.name}")
    for other in exports[1:]:
        compare(exports[0], other)


def _show(news: list[object]) -> None:
    for entry in news:
        if isinstance(entry, Entry) and entry.body is not None:
            print(f"{entry.record.number} {entry.record.type} {read_body(entry.body)}", flush=True)


async def _talk(party: Party, arguments: argparse.Namespace) -> None:
    print(f"words {party.words}\nrelationship {base32(party.ledger.relationship)}", flush=True)
    peer = party.ledger.role.other
    if arguments.batch:
        await party.batch(*arguments.say)
    else:
        for text in arguments.say:
            await party.say(text)
    if arguments.rotate:
        await party.rotate()
    sent = [await party.attach(path.read_bytes(), path.name) for path in arguments.attach]
    try:
        if arguments.rejoin:
            await party.rejoin()
            while party.channel is None:
                _show(list(await party.receive(arguments.wait)))
        while any(not party.sendings[number].ended for number in sent):
            _show(list(await party.receive(arguments.wait)))
        while len(party.ledger.entries(peer)) < arguments.until:
            _show(list(await party.receive(arguments.wait)))
        if arguments.end:
            await party.end()
            _show(list(await party.receive(arguments.wait)))
    finally:
        if arguments.export is not None:
            arguments.export.write_bytes(party.export().encode())
        for refusal in party.refusals:
            print(f"refused: {refusal}", file=sys.stderr)
        await party.close()


async def _accept(arguments: argparse.Namespace) -> None:
    await _talk(await Party.accept(arguments.uri, wait=arguments.wait), arguments)


async def _invite(arguments: argparse.Namespace) -> None:
    host = await Host.open(Relay(arguments.host, arguments.port, from_hex(arguments.key)))
    print(await host.invite(), flush=True)
    try:
        party = await host.welcome(arguments.name, arguments.wait)
        while not party.ledger.entries(Direction.INVITEE):
            _show(list(await party.receive(arguments.wait)))
        await _talk(party, arguments)
    finally:
        await host.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m handfast", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("verify", help="verify exports, and that they agree")
    command.add_argument("paths", nargs="+", type=Path)
    command.set_defaults(run=lambda arguments: _verify(arguments.paths))
    talking = argparse.ArgumentParser(add_help=False)
    talking.add_argument("--say", action="append", default=[], help="a text to send; may be repeated")
    talking.add_argument("--batch", action="store_true", help="sign the texts by one signature")
    talking.add_argument("--attach", action="append", default=[], type=Path, help="a file to send; may be repeated")
    talking.add_argument("--rejoin", action="store_true", help="begin a new epoch after that")
    talking.add_argument("--rotate", action="store_true", help="rotate the identity after that")
    talking.add_argument("--until", type=int, default=0, help="wait for so many records of the peer")
    talking.add_argument("--end", action="store_true", help="end the relationship and wait for the answer")
    talking.add_argument("--export", type=Path, help="write the ledger here at last")
    talking.add_argument("--wait", type=float, default=30.0, help="seconds to wait for each message")
    command = commands.add_parser("accept", parents=[talking], help="accept an invitation")
    command.add_argument("uri")
    command.set_defaults(run=lambda arguments: asyncio.run(_accept(arguments)))
    command = commands.add_parser("invite", parents=[talking], help="invite by way of a relay")
    command.add_argument("host")
    command.add_argument("port", type=int)
    command.add_argument("key", help="the relay's link key, in hex")
    command.add_argument("--name", default="Python")
    command.set_defaults(run=lambda arguments: asyncio.run(_invite(arguments)))
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except (HandfastError, OSError, TimeoutError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
