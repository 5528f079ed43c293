internal import HandfastStore

/// How far a subscription may run ahead of its acknowledgements.
/// - Source: Spec/07
struct DeliveryWindow: Sendable {
    private var sent: [(position: UInt64, bytes: Int)] = []
    private var start = 0
    private var bytes = 0

    /// The position above which everything is still to be delivered.
    private(set) var next: UInt64
    /// The last position that the service is known to have come to.
    private var last: UInt64 = 0

    init(after position: UInt64) {
        next = position
    }

    /// How many messages and bytes may be delivered now; nil when the window is closed.
    var room: (messages: Int, bytes: Int)? {
        let messages = RelayLimit.windowMessages - (sent.count - start)
        guard messages > 0, bytes < RelayLimit.windowBytes else { return nil }
        return (messages, RelayLimit.windowBytes - bytes)
    }

    /// Notes that messages are on their way.
    mutating func deliver(_ deliveries: [Delivery]) {
        for delivery in deliveries {
            sent.append((delivery.position, delivery.byteCount))
            bytes += delivery.byteCount
            next = delivery.position
        }
    }

    /// Whether the service has something that is still to be delivered.
    var isBehind: Bool { next < last }

    /// Notes that the service has something up to a position; whether that is still to be delivered.
    mutating func reach(_ position: UInt64) -> Bool {
        last = max(last, position)
        return isBehind
    }

    /// Leaves out what is acknowledged, and opens the window by it.
    mutating func acknowledge(through position: UInt64) {
        open(through: position)
        next = max(next, position)
    }

    /// Opens the window by what was delivered up to a position.
    mutating func open(through position: UInt64) {
        while start < sent.count, sent[start].position <= position {
            bytes -= sent[start].bytes
            start += 1
        }
        if start == sent.count {
            sent.removeAll(keepingCapacity: true)
            start = 0
        } else if start >= RelayLimit.windowMessages {
            sent.removeFirst(start)
            start = 0
        }
    }

    /// Cuts messages into pushes.
    static func pushes(_ deliveries: [Delivery]) -> [RelayFrame] {
        var pushes: [RelayFrame] = []
        var rest = deliveries[...]
        while !rest.isEmpty {
            var bytes = 0
            let part = rest.prefix(RelayLimit.pushMessages).prefix { delivery in
                defer { bytes += delivery.byteCount }
                return bytes < RelayLimit.pushBytes
            }
            pushes.append(.push(Array(part)))
            rest = rest.dropFirst(part.count)
        }
        return pushes
    }
}
