@testable import HandfastChannel
@testable import HandfastCrypto

/// Keeps every key that anything was sealed under, over all copies of all vaults of a run.
final class Observer {
    /// Whether each step is told, to see why a seed fails.
    let isTelling: Bool

    init(isTelling: Bool) {
        self.isTelling = isTelling
    }

    func tell(_ what: @autoclosure () -> String) {
        if isTelling { print(what()) }
    }

    private struct Place: Hashable {
        let headerKey: [UInt8]
        let index: UInt32
    }

    private struct Sealing: Hashable {
        let key: [UInt8]
        let salt: UInt64
    }

    private var sealings: Set<Sealing> = []
    private var beginnings: Set<[UInt8]> = []
    private var places: [[UInt8]: Place] = [:]
    private var left: [Place: [UInt8]] = [:]

    /// Notes the keys of the next envelope of a channel, before it is sealed, and returns what names its place.
    func willSeal(with keys: SealingKeys) throws {
        try BrokenPromise.unless(
            sealings.insert(Sealing(key: keys.messageKey, salt: keys.salt)).inserted,
            "an AEAD key was used twice with one nonce")
    }

    /// Notes where an envelope stands in its chain.
    func didSeal(_ envelope: [UInt8], with keys: SealingKeys) {
        places[envelope] = Place(headerKey: keys.headerKey, index: keys.index)
    }

    /// Notes an epoch's first envelope, whose message key is gone: the next chain key follows from the same one.
    func didBegin(_ envelope: [UInt8], with keys: SealingKeys) throws {
        try BrokenPromise.unless(beginnings.insert(keys.messageKey).inserted, "two epochs began with one chain key")
        places[envelope] = Place(headerKey: keys.headerKey, index: 0)
    }

    /// Notes that the relay has an envelope.
    ///
    /// - Parameter isExcused: Copies at work at once, or a queue that went back, may show one header block twice; one
    ///   vault that goes back alone never does.
    func didLeave(_ envelope: [UInt8], isExcused: Bool) throws {
        guard let place = places[envelope] else { return }
        if let before = left.updateValue(envelope, forKey: place), before != envelope {
            try BrokenPromise.unless(isExcused, "a header key masked two envelopes at one index")
        }
    }
}

/// What the next envelope of a channel will be sealed under.
struct SealingKeys {
    let messageKey: [UInt8]
    let headerKey: [UInt8]
    let index: UInt32
    let salt: UInt64
}

extension Channel {
    /// The keys of the next envelope; nil while a step is due.
    func sealingKeys() -> SealingKeys? {
        switch sending {
        case .none: return nil
        case .some(let chain):
            var next = chain.keys.copy()
            var key = AEADKey()
            next.advance(into: &key)
            return SealingKeys(
                messageKey: [UInt8](key.bytes), headerKey: [UInt8](chain.headers.key.bytes), index: chain.next,
                salt: salt)
        }
    }
}
