internal import HandfastCrypto
internal import HandfastEncoding

/// Writes the payload of a credential and, for what is redacted in it, digests in its place and disclosures beside it.
/// - Source: draft-ietf-spice-sd-cwt-07 §5.1, §7, §10
struct SDCWTIssuance {
    /// The rest of a path to what is to be redacted: numbers only, because they are copied for every claim.
    private struct Request {
        /// Which of the content's paths it is.
        let index: Int
        /// How many of its steps were taken.
        var depth = 0
    }

    /// The disclosures, each as a byte string with its head.
    private(set) var disclosures: [[UInt8]] = []

    private let content: CredentialContent
    private let holder: CredentialVerificationKey
    private var salts: [UInt8] = []
    /// How many bytes of the salts were used.
    private var usedSaltCount = 0
    private var isFound: [Bool]

    /// Checks what does not depend on how it is written.
    init(_ content: CredentialContent, holder: CredentialVerificationKey) throws(CredentialError) {
        try SDCWTUnblinding.requirePlain(.map(content.claims), in: .credential)
        for case .unsigned(let number) in content.claims.entries.lazy.map(\.key) {
            for claim in SDCWTClaims.named where UInt64(claim) == number {
                throw .forbiddenClaim(CWTClaim.name(of: claim), in: .credential)
            }
        }
        for path in content.redacting where path.steps.count == 1 {
            guard case .number(let number) = path.steps[0] else { continue }
            try SDCWTUnblinding.requireRedactable(.integer(number))
        }
        let times = try Self.times(of: content)
        try times.checkOrder()
        if let status = content.status, !(1...StatusReference.maximumURICount).contains(status.uri.utf8.count) {
            throw .invalidClaim("status", in: .credential)
        }
        self.content = content
        self.holder = holder
        isFound = Array(repeating: false, count: content.redacting.count)
    }

    private static func times(of content: CredentialContent) throws(CredentialError) -> CredentialTimes {
        var times = CredentialTimes()
        times.issuedAt = try seconds(content.issuedAt, CWTClaim.issuedAt)
        times.notBefore = try seconds(content.notBefore, CWTClaim.notBefore)
        times.expires = try seconds(content.expires, CWTClaim.expires)
        return times
    }

    private static func seconds(_ value: UInt64?, _ claim: Int) throws(CredentialError) -> Double? {
        guard let value else { return nil }
        guard let seconds = CredentialTimes.seconds(.unsigned(value)) else {
            throw .invalidClaim(CWTClaim.name(of: claim), in: .credential)
        }
        return seconds
    }
}

// MARK: - The payload

extension SDCWTIssuance {
    /// How many disclosures there will be, at most.
    func disclosureCount() throws(CredentialError) -> Int {
        var count = content.decoyCount
        for path in content.redacting {
            count += path.steps.contains(.every) ? path.values(in: content.claims).count : 1
        }
        guard count <= SDCWT.maximumDisclosures else { throw .tooManyDisclosures(limit: SDCWT.maximumDisclosures) }
        return count
    }

    /// The payload.
    /// - Parameter salts: 16 bytes for each disclosure.
    mutating func payload(salts: [UInt8]) throws(CredentialError) -> [UInt8] {
        self.salts = salts
        guard let subject = content.subject else { throw .missingClaim("sub", in: .credential) }
        let requests = content.redacting.indices.map { Request(index: $0) }
        var digests: [FixedBytes<32>] = []
        digests.reserveCapacity(requests.count + content.decoyCount)
        let content = content
        let named = requests.filter {
            if case .number? = content.redacting[$0.index].steps.first { true } else { false }
        }
        var others = content.claims.entries[...]
        var writer = CBORWriter(reservingCapacity: 512)
        try writer.writeMap { (writer: inout CBORWriter) throws(CredentialError) in
            for claim in SDCWTClaims.named {
                // Claims of smaller numbers come first.
                while case .unsigned(let number)? = others.first?.key, number < UInt64(claim),
                    let entry = others.popFirst()
                {
                    try write(entry, redacting: requests, to: &writer, &digests)
                }
                if claim == CWTClaim.confirmation {
                    writer.writeKey(claim)
                    Self.writeConfirmation(of: holder, to: &writer)
                } else if claim == CWTClaim.status {
                    guard let status = content.status else { continue }
                    writer.writeKey(claim)
                    status.write(to: &writer)
                } else if let value = Self.value(of: claim, subject: subject, in: content) {
                    let entry = CBORMap.Entry(.integer(Int64(claim)), value)
                    try write(entry, redacting: named, to: &writer, &digests)
                }
            }
            for entry in others { try write(entry, redacting: requests, to: &writer, &digests) }
            for _ in 0..<content.decoyCount { digests.append(try disclose(nil, key: nil, redacting: [])) }
            Self.write(digests, to: &writer)
        }
        if let index = isFound.firstIndex(of: false) { throw .unknownClaim(content.redacting[index]) }
        return writer.bytes
    }

