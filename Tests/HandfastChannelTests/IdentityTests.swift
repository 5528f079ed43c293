import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Testing

@testable import HandfastChannel

@Suite struct IdentityTests {
    static let now = Meeting.start

    /// An identity with its state before a change, as a thief of a device would have it.
    static func copy(of identity: borrowing Identity) throws -> Identity {
        try Identity.decode(identity.encoded().bytes)
    }

    @Test func anIdIsTheDigestOfItsInception() throws {
        var entropy = SeededEntropy(seed: 1)
        let identity = try Identity.create(at: Self.now, using: &entropy)
        #expect(identity.id.digest == Digest.of(.identity, identity.log.events[0].signed.payload))
        #expect(identity.id.description.hasPrefix("hf:"))
        #expect(try IdentityID(text: identity.id.description) == identity.id)
        #expect(throws: ChannelError.self) { try IdentityID(text: "hf:short") }
    }

    @Test func rotationRevealsTheCommittedKeyAndRenewsTheSealingKey() throws {
        var entropy = SeededEntropy(seed: 2)
        var identity = try Identity.create(at: Self.now, using: &entropy)
        let before = identity.log
        let event = try identity.rotate(at: Self.now, using: &entropy)
        #expect(before.events[0].next == KeyEvent.commitment(to: event.signingKey))
        #expect(identity.log.currentKey == event.signingKey)
        #expect(identity.signingKey.publicKey == event.signingKey)
        #expect(identity.log.sealingKey != before.sealingKey)
        #expect(identity.log.id == before.id)
        var followed = before
        try followed.append(KeyEvent(decoding: event.encoded().bytes))
        #expect(followed == identity.log)
    }

