internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding
public import HandfastStore

/// What a relay sends: answers to requests, and pushes of its own.
/// - Source: Spec/07
public enum RelayFrame: Equatable, Sendable {
    /// The request was done.
    case answer(request: UInt32, RelayAnswer)
    /// The request was not done.
    case refusal(request: UInt32, RelayRefusal)
    /// Messages for the service that this connection has subscribed to.
    case push([Delivery])

    private static let answerVerb: UInt64 = 64
    private static let refusalVerb: UInt64 = 65
    private static let pushVerb: UInt64 = 32

    /// The frame's bytes.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: sizeEstimate)
        switch self {
        case .answer(let request, let answer):
            writer.writeArrayHeader(2 + answer.fieldCount)
            writer.writeUnsigned(Self.answerVerb)
            writer.writeUnsigned(UInt64(request))
            answer.write(to: &writer)
        case .refusal(let request, let refusal):
            writer.writeArrayHeader(3)
            writer.writeUnsigned(Self.refusalVerb)
            writer.writeUnsigned(UInt64(request))
            writer.writeUnsigned(UInt64(refusal.rawValue))
        case .push(let deliveries):
            writer.writeArrayHeader(3)
            writer.writeUnsigned(Self.pushVerb)
            writer.writeUnsigned(0)
            writer.writeArrayHeader(deliveries.count)
            for delivery in deliveries {
                writer.writeArrayHeader(3)
                writer.writeUnsigned(delivery.position)
                writer.writeBytes(delivery.queue.value.bytes)
                switch delivery.content {
                case .message(let bytes):
                    writer.writeBytes(bytes)
                case .notice(let notice):
                    writer.writeArrayHeader(2)
                    writer.writeUnsigned(notice.expired)
                    writer.writeUnsigned(UInt64(notice.refusal.rawValue))
                }
            }
        }
        return writer.bytes
    }

    private var sizeEstimate: Int {
        switch self {
        case .answer(_, .results(let results)): 16 + results.count * 48
        case .answer(_, .bundle(let bundle)): 16 + bundle.count
        case .answer, .refusal: 32
        case .push(let deliveries): deliveries.reduce(16) { $0 + $1.byteCount + 32 }
        }
    }

    /// Reads a frame of at most 1 MiB.
    ///
    /// The answer's form follows from its fields; whether it fits the request is the caller's to check.
    /// - Throws: ``RelayError/malformedFrame(_:)``, ``RelayError/unexpectedFrame``
    public static func decode(_ frame: RawSpan) throws(RelayError) -> RelayFrame {
        var reader = CBORReader(frame)
        do {
            let count = try reader.readArrayHeader(maximum: 4)
            guard count >= 2 else { throw RelayError.unexpectedFrame }
            let verb = try reader.readUnsigned()
            let request = try reader.readUnsigned(as: UInt32.self)
            let decoded: RelayFrame
            switch (verb, count) {
            case (answerVerb, _):
                decoded = .answer(request: request, try RelayAnswer(reading: &reader, fieldCount: count - 2))
            case (refusalVerb, 3):
                guard let refusal = RelayRefusal(rawValue: try reader.readUnsigned(as: UInt8.self)) else {
                    throw RelayError.unexpectedFrame
                }
                decoded = .refusal(request: request, refusal)
            case (pushVerb, 3) where request == 0:
                decoded = .push(try readDeliveries(&reader))
            default:
                throw RelayError.unexpectedFrame
            }
            try reader.finish()
            return decoded
        } catch let error as CBORError {
            throw .malformedFrame(error)
        } catch {
            throw .unexpectedFrame
        }
    }

    private static func readDeliveries(_ reader: inout CBORReader) throws -> [Delivery] {
        let count = try reader.readArrayHeader(maximum: RelayLimit.pushMessages)
        guard count > 0 else { throw RelayError.unexpectedFrame }
        var deliveries: [Delivery] = []
        deliveries.reserveCapacity(count)
        for _ in 0..<count {
            try reader.readArrayHeader(count: 3)
            let position = try reader.readUnsigned()
            let queue = try QueueID(reading: &reader)
            deliveries.append(Delivery(position: position, queue: queue, try readContent(&reader)))
        }
        return deliveries
    }

    private static func readContent(_ reader: inout CBORReader) throws -> Delivery.Content {
        if try reader.peekType() == .bytes {
            return .message(try reader.readByteArray(maximum: RelayLimit.envelopeCount))
        }
        try reader.readArrayHeader(count: 2)
        let expired = try reader.readUnsigned()
        guard let refusal = QueueNotice.Refusal(rawValue: try reader.readUnsigned(as: UInt8.self)) else {
            throw RelayError.unexpectedFrame
        }
        return .notice(QueueNotice(expired: expired, refusal: refusal))
    }
}

