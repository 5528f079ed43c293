internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding
internal import HandfastStore
internal import Synchronization

/// Keeps under which key and nonce each envelope was sealed that a vault was asked to commit, over all copies of all
/// vaults of a run.
///
/// A message key is named by the header key of its chain and its index there; the nonce is the salt, which stands in the
/// masked header.
final class SealingRecorder: Sendable {
    private struct Sealing: Hashable {
        let headerKey: [UInt8]
        let index: UInt32
        let salt: [UInt8]
    }

    private struct State {
        var sealings: [Sealing: [UInt8]] = [:]
        /// The sending chains that were seen: header keys and how far they had come.
        var chains: [RelationshipID: [(key: [UInt8], next: UInt32)]] = [:]
        var placed = 0
        var unplaced = 0
        var fault: BrokenPromise?
    }

    private let state = Mutex(State())

    /// How many envelopes were seen, and how many of them in no known chain: those that ask for an epoch or begin one.
    var counts: (placed: Int, unplaced: Int) { state.withLock { ($0.placed, $0.unplaced) } }

    /// The first broken promise.
    var fault: BrokenPromise? { state.withLock { $0.fault } }

    /// A vault is about to commit.
    func sees(_ changes: [VaultChange]) throws {
        for change in changes where !change.outbox.isEmpty {
            guard let update = change.relationship else { continue }
            if case .set(let channel) = update.channel, let chain = try? Self.sendingChain(of: channel) {
                state.withLock { state in
                    state.chains[update.id, default: []].removeAll { $0.key == chain.key }
                    state.chains[update.id]?.append(chain)
                    if state.chains[update.id]?.count ?? 0 > 8 { state.chains[update.id]?.removeFirst() }
                }
            }
            for item in change.outbox { record(item.envelope, of: item.relationship) }
        }
    }

    private func record(_ envelope: [UInt8], of id: RelationshipID) {
        guard envelope.first == 1, envelope.count >= 65 else { return }
        state.withLock { state in
            for chain in (state.chains[id] ?? []).reversed() {
                guard let (index, salt) = Self.place(of: envelope, in: chain.key, before: chain.next) else { continue }
                state.placed += 1
                let sealing = Sealing(headerKey: chain.key, index: index, salt: salt)
                if let other = state.sealings.updateValue(envelope, forKey: sealing), other != envelope {
                    state.fault = state.fault ?? BrokenPromise(description: "an AEAD key was used twice with one nonce")
                }
                return
            }
            state.unplaced += 1
        }
    }

    /// The index of an envelope in the chain of a header key, and its salt.
    private static func place(
        of envelope: [UInt8], in key: [UInt8], before next: UInt32
    ) -> (index: UInt32, salt: [UInt8])? {
        guard let headerKey = try? HeaderKey(copying: key.bytes) else { return nil }
        for index in (next > 32 ? next - 32 : 0)..<max(next, 1) {
            var block = Array(envelope[1..<65])
            var bytes = block.mutableBytes
            headerKey.mask(&bytes, at: index)
            if block[..<16].allSatisfy({ $0 == 0 }) { return (index, Array(block[21..<29])) }
        }
        return nil
    }

    /// Header key and next index of the sending chain in a channel's stored state.
    private static func sendingChain(of state: [UInt8]) throws -> (key: [UInt8], next: UInt32)? {
        var reader = CBORReader(state.bytes)
        guard try reader.readArrayHeader(maximum: 13) == 13 else { return nil }
        _ = try reader.readUnsigned()
        for _ in 0..<3 { _ = try reader.readByteArray(maximum: 64) }
        guard try reader.peekType() == .array else { return nil }
        _ = try reader.readArrayHeader(maximum: 4)
        _ = try reader.readByteArray(maximum: ChainKeys.maximumByteCount)
        return (try reader.readByteArray(maximum: 64), try reader.readUnsigned(as: UInt32.self))
    }
}
