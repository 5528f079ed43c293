internal import Handfast
internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastEncoding

/// Heads, and records that come back after a rejoin.
///
/// - Source: Spec/05 §5.10
enum ReturnedVectors: VectorLayer {
    static let name = "returned"

    static let operations: [String: VectorOperation] = ["heads": heads, "return": giveBack]

    private static func heads(_ input: VectorFields) throws -> VectorFields {
        let bytes = try input.bytes("heads")
        let heads = try LedgerHeads(decoding: bytes.bytes, of: RelationshipID(input.digest("relationship")))
        return [
            "own": .list(heads.own.map { .object(reference($0)) }), "peer": .object(reference(heads.peer)),
            "encoded": .hex(heads.encoded()),
            "numbers": .list(LedgerHeads.numbers(upTo: heads.own.first?.sequence ?? 0).map { .number($0) }),
        ]
    }

    private static func reference(_ reference: RecordReference) -> VectorFields {
        ["sequence": .number(reference.sequence), "hash": .hex(reference.hash.array)]
    }
}

// MARK: - Records that come back

extension ReturnedVectors {
    /// What an inviter, as a hello leaves it, makes of the invitee's heads and of entries of both directions.
    private static func giveBack(_ input: VectorFields) throws -> VectorFields {
        let (hello, bundleBytes) = (try input.bytes("hello"), try input.bytes("bundle"))
        let key = try input.sealingPrivateKey("bundleSeed")
        let bundle = try Bundle(decoding: bundleBytes.bytes)
        let identity = try VectorIdentity.identity(input.fields("identity"))
        let received = try ReceivedHello.open(hello.bytes, bundle: bundle, key: key)
        var relationship = try Relationship.welcomed(
            received, identity: identity, signer: bundle.signerLog, at: Timestamp(seconds: VectorMeeting.time))
        var (own, peer): ([Entry], [Entry]) = ([], [])
        func find(_ number: UInt64, _ entries: [Entry]) -> Entry? {
            number > 0 && number <= UInt64(entries.count) ? entries[Int(number) - 1] : nil
        }
        for bytes in try input.byteList("held") {
            let entry = try Entry(decoding: bytes.bytes)
            _ = try relationship.receiveReturned(entry, ownEntry: { find($0, own) }, peerEntry: { find($0, peer) })
            if entry.record.direction == .inviter { own.append(entry) } else { peer.append(entry) }
        }
        var output: [(String, VectorValue)] = []
        let mine = try relationship.heads { find($0, own)?.hash }
        output.append(("heads", .hex(mine.encoded())))
        if let bytes = try input.optionalBytes("theirs") {
            let theirs = try LedgerHeads(decoding: bytes.bytes, of: relationship.id)
            let plan = try relationship.reconcile(
                with: theirs, ownHash: { find($0, own)?.hash }, peerHash: { find($0, peer)?.hash })
            func numbers(_ range: ClosedRange<UInt64>?) -> VectorValue { .list((range ?? 1...1).map { .number($0) }) }
            output.append(("resent", plan.resent == nil ? .list([]) : numbers(plan.resent)))
            output.append(("returned", plan.returned == nil ? .list([]) : numbers(plan.returned)))
            func slice(_ range: ClosedRange<UInt64>?, _ entries: [Entry]) -> [Entry] {
                range.map { Array(entries[Int($0.lowerBound) - 1...Int($0.upperBound) - 1]) } ?? []
            }
            let merged = RecordContent.merged(own: slice(plan.resent, own), peer: slice(plan.returned, peer))
            output.append(("order", .hexes(merged.map { $0.hash.array })))
            output.append(("awaits", .number(relationship.awaited?.sequence ?? 0)))
        }
        if try input.optionalText("signing") != nil {
            var draws = VectorEntropy(try input.bytes("salt"))
            _ = try relationship.append(
                TextMessage(text: input.text("signing")), at: Timestamp(seconds: input.number("now")), with: identity,
                using: &draws)
        }
        var results: [VectorValue] = []
        for bytes in try input.byteList("entries") {
            let entry = try Entry(decoding: bytes.bytes)
            let (mine, theirs) = (own, peer)
            let outcome = try relationship.receiveReturned(
                entry, ownEntry: { find($0, mine) }, peerEntry: { find($0, theirs) })
            switch outcome {
            case .known: results.append(.object(["outcome": .text("known")]))
            case .restored(let void):
                if let void { own.removeLast(own.count - Int(void.lowerBound) + 1) }
                own.append(entry)
                let numbers = (void.map { Array($0) } ?? []).map { VectorValue.number($0) }
                results.append(.object(["outcome": .text("restored"), "void": .list(numbers)]))
            case .peer(.accepted):
                peer.append(entry)
                results.append(.object(["outcome": .text("accepted")]))
            case .peer(.duplicate): results.append(.object(["outcome": .text("duplicate")]))
            case .peer(.forked), .forked: results.append(.object(["outcome": .text("fork")]))
            }
        }
        output += [
            ("results", .list(results)), ("state", .text("\(relationship.state)")),
            ("ownHead", .object(reference(relationship.ownHead))),
            ("peerHead", .object(reference(relationship.peerHead))),
        ]
        return VectorFields(output)
    }
}
