/// A put, cut so that each part fits a frame.
struct PutParts {
    /// A part of the item at `index`.
    struct Part: Equatable {
        var item: PutItem
        let index: Int
    }

    /// The parts of each frame, in order.
    private(set) var frames: [[Part]] = []

    private let bytesPerFrame: Int
    private var bytes = 0
    private var envelopes = 0

    init(_ items: [PutItem], bytesPerFrame: Int) throws(RelayError) {
        self.bytesPerFrame = bytesPerFrame
        for (index, item) in items.enumerated() {
            guard item.envelopes.allSatisfy({ (1...RelayLimit.envelopeCount).contains($0.count) }) else {
                throw .requestNotSendable("an envelope has 1 to \(RelayLimit.envelopeCount) bytes")
            }
            add(item, index)
        }
    }

    private mutating func add(_ item: PutItem, _ index: Int) {
        var part = PutItem(queue: item.queue, capability: item.capability, first: item.first, envelopes: [])
        beginFrame(unlessRoomFor: part.sizeEstimate)
        bytes += part.sizeEstimate
        for envelope in item.envelopes {
            let size = envelope.count + 5
            if bytes + size > bytesPerFrame || envelopes == RelayLimit.putEnvelopes {
                if !part.envelopes.isEmpty { append(part, index) }
                part.first += UInt64(part.envelopes.count)
                part.envelopes = []
                frames.append([])
                bytes = part.sizeEstimate
                envelopes = 0
            }
            part.envelopes.append(envelope)
            bytes += size
            envelopes += 1
        }
        append(part, index)
    }

    private mutating func beginFrame(unlessRoomFor size: Int) {
        guard let last = frames.last, last.count < RelayLimit.putItems, bytes + size <= bytesPerFrame else {
            frames.append([])
            bytes = 0
            envelopes = 0
            return
        }
    }

    private mutating func append(_ part: PutItem, _ index: Int) {
        frames[frames.count - 1].append(Part(item: part, index: index))
    }
}
