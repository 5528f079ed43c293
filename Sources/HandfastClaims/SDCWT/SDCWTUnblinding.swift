internal import HandfastCrypto
internal import HandfastEncoding

/// Puts disclosures in the places of their digests, and leaves out what stays hidden.
/// - Source: draft-ietf-spice-sd-cwt-07 §5.1, §6.3–§6.5, §9 step 7
struct SDCWTUnblinding {
    /// The map key under which a map's digests stand.
    static let redactedKeys: UInt8 = 59
    /// The tag of a digest in an array.
    static let redactedElement: UInt64 = 60
    /// Tags that stand in no claim: to be redacted, redacted, to be a decoy.
    static let reservedTags: [UInt64] = [58, redactedElement, 62]
    /// The longest name of a claim, in bytes of UTF-8.
    static let maximumNameCount = 255

    /// How many digests nothing was disclosed for.
    private(set) var hiddenCount = 0
    /// How many of them stand at the top.
    private(set) var hiddenAtTop = 0

    private let disclosures: [SDCWTDisclosure]
    private var indexOfDigest: [FixedBytes<32>: Int] = [:]
    /// The claim of each disclosure that has its place; nil for a decoy.
    private var paths: [ClaimPath?]
    private var isPlaced: [Bool]
    private var seen: Set<FixedBytes<32>> = []
    /// The way to what is being revealed.
    private var steps: [ClaimPath.Step] = []
    private var depth = 0

    /// - Throws: ``CredentialError/duplicateDigest`` if a disclosure is there twice
    init(_ disclosures: [SDCWTDisclosure]) throws(CredentialError) {
        self.disclosures = disclosures
        paths = Array(repeating: nil, count: disclosures.count)
        isPlaced = Array(repeating: false, count: disclosures.count)
        indexOfDigest.reserveCapacity(disclosures.count)
        for (index, disclosure) in disclosures.enumerated() {
            guard indexOfDigest.updateValue(index, forKey: disclosure.digest) == nil else { throw .duplicateDigest }
        }
    }

    /// The claims of a payload with the disclosures in their places.
    mutating func reveal(_ payload: CBORMap) throws(CredentialError) -> CBORMap {
        try revealMap(payload)
    }

    /// The claim of each disclosure; nil for a decoy.
    /// - Throws: ``CredentialError/unreferencedDisclosure(_:)``
    func finish() throws(CredentialError) -> [ClaimPath?] {
        if let index = isPlaced.firstIndex(of: false) { throw .unreferencedDisclosure(index) }
        return paths
    }
}

// MARK: - Maps and arrays

extension SDCWTUnblinding {
    private mutating func reveal(_ value: CBORValue) throws(CredentialError) -> CBORValue {
        switch value {
        case .map(let map): return .map(try revealMap(map))
        case .array(let items): return .array(try revealArray(items))
        case .tag(let number, let content):
            guard !Self.reservedTags.contains(number) else { throw .reservedName(in: .credential) }
            try open()
            defer { depth -= 1 }
            return .tag(number, try reveal(content))
        case .simple(Self.redactedKeys): throw .reservedName(in: .credential)
        default: return value
        }
    }

    private mutating func revealMap(_ map: CBORMap) throws(CredentialError) -> CBORMap {
        try open()
        defer { depth -= 1 }
        var entries: [CBORMap.Entry] = []
        entries.reserveCapacity(map.entries.count)
        var latest = 0
        for entry in map.entries {
            guard entry.key == .simple(Self.redactedKeys) else {
                steps.append(try Self.step(of: entry.key, in: .credential))
                entries.append(CBORMap.Entry(entry.key, try reveal(entry.value)))
                steps.removeLast()
                continue
            }
            guard case .array(let digests) = entry.value else { throw .reservedName(in: .credential) }
            for digest in digests {
                guard let index = try disclosure(of: digest) else { continue }
                switch disclosures[index].content {
                case .decoy: break
                case .element: throw .misplacedDisclosure(index)
                case .entry(let key, let value):
                    if depth == 1 { try Self.requireRedactable(key) }
                    steps.append(try Self.step(of: key, in: .disclosure(index)))
                    paths[index] = ClaimPath(steps)
                    entries.append(CBORMap.Entry(key, try reveal(value)))
                    steps.removeLast()
                    latest = index
                }
            }
        }
        // Only a disclosure can bring a name that is there.
        do { return try CBORMap(entries) } catch { throw .claimExists(in: .disclosure(latest)) }
    }

