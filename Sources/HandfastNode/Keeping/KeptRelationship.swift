internal import Handfast
internal import HandfastCrypto
internal import HandfastEncoding

/// A relationship's row: the relationship itself and what only this node needs to know of it.
struct KeptRelationship: Hashable, Sendable {
    /// What the invitee needs until `welcome`.
    struct Knocking: Hashable, Sendable {
        /// The inviter's relay.
        var relay: RelayAddress
        /// What that relay sees of the ticket.
        var knock: Knock
        /// What opening `welcome` needs, encoded.
        var pending: [UInt8]
    }

    /// Records that the peer lacks and that are still to be sealed for it, by number.
    struct Returning: Hashable, Sendable {
        /// Own ones.
        var own: ClosedRange<UInt64>?
        /// Its own that it has lost.
        var peer: ClosedRange<UInt64>?

        /// Whether nothing is left.
        var isEmpty: Bool { own == nil && peer == nil }
    }

    /// The relationship as the ledger's rules see it.
    var relationship: Relationship
    /// The own note on who it is.
    var label: String?
    /// The service by which it receives.
    var service: VerificationKey
    /// The own queue in which the peer puts.
    var queue: QueueID
    /// Why nothing is delivered, or `nil`.
    var stop: DeliveryStop?
    /// Present while greeted.
    var knocking: Knocking?
    /// What is known of the tie between the peer's public identity and its domain; `nil` where it names none, or was
    /// never asked.
    var domain: DomainCheck?
    /// Which epoch of the channel stands, and what is known of the next.
    var policy = RejoinPolicy()
    /// What follows an epoch's beginning in commits of its own. Until it is empty, own records wait in line there.
    var returning = Returning()

    /// What this side lets come, and what is known of messages that do not come.
    var reception = Reception()

    /// Where this side receives beside ``queue``, and where it is about to.
    var places = OwnPlaces()
    /// Which of the peer's addresses is in use: its first, or a later one while those before cannot be reached.
    var sendingTo = 0
    /// Whether the own queues were begun anew so that the peer, which cannot be reached, asks for a new epoch.
    var hasCalled = false
    /// Since when envelopes wait for others that may come by another queue.
    var aheadSince: Timestamp?

    /// Why the relationship does not do all that its state allows, in words; `nil` when all is well.
    var trouble: String? {
        // Who blocked the other side knows it.
        guard stop != .blocked else { return nil }
        return relationship.evidence?.description ?? stop?.text ?? rejoinTrouble
    }

    /// Whether nothing can be sent until the peer has answered a rejoin, or returned what this vault lost.
    var isRejoining: Bool {
        stop != .blocked && relationship.mayRejoin && (policy.isWaiting || relationship.awaited != nil)
    }

    /// What the relationship waits for before it goes on, in words; `nil` where it waits for nothing.
    var rejoinTrouble: String? {
        guard relationship.mayRejoin else { return nil }
        if policy.isWaiting {
            return "the channel is begun anew\(because), and the other side has not answered yet. Nothing can be sent "
                + "until it is online; what it lacks, and what this vault lacks, comes with the answer"
        }
        if let awaited = relationship.awaited {
            return
                "the other side holds your records up to \(awaited.sequence), which this vault has lost; they are on "
                + "their way back. Nothing can be sent until they are here"
        }
        guard policy.cause != nil else { return nil }
        return "something is lost\(because); the channel is begun anew within the hour, or at once by "
            + "`handfast rejoin`"
    }

    /// When there is something to do without a message: a rejoin that time makes due, or records to return. `nil` if
    /// never.
    var nextCheck: Timestamp? {
        if !returning.isEmpty || places.areMoving { return Timestamp(seconds: 0) }
        let ahead = aheadSince?.adding(seconds: Self.secondsAhead)
        return [policy.nextCheck(for: relationship), ahead].compactMap(\.self).min()
    }

    /// Envelopes wait so long for others that may come by another queue; what is missing then is asked for anew.
    static let secondsAhead: UInt64 = 30

    /// Whether time alone may give something to do, or the peer's preferred address is to be looked after.
    var isTimed: Bool { nextCheck != nil || domain?.due != nil || sendingTo > 0 }

    /// Receives at new queues from now on; those in use before are left.
    ///
    /// - Parameters:
    ///   - targets: what the peer is told.
    ///   - sequence: the number of the own record that tells; 0 where a rejoin does.
    mutating func receive(at targets: [OwnPlaces.Target], toldBy sequence: UInt64) {
        guard let first = targets.first else { return }
        let earlier = [OwnPlaces.Place(service: service, queue: queue)] + places.others
        places.leaving += earlier.map { .init(place: $0, sequence: sequence) }
        places.told = targets
        places.targets = []
        places.others = targets.dropFirst().map { .init(service: $0.service, queue: $0.address.queue) }
        service = first.service
        queue = first.address.queue
    }

    /// The address of the peer that is in use; nil before its welcome.
    var peerAddress: Address? {
        let addresses = relationship.peerAddresses
        return addresses.isEmpty ? nil : addresses[min(sendingTo, addresses.count - 1)]
    }

    /// All queues in which the peer may put, the preferred one first; those that are about to be left last.
    var receivingPlaces: [OwnPlaces.Place] { currentPlaces + places.leaving.map(\.place) }

    /// Those of them that are not about to be left.
    var currentPlaces: [OwnPlaces.Place] {
        [OwnPlaces.Place(service: service, queue: queue)] + places.others
    }

    /// Whether ``receivingPlaces`` are more than one.
    var hasSeveralPlaces: Bool { !places.others.isEmpty || !places.leaving.isEmpty }

    /// Whether nothing is under way but messages: no handshake, no rejoin, no move, and none waits for another.
    var isSteady: Bool { knocking == nil && !policy.isWaiting && !hasSeveralPlaces && aheadSince == nil }

