"""cbor2's compiled extension, timed on demand beside Handfast's CBOR.

The first two lines of the input are a ledger entry and a message body in hexadecimal digits. Each line after them names
a piece of work and how often to do it; the answer is the processor time of this thread in nanoseconds.
"""

import sys
from time import thread_time_ns

from cbor2 import CBORTag, dumps, loads


def decode_entry(entry):
    """Everything in an entry: the array, the COSE_Sign1, its protected header and its payload."""
    record, salt, body = loads(entry)
    protected, unprotected, payload, signature = loads(record).value
    return (loads(protected), unprotected, loads(payload), signature), salt, body


def encode_entry(parts):
    """The way back."""
    (protected, unprotected, payload, signature), salt, body = parts
    record = dumps(CBORTag(18, [dumps(protected), unprotected, dumps(payload), signature]))
    return dumps([record, salt, body])


def main():
    entry = bytes.fromhex(sys.stdin.readline())
    message = bytes.fromhex(sys.stdin.readline())
    parts, text = decode_entry(entry), loads(message)
    if encode_entry(parts) != entry or dumps(text) != message:
        sys.exit("cbor2 encodes the samples otherwise")
    work = {
        "entry/decode": (decode_entry, entry),
        "entry/encode": (encode_entry, parts),
        "message/decode": (loads, message),
        "message/encode": (dumps, text),
    }
    for line in sys.stdin:
        name, count = line.split()
        function, argument = work[name]
        start = thread_time_ns()
        for _ in range(int(count)):
            function(argument)
        print(thread_time_ns() - start, flush=True)


main()