    private mutating func revealArray(_ items: [CBORValue]) throws(CredentialError) -> [CBORValue] {
        try open()
        defer { depth -= 1 }
        var revealed: [CBORValue] = []
        revealed.reserveCapacity(items.count)
        for item in items {
            var value = item
            steps.append(.index(revealed.count))
            defer { steps.removeLast() }
            if case .tag(Self.redactedElement, let digest) = item {
                guard let index = try disclosure(of: digest) else { continue }
                switch disclosures[index].content {
                case .decoy: continue
                case .entry: throw .misplacedDisclosure(index)
                case .element(let element):
                    paths[index] = ClaimPath(steps)
                    value = element
                }
            }
            revealed.append(try reveal(value))
        }
        return revealed
    }

    /// The disclosure that a digest asks for; nil if it stays hidden.
    private mutating func disclosure(of digest: CBORValue) throws(CredentialError) -> Int? {
        guard case .bytes(let bytes) = digest, let digest = try? FixedBytes<32>(copying: bytes) else {
            throw .reservedName(in: .credential)
        }
        guard seen.insert(digest).inserted else { throw .duplicateDigest }
        if let index = indexOfDigest[digest] {
            isPlaced[index] = true
            return index
        }
        hiddenCount += 1
        if depth == 1 { hiddenAtTop += 1 }
        return nil
    }

    private mutating func open() throws(CredentialError) {
        guard depth < CBORLimits.depth else { throw .depthExceeded }
        depth += 1
    }
}

// MARK: - Names

extension SDCWTUnblinding {
    /// The step to a claim of this name.
    /// - Throws: ``CredentialError/reservedName(in:)`` if it is neither an integer nor a text of 1 to 255 bytes
    static func step(of key: CBORValue, in part: CredentialError.Part) throws(CredentialError) -> ClaimPath.Step {
        switch key {
        case .unsigned(let number) where number <= UInt64(Int64.max): return .number(Int64(number))
        case .negative(let argument) where argument <= UInt64(Int64.max): return .number(~Int64(argument))
        case .text(let name) where (1...maximumNameCount).contains(name.utf8.count): return .name(name)
        default: throw .reservedName(in: part)
        }
    }

    /// Refuses claims of the top that are always visible.
    static func requireRedactable(_ key: CBORValue) throws(CredentialError) {
        for claim in CWTClaim.unredactable where key == .integer(Int64(claim)) {
            throw .notRedactable(CWTClaim.name(of: claim))
        }
    }

    /// Refuses marks of redaction and other names than integers and texts, at any depth.
    static func requirePlain(
        _ value: CBORValue, in part: CredentialError.Part, depth: Int = 0
    ) throws(CredentialError) {
        switch value {
        case .map(let map):
            guard depth < CBORLimits.depth else { throw .depthExceeded }
            for entry in map.entries {
                _ = try step(of: entry.key, in: part)
                try requirePlain(entry.value, in: part, depth: depth + 1)
            }
        case .array(let items):
            guard depth < CBORLimits.depth else { throw .depthExceeded }
            for item in items { try requirePlain(item, in: part, depth: depth + 1) }
        case .tag(let number, let content):
            guard depth < CBORLimits.depth else { throw .depthExceeded }
            guard !reservedTags.contains(number) else { throw .reservedName(in: part) }
            try requirePlain(content, in: part, depth: depth + 1)
        case .simple(redactedKeys): throw .reservedName(in: part)
        default: return
        }
    }
}