    private static func value(of claim: Int, subject: String, in content: CredentialContent) -> CBORValue? {
        switch claim {
        case CWTClaim.issuer: .text(content.issuer)
        case CWTClaim.subject: .text(subject)
        case CWTClaim.expires: content.expires.map { .unsigned($0) }
        case CWTClaim.notBefore: content.notBefore.map { .unsigned($0) }
        case CWTClaim.issuedAt: content.issuedAt.map { .unsigned($0) }
        case CWTClaim.type: SDCWTClaims.type(of: content.type)
        default: nil
        }
    }

    private static func writeConfirmation(
        of holder: CredentialVerificationKey, to writer: inout CBORWriter
    ) {
        writer.writeMap { writer in
            writer.writeKey(1)
            holder.write(to: &writer)
        }
    }
}

// MARK: - Redaction

extension SDCWTIssuance {
    /// Writes an entry of a map, or discloses it and adds its digest.
    private mutating func write(
        _ entry: CBORMap.Entry, redacting requests: [Request], to writer: inout CBORWriter,
        _ digests: inout [FixedBytes<32>]
    ) throws(CredentialError) {
        let step = try SDCWTUnblinding.step(of: entry.key, in: .credential)
        let (isRedacted, below) = take(requests, at: step)
        if isRedacted {
            digests.append(try disclose(entry.value, key: step, redacting: below))
        } else {
            switch step {
            case .number(let number): writer.writeKey(Int(number))
            case .name(let name): writer.writeKey(name)
            case .index, .every: return
            }
            try write(entry.value, redacting: below, to: &writer)
        }
    }

    /// Writes a value in which something may be redacted.
    private mutating func write(
        _ value: CBORValue, redacting requests: [Request], to writer: inout CBORWriter
    ) throws(CredentialError) {
        switch value {
        case .map(let map) where !requests.isEmpty:
            try writer.writeMap { (writer: inout CBORWriter) throws(CredentialError) in
                var digests: [FixedBytes<32>] = []
                for entry in map.entries { try write(entry, redacting: requests, to: &writer, &digests) }
                Self.write(digests, to: &writer)
            }
        case .array(let items) where !requests.isEmpty:
            writer.writeArrayHeader(items.count)
            for (index, item) in items.enumerated() {
                let (isRedacted, below) = take(requests, at: .index(index))
                if isRedacted {
                    let digest = try disclose(item, key: nil, redacting: below)
                    writer.writeTag(SDCWTUnblinding.redactedElement)
                    writer.writeBytes(digest.bytes)
                } else {
                    try write(item, redacting: below, to: &writer)
                }
            }
        case .tag(let number, let content) where !requests.isEmpty:
            writer.writeTag(number)
            try write(content, redacting: requests, to: &writer)
        default:
            do { try value.write(to: &writer) } catch { throw .cbor(error, in: .credential) }
        }
    }

    /// Whether what stands at `step` is redacted, and what is below it.
    private mutating func take(
        _ requests: [Request], at step: ClaimPath.Step
    ) -> (isRedacted: Bool, below: [Request]) {
        var (isRedacted, below) = (false, [Request]())
        for request in requests where content.redacting[request.index].steps[request.depth].matches(step) {
            let depth = request.depth + 1
            if depth == content.redacting[request.index].steps.count {
                isRedacted = true
                isFound[request.index] = true
            } else {
                below.append(Request(index: request.index, depth: depth))
            }
        }
        return (isRedacted, below)
    }

    /// Makes the disclosure of an entry, of an element or, without a value, of nothing, and returns its digest.
    private mutating func disclose(
        _ value: CBORValue?, key: ClaimPath.Step?, redacting requests: [Request]
    ) throws(CredentialError) -> FixedBytes<32> {
        let salt = usedSaltCount..<usedSaltCount + SDCWTDisclosure.saltCount
        precondition(salt.upperBound <= salts.count, "as many salts as disclosures")
        usedSaltCount = salt.upperBound
        var writer = CBORWriter(reservingCapacity: 96)
        try writer.writeBytes { (writer: inout CBORWriter) throws(CredentialError) in
            writer.writeArrayHeader(value == nil ? 1 : key == nil ? 2 : 3)
            writer.writeBytes(salts.bytes.extracting(salt))
            if let value { try write(value, redacting: requests, to: &writer) }
            switch key {
            case .number(let number)?: writer.writeInteger(number)
            case .name(let name)?: writer.writeText(name)
            default: break
            }
        }
        let encoded = writer.bytes
        disclosures.append(encoded)
        return SHA2.sha256(encoded.bytes)
    }

    /// Writes the digests of a map in ascending order, which tells nothing of what they stand for.
    private static func write(_ digests: [FixedBytes<32>], to writer: inout CBORWriter) {
        guard !digests.isEmpty else { return }
        writer.writeKey(simple: SDCWTUnblinding.redactedKeys)
        writer.writeArrayHeader(digests.count)
        for digest in digests.sorted() { writer.writeBytes(digest.bytes) }
    }
}
