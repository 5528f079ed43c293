/// What a run did to its messages, seen from outside: who tried to send what, what was acknowledged, what was read. A
/// queue is one direction of one relationship.
///
/// The checker of a total queue: every acknowledged message is read, none twice, none that nobody sent, and one that
/// was acknowledged before another was tried is read before it.
public struct DeliveryHistory: Sendable {
    private struct Sending: Sendable {
        let queue: String
        /// When it was first tried; a step of the history.
        let tried: Int
        var acknowledged: Int?
        var mayBeLost = false
        var isForbidden = false
    }

    private struct Reading: Sendable {
        let message: String
        let step: Int
    }

    private var sendings: [String: Sending] = [:]
    private var readings: [String: [Reading]] = [:]
    private var closed: Set<String> = []
    private var step = 0

    /// A history in which nothing has happened.
    public init() {}

    /// Somebody is about to send a message, for the first time or again. Whether it is sent is not known yet.
    public mutating func tries(_ message: String, in queue: String) {
        step += 1
        guard sendings[message] == nil else { return }
        sendings[message] = Sending(queue: queue, tried: step, isForbidden: closed.contains(queue))
    }

    /// The sender was told that the message is safe.
    public mutating func acknowledged(_ message: String) {
        step += 1
        if sendings[message]?.acknowledged == nil { sendings[message]?.acknowledged = step }
    }

    /// The reader has read a message.
    public mutating func reads(_ message: String, in queue: String) {
        step += 1
        readings[queue, default: []].append(Reading(message: message, step: step))
    }

    /// The reader's memory was taken back to when it had read so many messages.
    public mutating func readerWentBack(to count: Int, in queue: String) {
        readings[queue] = Array((readings[queue] ?? []).prefix(count))
    }

    /// What the sender was told is worth nothing any more: its memory was taken back to before.
    public mutating func mayLose(_ message: String) {
        sendings[message]?.mayBeLost = true
    }

    /// Nothing that is tried from now on may ever be read.
    public mutating func closes(_ queue: String) {
        step += 1
        closed.insert(queue)
    }

    /// How many messages were acknowledged and how many were read.
    public var counts: (acknowledged: Int, read: Int) {
        (sendings.values.count { $0.acknowledged != nil }, readings.values.reduce(0) { $0 + $1.count })
    }

    /// Everything that is wrong with the history, in order of the messages' names.
    ///
    /// - Parameter isOver: whether everything that is to be read has been; otherwise nothing counts as lost.
    public func faults(isOver: Bool) -> [DeliveryFault] {
        var faults: [DeliveryFault] = []
        var read: Set<String> = []
        for (queue, readings) in readings {
            // The earliest acknowledgement among what is read later.
            var later: (message: String, acknowledged: Int)?
            for reading in readings.reversed() {
                guard let sending = sendings[reading.message], sending.queue == queue, sending.tried < reading.step
                else {
                    faults.append(.unsent(reading.message))
                    continue
                }
                if sending.isForbidden { faults.append(.afterClose(reading.message)) }
                if !read.insert(reading.message).inserted { faults.append(.repeated(reading.message)) }
                if let later, later.acknowledged < sending.tried {
                    faults.append(.outOfOrder(reading.message, before: later.message))
                }
                if let acknowledged = sending.acknowledged, acknowledged < later?.acknowledged ?? .max {
                    later = (reading.message, acknowledged)
                }
            }
        }
        if isOver {
            for (message, sending) in sendings
            where sending.acknowledged != nil && !sending.mayBeLost && !closed.contains(sending.queue)
                && !read.contains(message)
            {
                faults.append(.lost(message))
            }
        }
        return faults.sorted { $0.description < $1.description }
    }
}

/// One thing that must not happen to messages.
public enum DeliveryFault: Hashable, Sendable, CustomStringConvertible {
    /// It was acknowledged and never read.
    case lost(String)
    /// It was read twice.
    case repeated(String)
    /// It was read although nobody had sent it there.
    case unsent(String)
    /// It was read before another that had been acknowledged before it was sent.
    case outOfOrder(String, before: String)
    /// It was sent after its queue was closed, and read all the same.
    case afterClose(String)

    /// What happened.
    public var description: String {
        switch self {
        case .lost(let message): "\(message) was acknowledged and never read"
        case .repeated(let message): "\(message) was read twice"
        case .unsent(let message): "\(message) was read although nobody had sent it there"
        case .outOfOrder(let message, let other): "\(message) was read before \(other), which came first"
        case .afterClose(let message): "\(message) was sent after its queue was closed, and read all the same"
        }
    }
}
