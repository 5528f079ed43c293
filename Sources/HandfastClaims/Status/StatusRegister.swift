internal import HandfastCrypto
internal import HandfastEncoding

/// The issuer's own copy of a status list: which places were given to credentials, and what the list says of each.
///
/// Places are given at random, so that neither their order nor their neighbourhood tells when or to whom a credential
/// was issued; and none is given twice.
///
/// - Source: draft-ietf-oauth-status-list-20 §4, §12.5, §13.2; Spec/10 §10.8.1
public struct StatusRegister: Hashable, Sendable {
    /// How many places a list has unless the issuer says otherwise: enough to be one of many.
    public static let defaultCount = 1 << 20
    /// The longest encoded register, in bytes.
    public static let maximumEncodedCount = 19 << 20

    /// Where the list's token is published, which is also the token's subject.
    public let uri: String
    /// What the list says.
    public private(set) var list: StatusList
    /// How many places were given to credentials.
    public private(set) var allocatedCount: Int
    /// A bit for each place that was given to a credential.
    private var taken: [UInt8]

    /// A register of a list in which no place was given yet.
    /// - Parameters:
    ///   - uri: Where the list's token will be published; 1 to 1,024 bytes.
    ///   - bits: How many bits an entry has: 1 for revocation alone, 2 for suspension too, 4 or 8.
    ///   - count: How many places the list has, 1 to 2^24; filled up to whole bytes.
    /// - Throws: ``StatusListError/wrongURI``, ``StatusListError/wrongBits(_:)``,
    ///   ``StatusListError/wrongCount(_:)``
    public init(uri: String, bits: Int = 1, count: Int = defaultCount) throws(StatusListError) {
        try StatusListToken.require(uri: uri)
        self.uri = uri
        list = try StatusList(count: count, bits: bits)
        taken = [UInt8](repeating: 0, count: (list.count + 7) / 8)
        allocatedCount = 0
    }
}

// MARK: - Places

extension StatusRegister {
    /// How many draws are tried before the free places are counted: enough until a list is nearly full.
    private static let drawCount = 32

    /// Gives a credential one of the free places, each of which is as likely as another.
    /// - Throws: ``StatusListError/full``
    public mutating func allocate(
        using random: inout some RandomNumberGenerator
    ) throws(StatusListError) -> StatusReference {
        let count = list.count
        guard allocatedCount < count else { throw .full }
        for _ in 0..<Self.drawCount {
            let index = Int.random(in: 0..<count, using: &random)
            if !isTaken(index) { return take(index) }
        }
        return take(free(Int.random(in: 0..<(count - allocatedCount), using: &random)))
    }

    /// Whether a credential was given the place.
    public func isAllocated(_ index: UInt64) -> Bool {
        index < UInt64(list.count) && isTaken(Int(index))
    }

    /// Changes what the list says of a credential.
    /// - Throws: ``StatusListError/indexOutOfRange(index:count:)``, ``StatusListError/notAllocated(_:)``,
    ///   ``StatusListError/statusTooLarge(_:bits:)``
    public mutating func set(_ status: CredentialStatus, at index: UInt64) throws(StatusListError) {
        guard index < UInt64(list.count) else { throw .indexOutOfRange(index: index, count: list.count) }
        guard isTaken(Int(index)) else { throw .notAllocated(index) }
        try list.set(status, at: index)
    }

    private func isTaken(_ index: Int) -> Bool { taken[index / 8] >> UInt8(index % 8) & 1 == 1 }

    private mutating func take(_ index: Int) -> StatusReference {
        taken[index / 8] |= 1 << UInt8(index % 8)
        allocatedCount += 1
        return StatusReference(uri: uri, index: UInt64(index))
    }

    /// The free place that `rank` others come before.
    private func free(_ rank: Int) -> Int {
        var (byte, rank) = (0, rank)
        while rank >= 8 - taken[byte].nonzeroBitCount {
            rank -= 8 - taken[byte].nonzeroBitCount
            byte += 1
        }
        var index = byte * 8
        while isTaken(index) || rank > 0 {
            if !isTaken(index) { rank -= 1 }
            index += 1
        }
        return index
    }
}

// MARK: - Publishing

extension StatusRegister {
    /// What is to be signed and published now.
    /// - Parameters:
    ///   - issuedAt: Now, in seconds since 1970.
    ///   - expires: When the token ends, in seconds since 1970; after `issuedAt`.
    ///   - timeToLive: For how long a copy of the token may be kept, in seconds; more than 0.
    /// - Throws: ``StatusListError/wrongTimes``
    public func token(
        issuedAt: UInt64, expires: UInt64?, timeToLive: UInt64?
    ) throws(StatusListError) -> StatusListToken {
        try StatusListToken(
            uri: uri, issuedAt: issuedAt, expires: expires, timeToLive: timeToLive, list: list)
    }
}

// MARK: - Storing

extension StatusRegister {
    private enum Key {
        static let uri = 1
        static let bits = 2
        static let list = 3
        static let taken = 4
    }

    /// The register, for a store that keeps it to the issuer: what places were given is nobody else's business.
    public func encoded() -> [UInt8] {
        var writer = CBORWriter(reservingCapacity: list.bytes.count + taken.count + uri.utf8.count + 32)
        writer.writeMap { writer in
            writer.writeKey(Key.uri)
            writer.writeText(uri)
            writer.writeKey(Key.bits)
            writer.writeUnsigned(UInt64(list.bits))
            writer.writeKey(Key.list)
            writer.writeBytes(list.bytes)
            writer.writeKey(Key.taken)
            writer.writeBytes(taken)
        }
        return writer.bytes
    }

    /// The register that is all of `bytes`.
    /// - Throws: ``StatusListError/damagedRegister(_:)``; ``StatusListError/wrongURI``,
    ///   ``StatusListError/wrongBits(_:)``, ``StatusListError/wrongCount(_:)`` of what it holds
    public init(decoding bytes: [UInt8]) throws(StatusListError) {
        let (uri, bits, entries): (String, Int, [UInt8])
        do {
            var reader = CBORReader(bytes.bytes, limits: CBORLimits(size: Self.maximumEncodedCount))
            var map = try reader.readIntegerMap(maximum: 4)
            try map.requireKey(Key.uri, &reader)
            uri = try reader.readText(maximum: StatusReference.maximumURICount)
            try map.requireKey(Key.bits, &reader)
            bits = Int(try reader.readUnsigned(maximum: 8))
            try map.requireKey(Key.list, &reader)
            entries = try reader.readByteArray(maximum: StatusList.maximumCount)
            try map.requireKey(Key.taken, &reader)
            taken = try reader.readByteArray(maximum: StatusList.maximumCount / 8)
            try map.finish(&reader)
            try reader.finish()
        } catch {
            throw .damagedRegister(error)
        }
        try StatusListToken.require(uri: uri)
        self.uri = uri
        list = try StatusList(bytes: entries, bits: bits)
        allocatedCount = taken.reduce(0) { $0 + $1.nonzeroBitCount }
        let count = list.count
        guard taken.count == (count + 7) / 8, count.isMultiple(of: 8) || taken[count / 8] >> UInt8(count % 8) == 0
        else { throw .damagedRegister(nil) }
    }
}
