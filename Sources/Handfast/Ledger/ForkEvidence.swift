public import HandfastChannel
public import HandfastCrypto
internal import HandfastEncoding

/// Two contradicting statements, both signed by the peer, or by this side, each of which excludes the other.
///
/// Anybody who is shown both can verify that one identity signed them; so they are kept as they came.
///
/// - Source: Spec/05 §5.2, §5.10; Spec/02 §2.2
public enum ForkEvidence: Hashable, Sendable, CustomStringConvertible {
    /// Two records of one number: the one in the ledger and the one that came later, both without body.
    case records(kept: Entry, received: Entry)
    /// Two key events of one number: the one in the key log and the one that came later.
    case keyEvents(kept: KeyEvent, received: KeyEvent)
    /// Two key events of the peer's public identity of one number: the digest of the one that ledger or handshake holds,
    /// and the one that came later.
    case endorsement(kept: Digest, received: KeyEvent)

    /// Two own records of one number: the one in the ledger, which the peer has acknowledged, and the one that it returned.
    case ownRecords(kept: Entry, received: Entry)

    /// What happened, and what it means for the person.
    public var description: String {
        switch self {
        case .records(let kept, _):
            """
            The other side signed two different records under number \(kept.record.sequence). Either it restored an \
            old copy of its data, or it tells different stories to different people. Both records are kept as \
            evidence and nothing further is exchanged. End the relationship, and meet again by a new invitation if you \
            still trust the other side.
            """
        case .keyEvents(let kept, _):
            """
            The other side signed two different key events under number \(kept.sequence). Either it restored an old \
            copy of its keys, or someone else holds its next key. Both events are kept as evidence and nothing further \
            is exchanged. End the relationship, and meet again by a new invitation if you still trust the other side.
            """
        case .endorsement(_, let received):
            """
            The other side's public identity signed two different key events under number \(received.sequence): someone \
            else may hold its next key. Both are kept as evidence and nothing further is exchanged. End the \
            relationship, and meet again by a new invitation if you still trust the other side.
            """
        case .ownRecords(let kept, _):
            """
            Two copies of this vault have been at work: each signed a record under number \(kept.record.sequence), and \
            the other side holds both. Both are kept as evidence and nothing further is exchanged. Keep one copy of \
            the vault, end the relationship, and meet again by a new invitation.
            """
        }
    }
}

extension ForkEvidence {
    func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(3)
        switch self {
        case .records(let kept, let received):
            writer.writeUnsigned(0)
            writer.writeBytes(kept.encoded())
            writer.writeBytes(received.encoded())
        case .keyEvents(let kept, let received):
            writer.writeUnsigned(1)
            writer.writeBytes(kept.encoded())
            writer.writeBytes(received.encoded())
        case .endorsement(let kept, let received):
            writer.writeUnsigned(2)
            writer.writeBytes(kept.bytes)
            writer.writeBytes(received.encoded())
        case .ownRecords(let kept, let received):
            writer.writeUnsigned(3)
            writer.writeBytes(kept.encoded())
            writer.writeBytes(received.encoded())
        }
    }

    init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 3)
        switch try reader.readUnsigned(maximum: 3) {
        case 0:
            self = .records(
                kept: try Entry(decoding: reader.readBytes(maximum: LedgerLimits.entry)),
                received: try Entry(decoding: reader.readBytes(maximum: LedgerLimits.entry)))
        case 1:
            self = .keyEvents(
                kept: try KeyEvent(decoding: reader.readBytes(maximum: KeyEvent.maximumByteCount)),
                received: try KeyEvent(decoding: reader.readBytes(maximum: KeyEvent.maximumByteCount)))
        case 2:
            self = .endorsement(
                kept: try Digest(reading: &reader),
                received: try KeyEvent(decoding: reader.readBytes(maximum: KeyEvent.maximumByteCount)))
        default:
            self = .ownRecords(
                kept: try Entry(decoding: reader.readBytes(maximum: LedgerLimits.entry)),
                received: try Entry(decoding: reader.readBytes(maximum: LedgerLimits.entry)))
        }
    }
}