    @Test func aLogIsBoundedAndItsLastPlaceIsForTheRevocation() throws {
        var entropy = SeededEntropy(seed: 3)
        var identity = try Identity.create(domain: "shop.example", at: Self.now, using: &entropy)
        for _ in 1..<KeyLog.maximumEventCount - 1 { _ = try identity.rotate(at: Self.now, using: &entropy) }
        #expect(throws: ChannelError.keyLog(.full, sequence: 63)) {
            _ = try identity.rotate(at: Self.now, using: &entropy)
        }
        _ = try identity.revoke(at: Self.now)
        #expect(identity.log.events.count == KeyLog.maximumEventCount)
        #expect(try KeyLog(decoding: identity.log.encoded().bytes) == identity.log)
        #expect(identity.log.domain == "shop.example")
        let stored = try Self.copy(of: identity)
        #expect(stored.log == identity.log)
    }

    @Test func nothingFollowsARevocation() throws {
        var entropy = SeededEntropy(seed: 4)
        var identity = try Identity.create(at: Self.now, using: &entropy)
        _ = try identity.revoke(at: Self.now)
        #expect(identity.log.isRevoked)
        #expect(throws: ChannelError.keyLog(.revoked, sequence: 2)) {
            _ = try identity.rotate(at: Self.now, using: &entropy)
        }
        let stored = try Self.copy(of: identity)
        #expect(stored.log.isRevoked)
    }

    @Test func theThiefOfASigningKeyCanNeitherRotateNorRevoke() throws {
        var entropy = SeededEntropy(seed: 5)
        let identity = try Identity.create(at: Self.now, using: &entropy)
        // The thief signs a rotation with the current key, or reveals a key of its own.
        let own = SigningKey.generate(using: &entropy)
        let sealing = SealingPrivateKey.generate(using: &entropy)
        for revealed in [identity.signingKey.publicKey, own.publicKey] {
            let fields = KeyEvent.Fields(
                kind: .rotation, signingKey: revealed, next: KeyEvent.commitment(to: own.publicKey),
                sealingKey: sealing.publicKey, domain: nil, created: Self.now, follows: identity.log)
            let signed =
                revealed == own.publicKey
                ? COSESign1.sign(fields.encoded(), type: KeyEvent.type, with: own)
                : COSESign1.sign(fields.encoded(), type: KeyEvent.type, with: identity.signingKey)
            var log = identity.log
            #expect(throws: ChannelError.keyLog(.uncommittedKey, sequence: 1)) {
                try log.append(KeyEvent(decoding: signed.encoded().bytes))
            }
            #expect(log == identity.log)
        }
    }

    @Test func twoEventsWithOneNumberAreAForkAndBothAreKept() throws {
        var entropy = SeededEntropy(seed: 6)
        var identity = try Identity.create(at: Self.now, using: &entropy)
        var stolen = try Self.copy(of: identity)
        let mine = try identity.rotate(at: Self.now, using: &entropy)
        let theirs = try stolen.rotate(at: Self.now, using: &entropy)
        var log = identity.log
        #expect(throws: ChannelError.keyLogFork(KeyLogFork(known: mine, conflicting: theirs))) {
            try log.append(theirs)
        }
        try log.append(mine)
        #expect(log == identity.log)
    }

    @Test func eventsOutOfPlaceAreRefused() throws {
        var entropy = SeededEntropy(seed: 7)
        var identity = try Identity.create(at: Self.now, using: &entropy)
        let other = try Identity.create(at: Self.now, using: &entropy)
        let inceptionOnly = identity.log
        _ = try identity.rotate(at: Self.now, using: &entropy)
        let second = try identity.rotate(at: Self.now, using: &entropy)
        var log = inceptionOnly
        #expect(throws: ChannelError.keyLog(.wrongSequence, sequence: 2)) { try log.append(second) }
        #expect(throws: ChannelError.keyLog(.inceptionRepeated, sequence: 0)) { try log.append(other.log.events[0]) }
        var foreign = other.log
        #expect(throws: ChannelError.keyLog(.wrongIdentity, sequence: 2)) { try foreign.append(second) }
        #expect(throws: ChannelError.keyLog(.inceptionExpected, sequence: 0)) { _ = try KeyLog([second]) }
        #expect(throws: ChannelError.keyLog(.inceptionExpected, sequence: 0)) { _ = try KeyLog([]) }
    }

    @Test func everyChangedByteOfAKeyEventIsRefused() throws {
        var entropy = SeededEntropy(seed: 8)
        let identity = try Identity.create(domain: "shop.example", at: Self.now, using: &entropy)
        let bytes = identity.log.events[0].encoded()
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= UInt8(truncatingIfNeeded: entropy.next() | 1)
            #expect(throws: ChannelError.self) { try KeyEvent(decoding: changed.bytes) }
        }
        for count in bytes.indices {
            #expect(throws: ChannelError.self) { try KeyEvent(decoding: Array(bytes.prefix(count)).bytes) }
        }
    }

    @Test(arguments: [
        "", "example", "Example.com", "a..b", "-a.example", "exa mple.com", String(repeating: "a", count: 64) + ".com",
    ])
    func refusesWhatIsNoDomain(domain: String) {
        var entropy = SeededEntropy(seed: 9)
        #expect(throws: ChannelError.self) {
            _ = try Identity.create(domain: domain, at: Self.now, using: &entropy)
        }
    }

    @Test func aStoredIdentityWithForeignKeysIsRefused() throws {
        var entropy = SeededEntropy(seed: 10)
        let identity = try Identity.create(at: Self.now, using: &entropy)
        var bytes = [UInt8](identity.encoded().bytes)
        bytes[bytes.count - 1] ^= 1
        #expect(throws: ChannelError.self) { _ = try Identity.decode(bytes.bytes) }
    }

    @Test func nextKeyOfARecoveryRootIsInNoVaultAndRotatesWithTheRoot() throws {
        var entropy = SeededEntropy(seed: 77)
        let root = RecoveryRoot.random(using: &entropy)
        let promise = try root.promise(using: &entropy)
        var identity = try Identity.create(at: Self.now, promising: promise, using: &entropy)
        let (firstSalt, firstLog) = (identity.nextSalt, identity.log)
        #expect(firstSalt == promise.salt && firstLog.events.last?.next == promise.commitment)
        let key = try root.nextKey(promise.salt)
        let seed = [UInt8](key.seed)
        func holdsKey(_ identity: borrowing Identity) -> Bool {
            let encoded = identity.encoded()
            return [UInt8](encoded.bytes).firstRange(of: seed) != nil
        }
        let isHeld = holdsKey(identity)
        #expect(!isHeld)
        let encoded = identity.encoded()
        identity = try Identity.decode(encoded.bytes)
        var alone: [ChannelError] = []
        do {
            _ = try identity.rotate(at: Self.now, using: &entropy)
        } catch {
            alone.append(error)
        }
        do {
            _ = try identity.revoke(at: Self.now)
        } catch {
            alone.append(error)
        }
        #expect(alone == [.nextKeyNotAtHand, .nextKeyNotAtHand])
        let another = try root.nextKey(FixedBytes(random: &entropy))
        var refusal: ChannelError?
        do {
            try identity.reveal(another)
        } catch {
            refusal = error
        }
        #expect(refusal == .keyLog(.uncommittedKey, sequence: 1))
        try identity.reveal(key)
        // Revealed and not used, it is still none of the vault's.
        let isHeldNow = holdsKey(identity)
        #expect(!isHeldNow)
        let following = try root.promise(using: &entropy)
        _ = try identity.rotate(at: Self.now, promising: following, using: &entropy)
        let again = identity.encoded()
        let read = try Identity.decode(again.bytes)
        let (log, salt) = (read.log, read.nextSalt)
        #expect(log.events.count == 2 && salt == following.salt)
    }

    @Test func recoveryWordsAreReadAsTheyAreWrittenDownAndMistakesShow() throws {
        var entropy = SeededEntropy(seed: 78)
        let root = RecoveryRoot.random(using: &entropy)
        let words = root.words
        let list = words.split(separator: "-").map(String.init)
        #expect(list.count == 18)
        for text in [words, " " + list.joined(separator: "\n").uppercased() + "\n"] {
            let read = try RecoveryRoot(words: text)
            let (name, other) = (read.name, root.name)
            #expect(name == other)
        }
        for index in 0..<17 where list[index] != list[index + 1] {
            var swapped = list
            swapped.swapAt(index, index + 1)
            let text = swapped.joined(separator: " ")
            #expect(throws: ChannelError.self, "\(index)") { _ = try RecoveryRoot(words: text) }
        }
        for text in ["", "babab", list.dropLast().joined(separator: " "), words + "-babab", words + "x"] {
            #expect(throws: ChannelError.self, "\(text)") { _ = try RecoveryRoot(words: text) }
        }
    }
}
