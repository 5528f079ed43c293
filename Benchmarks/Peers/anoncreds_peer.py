"""AnonCreds (PyPI anoncreds, in Rust), timed on demand beside Handfast's anonymous claims.

A credential of eight attributes, of which two are shown, without revocation. It writes `ready` once it has issued one; each
line of the input then names `present`, `verify` or `size` and how often; the answer is the processor time of this thread
in nanoseconds, or the bytes of a presentation as they travel (JSON).
"""

import sys
from time import thread_time_ns

try:
    from anoncreds import (
        Credential,
        CredentialDefinition,
        CredentialOffer,
        CredentialRequest,
        PresentCredentials,
        Presentation,
        PresentationRequest,
        Schema,
        create_link_secret,
        generate_nonce,
    )
except ImportError:
    print("missing", flush=True)
    sys.exit()

ISSUER, SCHEMA, DEFINITION = "did:key:shop", "schema:member", "definition:member"
VALUES = {
    "epoch": "20454",
    "level": "gold",
    "since": "2019",
    "country": "NO",
    "plan": "family",
    "discount": "15",
    "region": "north",
    "newsletter": "weekly",
}


def main():
    schema = Schema.create("member", "1.0", ISSUER, list(VALUES))
    definition, private, proof = CredentialDefinition.create(SCHEMA, schema, ISSUER, "tag", "CL")
    secret = create_link_secret()
    offer = CredentialOffer.create(SCHEMA, DEFINITION, proof)
    request, metadata = CredentialRequest.create("entropy", None, definition, secret, "secret", offer)
    credential = Credential.create(definition, private, offer, request, VALUES)
    credential = credential.process(metadata, secret, definition)
    asked = PresentationRequest.load(
        {
            "name": "member",
            "version": "0.1",
            "nonce": generate_nonce(),
            "requested_attributes": {"epoch": {"name": "epoch"}, "level": {"name": "level"}},
            "requested_predicates": {},
        }
    )
    schemas, definitions = {SCHEMA: schema}, {DEFINITION: definition}

    def present():
        chosen = PresentCredentials()
        chosen.add_attributes(credential, "epoch", reveal=True)
        chosen.add_attributes(credential, "level", reveal=True)
        return Presentation.create(asked, chosen, {}, secret, schemas, definitions)

    shown = present()

    def verify():
        if not shown.verify(asked, schemas, definitions):
            sys.exit("anoncreds does not verify its own presentation")

    print("ready", flush=True)
    for line in sys.stdin:
        name, count = line.split()
        if name == "size":
            print(len(shown.to_json().encode()) * int(count), flush=True)
            continue
        work = {"present": present, "verify": verify}[name]
        start = thread_time_ns()
        for _ in range(int(count)):
            work()
        print(thread_time_ns() - start, flush=True)


main()
