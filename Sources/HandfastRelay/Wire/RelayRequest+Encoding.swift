internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore

extension RelayRequest {
    /// The frame of this request.
    public func encoded(request: UInt32) -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: 64 + sizeEstimate)
        func begin(_ verb: Verb, _ count: Int) {
            writer.writeArrayHeader(2 + count)
            writer.writeUnsigned(verb.rawValue)
            writer.writeUnsigned(UInt64(request))
        }
        switch self {
        case .attach(let service, let signature):
            begin(.attach, 2)
            service.write(to: &writer)
            writer.writeBytes(signature.bytes)
        case .open(let queues):
            begin(.open, 1)
            writer.writeArrayHeader(queues.count)
            for queue in queues { queue.write(to: &writer) }
        case .admit(let queue, let knocks):
            begin(.admit, 2)
            writer.writeBytes(queue.value.bytes)
            writer.writeArrayHeader(knocks.count)
            for knock in knocks { writer.writeBytes(knock.digest.bytes) }
        case .publish(let queue, let bundles):
            begin(.publish, 2)
            writer.writeBytes(queue.value.bytes)
            writer.writeArrayHeader(bundles.count)
            for bundle in bundles { bundle.write(to: &writer) }
        case .fetch(let queue):
            begin(.fetch, 1)
            writer.writeBytes(queue.value.bytes)
        case .knock(let queue, let knock, let hello):
            begin(.knock, 3)
            writer.writeBytes(queue.value.bytes)
            writer.writeBytes(knock.digest.bytes)
            writer.writeBytes(hello)
        case .put(let items):
            begin(.put, 1)
            writer.writeArrayHeader(items.count)
            for item in items { item.write(to: &writer) }
        case .subscribe(let position):
            begin(.subscribe, 1)
            writer.writeUnsigned(position)
        case .acknowledge(let position):
            begin(.acknowledge, 1)
            writer.writeUnsigned(position)
        case .close(let queues):
            begin(.close, 1)
            writer.writeArrayHeader(queues.count)
            for queue in queues { writer.writeBytes(queue.value.bytes) }
        case .policy(let settings):
            begin(.policy, 1)
            writer.writeArrayHeader(settings.count)
            for setting in settings { setting.write(to: &writer) }
        case .ping:
            begin(.ping, 0)
        }
        return writer.bytes
    }

    /// Bytes that the frame will have, roughly, so that it is allocated once.
    var sizeEstimate: Int {
        switch self {
        case .attach: 160
        case .open(let queues): queues.count * 56
        case .admit(_, let knocks): 20 + knocks.count * 34
        case .publish(_, let bundles): bundles.reduce(20) { $0 + $1.bytes.count + 32 }
        case .knock(_, _, let hello): 60 + hello.count
        case .put(let items): items.reduce(0) { $0 + $1.sizeEstimate }
        case .close(let queues): queues.count * 17
        case .policy(let settings): settings.count * 46
        case .fetch, .subscribe, .acknowledge, .ping: 20
        }
    }
}

extension PutItem {
    /// Bytes that the item will have in a frame, at most.
    var sizeEstimate: Int {
        envelopes.reduce(72) { $0 + $1.count + 5 }
    }

    func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(4)
        writer.writeBytes(queue.value.bytes)
        writer.writeBytes(capability.value.bytes)
        writer.writeUnsigned(first)
        writer.writeArrayHeader(envelopes.count)
        for envelope in envelopes { writer.writeBytes(envelope) }
    }
}

extension QueueOpening {
    func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(3)
        writer.writeBytes(id.value.bytes)
        switch kind {
        case .knock:
            writer.writeUnsigned(0)
            writer.writeBytes([])
        case .send(let capability):
            writer.writeUnsigned(1)
            writer.writeBytes(capability.bytes)
        case .sendAnew(let capability):
            writer.writeUnsigned(2)
            writer.writeBytes(capability.bytes)
        }
    }
}

extension PolicySetting {
    func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(2)
        writer.writeBytes(id.value.bytes)
        let values = [
            policy.isPaused ? 1 : 0, policy.messagesPerHour, policy.burst, policy.waitingBytes, policy.messageBytes,
            policy.retentionSeconds,
        ]
        writer.writeArrayHeader(values.count)
        for value in values { writer.writeUnsigned(UInt64(value)) }
    }
}

extension PublishedBundle {
    func write(to writer: inout CBORWriter) {
        writer.writeArrayHeader(3)
        writer.writeUnsigned(notBefore.seconds)
        writer.writeUnsigned(expires.seconds)
        writer.writeBytes(bytes)
    }
}
