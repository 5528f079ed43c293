"""openvc-core and sd-jwt, timed on demand beside Handfast's SD-JWT VC.

The first line of the input is JSON: the claims, which of them are shown, and the private keys of issuer and holder for
each algorithm. Each line after it names a piece of work and how often to do it; the answer is the processor time of this
thread in nanoseconds.
"""

import json
import sys
from time import thread_time_ns

from jwcrypto.jwk import JWK
from openvc.keys import signing_key_from_jwk
from openvc.proof.sd_jwt import SdJwtVcProofSuite
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

AUDIENCE, NONCE = "https://shop.example", "nonce"


def openvc(sample, keys):
    suite = SdJwtVcProofSuite()
    issuer, holder = (signing_key_from_jwk(keys[name], name) for name in ("issuer", "holder"))
    claims = sample["always"] | sample["claims"]
    names = list(sample["claims"])

    def issue():
        return suite.issue(claims, signing_key=issuer, disclosable=names, holder_jwk=holder.public_jwk())

    token, *disclosures, _ = issue().split("~")
    chosen = "~".join([token, *disclosures[: len(sample["shown"])], ""])

    def present():
        return suite.create_presentation(chosen, holder_key=holder, audience=AUDIENCE, nonce=NONCE)

    presentation = present()

    def verify():
        return suite.verify(
            presentation,
            public_key_jwk=issuer.public_jwk(),
            audience=AUDIENCE,
            nonce=NONCE,
            require_key_binding=True,
            kb_max_age_s=86_400,
        )

    if not verify().key_bound:
        sys.exit("openvc-core finds no proof of the holder's key")
    return {"issue": issue, "present": present, "verify": verify}


def reference(sample, keys):
    """sd-jwt; it knows no holder's proof but that of ES256."""
    issuer, holder = (JWK(**keys[name]) for name in ("issuer", "holder"))
    public = JWK(**issuer.export_public(as_dict=True))
    claims = sample["always"] | {SDObj(name): value for name, value in sample["claims"].items()}

    def issue():
        return SDJWTIssuer(claims, issuer, holder, extra_header_parameters={"typ": "dc+sd-jwt"}).sd_jwt_issuance

    presenting = SDJWTHolder(issue())
    chosen = {name: True for name in sample["shown"]}

    def present():
        presenting.create_presentation(chosen, NONCE, AUDIENCE, holder)
        return presenting.sd_jwt_presentation

    presentation = present()

    def verify():
        return SDJWTVerifier(presentation, lambda *_: public, AUDIENCE, NONCE).get_verified_payload()

    if not verify().keys() >= set(sample["shown"]):
        sys.exit("sd-jwt does not show what it was to show")
    return {"issue": issue, "present": present, "verify": verify}


def main():
    sample = json.loads(sys.stdin.readline())
    keys = sample["keys"]
    makers = {
        "openvc-core/eddsa": lambda: openvc(sample, keys["eddsa"]),
        "openvc-core/es256": lambda: openvc(sample, keys["es256"]),
        "sd-jwt/es256": lambda: reference(sample, keys["es256"]),
    }
    work = {f"{name}/{step}": function for name, make in makers.items() for step, function in make().items()}
    for line in sys.stdin:
        name, count = line.split()
        function = work[name]
        start = thread_time_ns()
        for _ in range(int(count)):
            function()
        print(thread_time_ns() - start, flush=True)


main()
