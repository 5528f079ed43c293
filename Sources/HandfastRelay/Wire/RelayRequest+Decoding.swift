internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension RelayRequest {
    /// Reads a request's frame of at most 1 MiB.
    ///
    /// Counts are bounded; sizes of envelopes and hellos are the relay's to judge, so that it can answer.
    /// - Throws: ``RelayError/malformedFrame(_:)``, ``RelayError/unexpectedFrame`` for a verb that is none
    public static func decode(_ frame: RawSpan) throws(RelayError) -> (request: UInt32, RelayRequest) {
        var reader = CBORReader(frame)
        do {
            let count = try reader.readArrayHeader(maximum: 5)
            guard count >= 2, let verb = Verb(rawValue: try reader.readUnsigned()), verb.fieldCount == count - 2 else {
                throw RelayError.unexpectedFrame
            }
            let request = try reader.readUnsigned(as: UInt32.self)
            guard request > 0 else { throw RelayError.unexpectedFrame }
            let decoded = try decode(verb, &reader)
            try reader.finish()
            return (request, decoded)
        } catch let error as CBORError {
            throw .malformedFrame(error)
        } catch {
            throw .unexpectedFrame
        }
    }

    private static func decode(_ verb: Verb, _ reader: inout CBORReader) throws -> RelayRequest {
        switch verb {
        case .attach:
            let service = try VerificationKey(reading: &reader)
            return .attach(service: service, signature: try FixedBytes(reader.readBytes(count: 64)))
        case .open:
            return .open(try readList(&reader, 1...RelayLimit.queuesPerRequest, QueueOpening.init(reading:)))
        case .admit:
            let queue = try QueueID(reading: &reader)
            return .admit(queue, try readList(&reader, 0...RelayLimit.admittedKnocks, Knock.init(reading:)))
        case .publish:
            let queue = try QueueID(reading: &reader)
            return .publish(queue, try readList(&reader, 1...RelayLimit.bundles, PublishedBundle.init(reading:)))
        case .fetch:
            return .fetch(try QueueID(reading: &reader))
        case .knock:
            let queue = try QueueID(reading: &reader)
            let knock = try Knock(reading: &reader)
            return .knock(queue, knock, hello: try reader.readByteArray(maximum: .max))
        case .put:
            var envelopes = 0
            return .put(
                try readList(&reader, 1...RelayLimit.putItems) { reader in
                    let item = try PutItem(reading: &reader)
                    envelopes += item.envelopes.count
                    guard envelopes <= RelayLimit.putEnvelopes else { throw RelayError.unexpectedFrame }
                    return item
                })
        case .subscribe:
            return .subscribe(after: try reader.readUnsigned())
        case .acknowledge:
            return .acknowledge(try reader.readUnsigned())
        case .close:
            return .close(try readList(&reader, 1...RelayLimit.queuesPerRequest, QueueID.init(reading:)))
        case .policy:
            return .policy(try readList(&reader, 1...RelayLimit.queuesPerRequest, PolicySetting.init(reading:)))
        case .ping:
            return .ping
        }
    }

    private static func readList<Item>(
        _ reader: inout CBORReader, _ counts: ClosedRange<Int>, _ read: (inout CBORReader) throws -> Item
    ) throws -> [Item] {
        let count = try reader.readArrayHeader(maximum: counts.upperBound)
        guard count >= counts.lowerBound else { throw RelayError.unexpectedFrame }
        var items: [Item] = []
        items.reserveCapacity(count)
        for _ in 0..<count { items.append(try read(&reader)) }
        return items
    }
}

extension RelayRequest.Verb {
    var fieldCount: Int {
        switch self {
        case .ping: 0
        case .open, .fetch, .put, .subscribe, .acknowledge, .close, .policy: 1
        case .attach, .admit, .publish: 2
        case .knock: 3
        }
    }
}

extension QueueID {
    init(reading reader: inout CBORReader) throws {
        self.init(try FixedBytes(reader.readBytes(count: 16)))
    }
}

extension Knock {
    init(reading reader: inout CBORReader) throws {
        self.init(try Digest(reader.readBytes(count: 32)))
    }
}

extension PutItem {
    init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 4)
        let queue = try QueueID(reading: &reader)
        let capability = SendCapability(try FixedBytes(reader.readBytes(count: 32)))
        let first = try reader.readUnsigned()
        let count = try reader.readArrayHeader(maximum: RelayLimit.putEnvelopes)
        var envelopes: [[UInt8]] = []
        envelopes.reserveCapacity(count)
        for _ in 0..<count {
            let envelope = try reader.readByteArray(maximum: .max)
            guard !envelope.isEmpty else { throw RelayError.unexpectedFrame }
            envelopes.append(envelope)
        }
        self.init(queue: queue, capability: capability, first: first, envelopes: envelopes)
    }
}

extension QueueOpening {
    init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 3)
        let queue = try QueueID(reading: &reader)
        switch try reader.readUnsigned(maximum: 2) {
        case 0:
            _ = try reader.readBytes(count: 0)
            self.init(id: queue, kind: .knock)
        case 1:
            self.init(id: queue, kind: .send(capability: try Digest(reader.readBytes(count: 32))))
        default:
            self.init(id: queue, kind: .sendAnew(capability: try Digest(reader.readBytes(count: 32))))
        }
    }
}

extension PolicySetting {
    init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 2)
        let queue = try QueueID(reading: &reader)
        try reader.readArrayHeader(count: 6)
        var policy = QueuePolicy.standard
        policy.isPaused = try reader.readUnsigned(maximum: 1) == 1
        policy.messagesPerHour = Int(try reader.readUnsigned(maximum: UInt64(QueuePolicy.largestRate)))
        policy.burst = Int(try reader.readUnsigned(maximum: UInt64(QueuePolicy.largestBurst)))
        policy.waitingBytes = Int(try reader.readUnsigned(as: UInt32.self))
        policy.messageBytes = Int(try reader.readUnsigned(as: UInt32.self))
        policy.retentionSeconds = Int(try reader.readUnsigned(as: UInt32.self))
        guard policy.isValid else { throw RelayError.unexpectedFrame }
        self.init(id: queue, policy: policy)
    }
}

extension PublishedBundle {
    init(reading reader: inout CBORReader) throws {
        try reader.readArrayHeader(count: 3)
        let notBefore = Timestamp(seconds: try reader.readUnsigned())
        let expires = Timestamp(seconds: try reader.readUnsigned())
        self.init(
            notBefore: notBefore, expires: expires, bytes: try reader.readByteArray(maximum: Bundle.maximumByteCount))
    }
}
