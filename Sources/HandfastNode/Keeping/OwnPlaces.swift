internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding

/// Where one side of a relationship receives beside its first queue, and how far a move to other relays has come.
///
/// A move has three steps, each stored before anything of it is said: queues are made at the new relays (*target*); once
/// those are open, a record tells the peer, the new queues take the place of the old ones, and both are listened to
/// (*leaving*); once the peer has sent something to the new ones, the old ones are closed, emptied and forgotten.
///
/// - Source: Spec/05 §5.11
struct OwnPlaces: Hashable, Sendable {
    /// An own queue and the service by which it is received.
    struct Place: Hashable, Sendable {
        /// The service.
        var service: VerificationKey
        /// The queue.
        var queue: QueueID
    }

    /// A queue about to be used, and what the peer will be told of it.
    struct Target: Hashable, Sendable {
        /// The service by which it will be received.
        var service: VerificationKey
        /// What the peer will be told.
        var address: Address
    }

    /// A queue that the peer was told to use no more.
    struct Leaving: Hashable, Sendable {
        /// The queue.
        var place: Place
        /// The number of the own record that told; 0 where a rejoin did.
        var sequence: UInt64
        /// Since when the peer is known to use the new one; nil while it may still put here.
        var leftSince: Timestamp?

        /// Whether it is left because of a move, and not because a rejoin replaced it.
        var wasMoved: Bool { sequence > 0 }
    }

    /// Queues that the peer may use where the first cannot be reached.
    var others: [Place] = []
    /// Queues of a move that the peer was not told of yet.
    var targets: [Target] = []
    /// Queues that the peer was told to use no more.
    var leaving: [Leaving] = []
    /// What the peer was told last; empty before the first move.
    var told: [Target] = []
    /// Whether the record that told it has become void, so that it is to be told again.
    var mustTellAgain = false

    /// Nothing beside the first queue.
    init() {}

    /// Whether a move is under way.
    var areMoving: Bool { !targets.isEmpty || !leaving.isEmpty || mustTellAgain }

    func write(to writer: inout CBORWriter) {
        func write(_ place: Place) {
            writer.writeBytes(place.service.array)
            writer.writeBytes(place.queue.array)
        }
        func write(_ targets: [Target]) {
            writer.writeArrayHeader(targets.count * 2)
            for target in targets {
                writer.writeBytes(target.service.array)
                target.address.write(to: &writer)
            }
        }
        writer.writeArrayHeader(5)
        writer.writeArrayHeader(others.count * 2)
        for place in others { write(place) }
        write(targets)
        writer.writeArrayHeader(leaving.count * 4)
        for leaving in leaving {
            write(leaving.place)
            writer.writeUnsigned(leaving.sequence)
            writer.writeUnsigned(leaving.leftSince?.seconds ?? 0)
        }
        write(told)
        writer.writeBool(mustTellAgain)
    }

    init(reading reader: inout CBORReader) throws {
        func place() throws -> Place {
            Place(
                service: try VerificationKey(reader.readBytes(count: 32)),
                queue: QueueID(try FixedBytes(reader.readBytes(count: 16))))
        }
        func targets() throws -> [Target] {
            try (0..<(try reader.readArrayHeader(maximum: 2 * Address.maximumCount)) / 2).map { _ in
                Target(
                    service: try VerificationKey(reader.readBytes(count: 32)), address: try Address(reading: &reader))
            }
        }
        try reader.readArrayHeader(count: 5)
        others = try (0..<(try reader.readArrayHeader(maximum: 2 * Address.maximumCount)) / 2).map { _ in
            try place()
        }
        self.targets = try targets()
        leaving = try (0..<(try reader.readArrayHeader(maximum: 4 * Self.mostLeaving)) / 4).map { _ in
            var leaving = Leaving(place: try place(), sequence: try reader.readUnsigned())
            let seconds = try reader.readUnsigned()
            leaving.leftSince = seconds == 0 ? nil : Timestamp(seconds: seconds)
            return leaving
        }
        told = try targets()
        mustTellAgain = try reader.readBool()
    }

    /// No move begins while more queues than this are still being left.
    static let mostLeaving = 16
}