/// What a relay answers to a request that was done.
public enum RelayAnswer: Hashable, Sendable {
    /// It is done; there is nothing to add.
    case done
    /// Where the attached service stands.
    case attached(acknowledged: UInt64, last: UInt64)
    /// The bundle in force.
    case bundle([UInt8])
    /// One result for each item of a put.
    case results([PutResult])

    var fieldCount: Int {
        switch self {
        case .done: 0
        case .attached: 2
        case .bundle, .results: 1
        }
    }

    func write(to writer: inout CBORWriter) {
        switch self {
        case .done:
            break
        case .attached(let acknowledged, let last):
            writer.writeUnsigned(acknowledged)
            writer.writeUnsigned(last)
        case .bundle(let bundle):
            writer.writeBytes(bundle)
        case .results(let results):
            writer.writeArrayHeader(results.count)
            for result in results { result.write(to: &writer) }
        }
    }

    init(reading reader: inout CBORReader, fieldCount: Int) throws {
        switch fieldCount {
        case 0:
            self = .done
        case 2:
            let acknowledged = try reader.readUnsigned()
            self = .attached(acknowledged: acknowledged, last: try reader.readUnsigned())
        default:
            if try reader.peekType() == .bytes {
                self = .bundle(try reader.readByteArray(maximum: Bundle.maximumByteCount))
                return
            }
            let count = try reader.readArrayHeader(maximum: RelayLimit.putItems)
            guard count > 0 else { throw RelayError.unexpectedFrame }
            var results: [PutResult] = []
            results.reserveCapacity(count)
            for _ in 0..<count {
                results.append(try PutResult(reading: &reader))
            }
            self = .results(results)
        }
    }
}

extension PutResult {
    fileprivate func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(status == .throttled ? 6 : 4)
        writer.writeUnsigned(UInt64(status.rawValue))
        writer.writeUnsigned(next)
        writer.writeBytes(digest.bytes)
        writer.writeUnsigned(expired)
        guard status == .throttled else { return }
        writer.writeUnsigned(UInt64(room))
        writer.writeUnsigned(UInt64(wait))
    }

    fileprivate init(reading reader: inout CBORReader) throws {
        let count = try reader.readArrayHeader(maximum: 6)
        guard let status = Status(rawValue: try reader.readUnsigned(as: UInt8.self)),
            count == (status == .throttled ? 6 : 4)
        else { throw RelayError.unexpectedFrame }
        let next = try reader.readUnsigned()
        let digest = try Digest(reader.readBytes(count: 32))
        let expired = try reader.readUnsigned()
        guard status == .throttled else {
            self.init(status: status, next: next, digest: digest, expired: expired)
            return
        }
        // A relay may not hold up a sender for longer than one message takes at the lowest rate.
        let room = Int(try reader.readUnsigned(maximum: UInt64(QueuePolicy.largestBurst)))
        let wait = Int(try reader.readUnsigned(maximum: RelayLimit.waitSeconds))
        self.init(status: status, next: next, digest: digest, expired: expired, room: room, wait: wait)
    }
}
