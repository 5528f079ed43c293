"""Refusals, one class each, named as Spec/01 §1.6, Spec/00 §0.5, Spec/05 §5.8 and Spec/07 name them.

The name that vectors use is ``code``: the name of the Python class with its first letter in lower case, unless the
class says otherwise (two chapters use the name `wrongType`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class HandfastError(Exception):
    """Any refusal. ``code`` is the Spec's name for its class, ``structure`` what was being read."""

    code: ClassVar[str] = "error"

    def __init_subclass__(cls, code: str | None = None) -> None:
        cls.code = code if code is not None else cls.__name__[0].lower() + cls.__name__[1:]

    def __init__(self, detail: str = "", structure: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.structure = structure

    def __str__(self) -> str:
        head = f"{self.structure}: {self.path}" if self.structure else self.path
        return f"{head} ({self.detail})" if self.detail else head

    @property
    def path(self) -> str:
        """The code with the code of what caused it, as in ``encoding.truncated``."""
        cause = self.__cause__
        return f"{self.code}.{cause.path}" if isinstance(cause, HandfastError) else self.code


# ---- §1.6, CBOR ----


class CBORError(HandfastError):
    """A byte string is not the one encoding of a value that may stand here."""

    in_signature = False
    """Whether it was met in the structure around a signature (§1.4), not in what is signed."""


class Truncated(CBORError): ...


class TrailingBytes(CBORError): ...


class NonMinimal(CBORError): ...


class IndefiniteLength(CBORError): ...


class UnsortedKeys(CBORError): ...


class DuplicateKey(CBORError): ...


class DepthExceeded(CBORError): ...


class SizeExceeded(CBORError): ...


class Unsupported(CBORError): ...


class WrongType(CBORError): ...


class WrongTag(CBORError): ...


class WrongLength(CBORError): ...


class OutOfRange(CBORError): ...


class BelowBound(CBORError):
    """Less than what may stand there; `malformed` in chapters 2 to 4 (§0.5)."""


class InvalidUTF8(CBORError): ...


class MissingKey(CBORError): ...


class UnknownKey(CBORError): ...


# ---- §1.6, COSE ----


class COSEError(HandfastError):
    """A key or signed structure is not as §1.3 or §1.4 demand."""


class WrongKeyType(COSEError): ...


class WrongCurve(COSEError): ...


class WrongAlgorithm(COSEError): ...


class InvalidKey(COSEError): ...


class MissingHeader(COSEError): ...


class UnsupportedHeader(COSEError): ...


class UnprotectedHeader(COSEError): ...


class InvalidProof(COSEError): ...


class WrongContentType(COSEError, code="wrongType"): ...


class PayloadMissing(COSEError): ...


class PayloadPresent(COSEError): ...


class InvalidSignature(COSEError): ...


# ---- §1.6, text ----


class TextError(HandfastError):
    """A text is not the one form of some bytes."""


class InvalidCharacter(TextError): ...


class InvalidLength(TextError): ...


class NonZeroTrailingBits(TextError): ...


# ---- §0.5, chapters 2 to 4 ----


class ProtocolError(HandfastError):
    """A structure of chapters 2 to 4 is refused; nothing has changed."""


class Malformed(ProtocolError): ...


class EncodingRefused(ProtocolError, code="encoding"): ...


class SignatureRefused(ProtocolError, code="signature"): ...


class Cryptography(ProtocolError): ...


class UnsupportedVersion(ProtocolError): ...


class TooLarge(ProtocolError): ...


class KeyLogError(ProtocolError, code="keyLog"):
    """An event does not continue the log; ``reason`` is one of `KeyLogReason`."""

    def __init__(self, reason: str, detail: str = "", structure: str = "") -> None:
        super().__init__(detail, structure)
        self.reason = reason

    @property
    def path(self) -> str:
        return f"{self.code}.{self.reason}"


class KeyLogFork(ProtocolError):
    """Two valid events with one identity and number: ``ours`` stands in the log, ``theirs`` contradicts it."""

    def __init__(self, ours: bytes, theirs: bytes, structure: str = "") -> None:
        super().__init__("", structure)
        self.ours = ours
        self.theirs = theirs


class WrongSigner(ProtocolError): ...


class KeyLogTooShort(ProtocolError): ...


class BundleNotYetValid(ProtocolError): ...


class BundleExpired(ProtocolError): ...


class WrongBundle(ProtocolError): ...


class UnknownTag(ProtocolError): ...


class NotAuthentic(ProtocolError): ...


class TooManySkipped(ProtocolError): ...


class TooManyHeld(ProtocolError): ...


class ChainExhausted(ProtocolError): ...


class UnknownResume(ProtocolError): ...


# ---- §5.8 ----


class LedgerError(HandfastError):
    """A record, a body or an export is refused; nothing has changed."""


class LedgerMalformed(LedgerError, code="malformed"): ...


class MalformedPart(LedgerError): ...


class MalformedRecord(LedgerError): ...


class MalformedType(LedgerError): ...


class MalformedBody(LedgerError): ...


class BodyTooLarge(LedgerError): ...


class TooMany(LedgerError): ...


class Inconsistent(LedgerError): ...


class LedgerVersion(LedgerError, code="unsupportedVersion"): ...


class WrongRelationship(LedgerError): ...


class WrongDirection(LedgerError): ...


class RecordNotAtHand(LedgerError): ...


class BodyMissing(LedgerError): ...


class MissingRecord(LedgerError): ...


class PreviousMismatch(LedgerError): ...


class LastSeenWentBack(LedgerError): ...


class LastSeenAhead(LedgerError): ...


class LastSeenMismatch(LedgerError): ...


class BodyDigestMismatch(LedgerError): ...


class RecordAfterEnd(LedgerError): ...


class NotEndorsed(LedgerError): ...


class KeyEventRefused(LedgerError): ...


class RecordSignature(LedgerError, code="invalidSignature"): ...


class NotAllowed(LedgerError): ...


class AwaitingOwnRecords(LedgerError): ...


class WrongIdentity(LedgerError): ...


class ReservedType(LedgerError): ...


class NotErasable(LedgerError): ...


class Handshake(LedgerError): ...


class HandshakeMismatch(LedgerError): ...


class RefusedEntry(LedgerError):
    """An entry of an export does not verify; the cause says why."""

    def __init__(self, direction: int, number: int, structure: str = "") -> None:
        super().__init__(f"direction {direction}, number {number}", structure)
        self.direction = direction
        self.number = number


class DifferentRelationships(LedgerError): ...


class ExportsDisagree(LedgerError):
    """Two exports tell two stories: from this number of this direction on, or of the inviter (no number)."""

    def __init__(self, detail: str = "", direction: int | None = None, number: int | None = None) -> None:
        super().__init__(detail or f"direction {direction}, number {number}")
        self.direction = direction
        self.number = number


# ---- §9.3 ----


class ChunkRefused(LedgerError, code="chunk"):
    """A chunk of an attachment does not open as the one of its number."""

    def __init__(self, reason: str, number: int) -> None:
        super().__init__(f"chunk {number}")
        self.reason = reason
        self.number = number

    @property
    def path(self) -> str:
        return f"{self.code}.{self.reason}"


class AttachmentDigestMismatch(LedgerError): ...


# ---- §8.6 ----


class BackupError(HandfastError):
    """A file is not a backup that the passphrase opens."""


class NotABackup(BackupError): ...


class NewerVersion(BackupError): ...


class WrongPassphrase(BackupError): ...


class Damaged(BackupError):
    """Something in it is not what was written."""


class Unfinished(BackupError):
    """It ends before its first part is whole."""


# ---- §11.9 ----


class AnonymousError(HandfastError):
    """A part of anonymous claims is refused."""


class AnonymousEncoding(AnonymousError, code="encoding"): ...


class NonCanonicalPoint(AnonymousError): ...


class NonCanonicalScalar(AnonymousError): ...


class IdentityPoint(AnonymousError): ...


class InvalidSchema(AnonymousError): ...


class InvalidValue(AnonymousError): ...


class WrongValueCount(AnonymousError): ...


class UnknownAttribute(AnonymousError): ...


class WrongIssuer(AnonymousError): ...


class RequestNotProven(AnonymousError): ...


class IssuanceNotProven(AnonymousError): ...


class WrongIndices(AnonymousError): ...


class EpochNotShown(AnonymousError): ...


class Expired(AnonymousError): ...


class EpochAhead(AnonymousError): ...


class PresentationNotProven(AnonymousError): ...


class Blocklisted(AnonymousError): ...


class NotIssued(AnonymousError): ...


class ConfirmationNotProven(AnonymousError): ...


# ---- chapter 10, JSON ----


class JSONError(HandfastError):
    """Text is not JSON as §10.5 reads it."""


class JSONSize(JSONError, code="sizeExceeded"): ...


class JSONTruncated(JSONError, code="truncated"): ...


class JSONTrailing(JSONError, code="trailingBytes"): ...


class JSONUnexpected(JSONError, code="unexpectedCharacter"): ...


class JSONInvalidText(JSONError, code="invalidText"): ...


class JSONDuplicateName(JSONError, code="duplicateName"): ...


class JSONDepth(JSONError, code="depthExceeded"): ...


class JSONNumber(JSONError, code="numberOutOfRange"): ...


# ---- chapter 10, credentials and status lists ----


class ClaimError(HandfastError):
    """A credential, its presentation or a token is refused; nothing in it is to be believed."""

    in_binding = False
    """Whether it was met in what the holder signed, not the issuer."""


class CredentialSize(ClaimError, code="sizeExceeded"): ...


class TooManyDisclosures(ClaimError): ...


class UnsupportedHash(ClaimError): ...


class CredentialAlgorithm(ClaimError, code="wrongAlgorithm"): ...


class UnsupportedKey(ClaimError): ...


class PrivateKey(ClaimError): ...


class CredentialKey(ClaimError, code="invalidKey"): ...


class MissingHolderKey(ClaimError): ...


class WrongHolderKey(ClaimError): ...


class DuplicateDigest(ClaimError): ...


class UnreferencedDisclosure(ClaimError): ...


class MisplacedDisclosure(ClaimError): ...


class UndisclosedDigest(ClaimError): ...


class ClaimExists(ClaimError): ...


class NotRedactable(ClaimError): ...


class ReservedName(ClaimError): ...


class CredentialDepth(ClaimError, code="depthExceeded"): ...


class UnknownClaim(ClaimError): ...


class ForbiddenClaim(ClaimError): ...


class NotYetValid(ClaimError): ...


class ContradictoryTimes(ClaimError): ...


class WrongCredentialAudience(ClaimError): ...


class MissingKeyBinding(ClaimError): ...


class UnexpectedKeyBinding(ClaimError): ...


class KeyBindingTooOld(ClaimError): ...


class WrongAudience(ClaimError): ...


class WrongNonce(ClaimError): ...


class WrongBinding(ClaimError): ...


class TokenMalformed(ClaimError, code="malformed"): ...


class TokenCBOR(ClaimError, code="cbor"): ...


class TokenJSON(ClaimError, code="json"): ...


class TokenText(ClaimError, code="text"): ...


class TokenHeaderMissing(ClaimError, code="missingHeader"): ...


class TokenHeader(ClaimError, code="unsupportedHeader"): ...


class TokenType(ClaimError, code="wrongType"): ...


class UnsupportedAlgorithm(ClaimError): ...


class UnknownIssuerKey(ClaimError): ...


class TokenSignature(ClaimError, code="invalidSignature"): ...


class MissingClaim(ClaimError): ...


class InvalidClaim(ClaimError): ...


class TokenExpired(ClaimError, code="expired"): ...


class IssuedInFuture(ClaimError): ...


class StatusListError(HandfastError):
    """Nothing is known of a credential's status (§10.8)."""


class TokenRefused(StatusListError, code="token"): ...


class WrongBits(StatusListError): ...


class WrongCount(StatusListError): ...


class IndexOutOfRange(StatusListError): ...


class StatusTooLarge(StatusListError): ...


class CompressedTooLarge(StatusListError): ...


class InflatedTooLarge(StatusListError): ...


class CompressionDamaged(StatusListError): ...


class CompressionTruncated(StatusListError): ...


class CompressionTrailing(StatusListError): ...


class WrongURI(StatusListError): ...


class WrongSubject(StatusListError): ...


class WrongTimes(StatusListError): ...


class Stale(StatusListError): ...


class TooOld(StatusListError): ...


# ---- chapters 6 and 7 ----


class LinkError(HandfastError):
    """The connection is over (§6.5); the peer sees no more than that."""


class HandshakeRefused(LinkError): ...


class WrongServerKey(LinkError): ...


class HandshakeEnded(LinkError): ...


class HandshakeTimedOut(LinkError): ...


class TooManyHandshakes(LinkError): ...


class UnexpectedPacket(LinkError): ...


class PacketLength(LinkError): ...


class DamagedPacket(LinkError): ...


class FrameLength(LinkError): ...


class LinkTruncated(LinkError, code="truncated"): ...


class Silent(LinkError): ...


class ConnectionLost(LinkError): ...


class Unreachable(LinkError): ...


class MalformedFrame(HandfastError, code="malformed"):
    """A frame of chapter 7 cannot be read; the connection ends."""


class RelayError(HandfastError):
    """A relay's answer 65 (§7); ``number`` is the error's."""

    NAMES: ClassVar[dict[int, str]] = {
        1: "malformed",
        2: "not attached",
        3: "refused",
        4: "limit",
        5: "closed",
        6: "no bundle",
        7: "busy",
        8: "storage",
    }

    def __init__(self, number: int) -> None:
        super().__init__(self.NAMES.get(number, f"error {number}"))
        self.number = number


@contextmanager
def reading(structure: str) -> Iterator[None]:
    """Names the structure in what is refused inside, and turns the classes of §1.6 into those of §0.5."""
    try:
        yield
    except ProtocolError as error:
        error.structure = error.structure or structure
        raise
    except (BelowBound, TextError) as error:
        raise Malformed(f"{error.code}: {error.detail}", structure) from None
    except CBORError as error:
        raise (SignatureRefused if error.in_signature else EncodingRefused)(error.detail, structure) from error
    except COSEError as error:
        raise SignatureRefused(error.detail, structure) from error


@contextmanager
def in_binding() -> Iterator[None]:
    """Marks what is refused inside as met in what the holder signed."""
    try:
        yield
    except ClaimError as error:
        error.in_binding = True
        raise


@contextmanager
def reading_as(refusal: type[LedgerError]) -> Iterator[None]:
    """Turns the classes of §1.6 into one of §5.8."""
    try:
        yield
    except (CBORError, COSEError, TextError) as error:
        raise refusal(error.detail) from error
