internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// What a record says, as far as this version understands it.
enum RecordMeaning: Hashable, Sendable {
    case message(TextMessage)
    case attachment(AttachmentMessage)
    case claimRequest(ClaimRequest)
    case claimPresentation(ClaimPresentation)
    case claimResult(ClaimResult)
    case introduction(Introduction)
    case rotation(KeyEvent)
    case revocation(KeyEvent)
    case endorsement(KeyEvent)
    case move([Address])
    case ending(Ending)
    /// The type is not one of ours; the body is a map with text keys.
    case unknown
    /// The body has been erased.
    case erased

    /// Reads the body of a record of this type; nil is an erased body.
    init(of type: RecordType, body: [UInt8]?) throws(RelationshipError) {
        guard let body else {
            self = .erased
            return
        }
        if type == .textMessage, let message = TextMessage(plain: body) {
            self = .message(message)
            return
        }
        let map = try Self.map(body, of: type)
        switch type {
        case .textMessage: self = .message(try Self.decode(map))
        case .attachment: self = .attachment(try Self.decode(map))
        case .claimRequest: self = .claimRequest(try Self.decode(map))
        case .claimPresentation: self = .claimPresentation(try Self.decode(map))
        case .claimResult: self = .claimResult(try Self.decode(map))
        case .introduce: self = .introduction(try Self.decode(map))
        case .end: self = .ending(try Self.decode(map))
        case .move:
            let move: Move = try Self.decode(map)
            do {
                self = .move(try move.read())
            } catch {
                throw .malformedBody(type, reason: "an address cannot be read")
            }
        case .rotate:
            let rotation: Rotation = try Self.decode(map)
            self = .rotation(try Self.event(rotation.event, kinds: [.rotation], of: type))
        case .revoke:
            let revocation: Revocation = try Self.decode(map)
            self = .revocation(try Self.event(revocation.event, kinds: [.revocation], of: type))
        case .endorse:
            let endorsement: Endorsement = try Self.decode(map)
            self = .endorsement(try Self.event(endorsement.event, kinds: [.rotation, .revocation], of: type))
        default: self = .unknown
        }
    }

    static func decode<B: RecordBody>(_ map: CBORValue) throws(RelationshipError) -> B {
        let body: B
        do {
            body = try CBORDecoder().decode(B.self, from: map)
        } catch {
            throw .malformedBody(B.recordType, reason: reason(for: error))
        }
        if let fault = body.fault { throw .malformedBody(B.recordType, reason: fault) }
        return body
    }

    /// Reads a body that is no record's.
    static func decode<T: Decodable>(
        _ kind: T.Type, from body: [UInt8], of type: RecordType
    ) throws(RelationshipError) -> T {
        do {
            return try CBORDecoder().decode(kind, from: map(body, of: type))
        } catch {
            throw error as? RelationshipError ?? .malformedBody(type, reason: reason(for: error))
        }
    }

    private static func event(
        _ bytes: [UInt8], kinds: [KeyEvent.Kind], of type: RecordType
    ) throws(RelationshipError) -> KeyEvent {
        let event: KeyEvent
        do {
            event = try KeyEvent(decoding: bytes.bytes)
        } catch {
            throw .malformedBody(type, reason: error.description)
        }
        guard kinds.contains(event.kind) else { throw .malformedBody(type, reason: "the event is of another kind") }
        return event
    }

    /// Encodes a body that the peer will accept as far as its form goes.
    static func encode(_ body: some Encodable, as type: RecordType) throws(RelationshipError) -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try CBOREncoder().encode(body)
        } catch {
            throw .malformedBody(type, reason: "it cannot be encoded: \(error)")
        }
        _ = try map(bytes, of: type)
        return bytes
    }

    /// Reads a body of any type: a map with text keys.
    static func map(_ body: [UInt8], of type: RecordType) throws(RelationshipError) -> CBORValue {
        guard body.count <= LedgerLimits.body else { throw .bodyTooLarge(bytes: body.count) }
        let value: CBORValue
        do {
            value = try CBORValue(decoding: body)
        } catch {
            throw .malformedBody(type, reason: error.description)
        }
        guard case .map(let map) = value, map.entries.allSatisfy({ $0.key.type == .text }) else {
            throw .malformedBody(type, reason: "it is not a map with text keys")
        }
        return value
    }

    private static func reason(for error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "\"\(key.stringValue)\" is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\": \(context.debugDescription)"
        default: "it cannot be read"
        }
    }
}