    /// Whether it is about to leave queues.
    var isLeaving: Bool { !places.leaving.isEmpty }

    private var because: String { (policy.waitingCause ?? policy.cause).map { " because \($0)" } ?? "" }

    /// The row's bytes.
    func encoded() -> [UInt8] {
        let inner = relationship.encoded()
        var writer = CBORWriter(reservingCapacity: inner.count + 256)
        writer.writeMap { writer in
            writer.writeKey(1)
            writer.writeBytes(inner)
            writer.writeKey(2)
            writer.writeBytes(service.array)
            writer.writeKey(3)
            writer.writeBytes(queue.array)
            if let label {
                writer.writeKey(4)
                writer.writeText(label)
            }
            if let stop {
                writer.writeKey(5)
                writer.writeUnsigned(UInt64(stop.rawValue))
            }
            if let knocking {
                writer.writeKey(6)
                writer.writeArrayHeader(3)
                writer.writeText(knocking.relay.description)
                writer.writeBytes(knocking.knock.digest.array)
                writer.writeBytes(knocking.pending)
            }
            if policy != RejoinPolicy() {
                writer.writeKey(8)
                writer.writeBytes(policy.encoded())
            }
            if !returning.isEmpty {
                writer.writeKey(9)
                writer.writeArrayHeader(4)
                for range in [returning.own, returning.peer] {
                    writer.writeUnsigned(range?.lowerBound ?? 0)
                    writer.writeUnsigned(range?.upperBound ?? 0)
                }
            }
            if let domain {
                writer.writeKey(10)
                domain.write(to: &writer)
            }
            if reception != Reception() {
                writer.writeKey(11)
                reception.write(to: &writer)
            }
            if places != OwnPlaces() {
                writer.writeKey(12)
                places.write(to: &writer)
            }
            if sendingTo > 0 {
                writer.writeKey(13)
                writer.writeUnsigned(UInt64(sendingTo))
            }
            if let aheadSince {
                writer.writeKey(14)
                writer.writeUnsigned(aheadSince.seconds)
            }
            if hasCalled {
                writer.writeKey(15)
                writer.writeBool(true)
            }
        }
        return writer.bytes
    }

    /// Reads the row.
    ///
    /// - Throws: ``NodeError/damaged(_:)``
    init(decoding bytes: [UInt8]) throws(NodeError) {
        self = try NodeError.reading("relationship") {
            var reader = CBORReader(bytes.bytes, limits: CBORLimits(size: 1 << 20))
            var map = try reader.readIntegerMap(maximum: 15)
            try map.requireKey(1, &reader)
            let relationship = try Relationship(decoding: reader.readBytes())
            try map.requireKey(2, &reader)
            let service = try VerificationKey(reader.readBytes(count: 32))
            try map.requireKey(3, &reader)
            var kept = KeptRelationship(
                relationship: relationship, service: service,
                queue: QueueID(try FixedBytes(reader.readBytes(count: 16))))
            if try map.hasKey(4, &reader) { kept.label = try reader.readText(maximum: 1_024) }
            if try map.hasKey(5, &reader) {
                kept.stop = DeliveryStop(rawValue: try reader.readUnsigned(as: UInt8.self))
            }
            if try map.hasKey(6, &reader) {
                try reader.readArrayHeader(count: 3)
                kept.knocking = Knocking(
                    relay: try RelayAddress(text: reader.readText(maximum: 400)),
                    knock: Knock(try Digest(reader.readBytes(count: 32))),
                    pending: try reader.readByteArray(maximum: 1 << 18))
            }
            // Written by a version that could not repair: the record of this number did not come.
            if try map.hasKey(7, &reader) {
                _ = try reader.readUnsigned()
                kept.policy.want(.recordMissing)
            }
            if try map.hasKey(8, &reader) {
                let bytes = try reader.readByteArray(maximum: 2_048)
                kept.policy = try RejoinPolicy(decoding: bytes.bytes)
            }
            if try map.hasKey(9, &reader) {
                try reader.readArrayHeader(count: 4)
                kept.returning.own = try Self.readRange(&reader)
                kept.returning.peer = try Self.readRange(&reader)
            }
            if try map.hasKey(10, &reader) { kept.domain = try DomainCheck(reading: &reader) }
            if try map.hasKey(11, &reader) { kept.reception = try Reception(reading: &reader) }
            if try map.hasKey(12, &reader) { kept.places = try OwnPlaces(reading: &reader) }
            if try map.hasKey(13, &reader) {
                kept.sendingTo = Int(try reader.readUnsigned(maximum: UInt64(Address.maximumCount - 1)))
            }
            if try map.hasKey(14, &reader) { kept.aheadSince = Timestamp(seconds: try reader.readUnsigned()) }
            if try map.hasKey(15, &reader) { kept.hasCalled = try reader.readBool() }
            try map.finish(&reader)
            try reader.finish()
            return kept
        }
    }

    private static func readRange(_ reader: inout CBORReader) throws(CBORError) -> ClosedRange<UInt64>? {
        let (first, last) = (try reader.readUnsigned(), try reader.readUnsigned())
        return first > 0 && first <= last ? first...last : nil
    }

    /// A relationship at its beginning.
    init(relationship: Relationship, label: String? = nil, service: VerificationKey, queue: QueueID) {
        self.relationship = relationship
        self.label = label
        self.service = service
        self.queue = queue
    }
}

extension RelationshipState {
    /// Whether anything of the peer is taken in it.
    ///
    /// - Source: Spec/05 §5.5
    var receives: Bool {
        switch self {
        case .welcomed, .live, .ending: true
        case .greeted, .ended, .frozen: false
        }
    }
}
