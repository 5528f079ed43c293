internal import HandfastCrypto
internal import HandfastEncoding

/// Writes the payload of a credential and, for what is redacted in it, digests in its place and disclosures beside it.
///
/// Copies of a credential differ in their salts, holder, status and nothing else: from the second on, a disclosure is
/// the first copy's with another salt.
/// - Source: draft-ietf-spice-sd-cwt-07 §5.1, §7, §10
struct SDCWTIssuance {
    /// The rest of a path to what is to be redacted: numbers only, because they are copied for every claim.
    private struct Request {
        /// Which of the content's paths it is.
        let index: Int
        /// How many of its steps were taken.
        let depth: Int
        /// Whether the next step is the last.
        let isLast: Bool
        /// Of the next step.
        let fingerprint: StepFingerprint

        init(_ path: ClaimPath, index: Int, depth: Int = 0) {
            self.index = index
            self.depth = depth
            isLast = depth + 1 == path.steps.count
            fingerprint = StepFingerprint(path.steps[depth])
        }
    }

    /// A number by which most steps are told apart without a look at their texts.
    private struct StepFingerprint {
        private var high: UInt64 = 0
        private var low: UInt64 = 0
        /// Whether steps are equal just when their fingerprints are: not so for long names, nor for every element.
        let isExact: Bool

        init(_ step: ClaimPath.Step) {
            switch step {
            case .name(let name):
                let bytes = name.utf8Span.span
                for index in 0..<min(bytes.count, 15) {
                    high = high << 8 | low >> 56
                    low = low << 8 | UInt64(bytes[index])
                }
                high |= UInt64(truncatingIfNeeded: bytes.count) << 56
                isExact = (1...15).contains(bytes.count)
            case .number(let number):
                (high, low) = (1, UInt64(bitPattern: number))
                isExact = true
            case .index(let index):
                (high, low) = (2, UInt64(truncatingIfNeeded: index))
                isExact = true
            case .every:
                isExact = false
            }
        }

        /// Whether the steps could match: an element is matched by the step to every one.
        func permits(_ other: StepFingerprint) -> Bool {
            (high == other.high && low == other.low) || (high == 0 && low == 0)
        }
    }

    /// The disclosures of the latest copy one after the other, each as a byte string with its head.
    private(set) var disclosures: [UInt8] = []
    /// Writes them for the first copy.
    private var writer: CBORWriter
    private var isFirst = true
    /// Where each disclosure stands, which is the same in all copies.
    private var places: [Range<Int>] = []
    /// How many disclosures of the latest copy are made.
    private(set) var disclosureCount = 0

    private let paths: [ClaimPath]
    private let requests: [Request]
    /// Those for claims of the top that have numbers.
    private let numbered: [Request]
    private let salts: [UInt8]
    /// How many bytes of the salts were used: no salt is in two disclosures.
    private var usedSaltCount = 0
    private var isFound: [Bool]

    /// Checks what all copies have in common, and draws their salts.
    init(
        _ content: CredentialContent, copies: Int, using random: inout some RandomNumberGenerator
    ) throws(CredentialError) {
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
        let count = try Self.maximumDisclosureCount(of: content)
        salts = random.bytes(copies * count * SDCWTDisclosure.saltCount)
        paths = content.redacting
        requests = paths.enumerated().map { Request($0.element, index: $0.offset) }
        numbered = requests.filter { if case .number = content.redacting[$0.index].steps[0] { true } else { false } }
        isFound = Array(repeating: false, count: paths.count)
        writer = CBORWriter(reservingCapacity: (paths.count + content.decoyCount) * 64)
    }

    /// How many disclosures a copy has, at most.
    private static func maximumDisclosureCount(of content: CredentialContent) throws(CredentialError) -> Int {
        var count = content.decoyCount
        for path in content.redacting {
            let isOne = path.steps.allSatisfy { if case .every = $0 { false } else { true } }
            count += isOne ? 1 : path.values(in: content.claims).count
        }
        guard count <= SDCWT.maximumDisclosures else { throw .tooManyDisclosures(limit: SDCWT.maximumDisclosures) }
        return count
    }

    /// Checks what a copy has of its own.
    private static func check(_ content: CredentialContent) throws(CredentialError) {
        try times(of: content).checkOrder()
        if let status = content.status, !(1...StatusReference.maximumURICount).contains(status.uri.utf8.count) {
            throw .invalidClaim("status", in: .credential)
        }
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
    /// The payload of a copy.
    /// - Parameters:
    ///   - content: What was checked; of another copy it has at most another status and other times.
    ///   - holder: The copy's key.
    mutating func payload(
        of content: CredentialContent, holder: CredentialVerificationKey
    ) throws(CredentialError) -> [UInt8] {
        try Self.check(content)
        guard let subject = content.subject else { throw .missingClaim("sub", in: .credential) }
        disclosureCount = 0
        var digests: [FixedBytes<32>] = []
        digests.reserveCapacity(requests.count + content.decoyCount)
        let others = content.claims.entries
        var next = 0
        var writer = CBORWriter(reservingCapacity: 512 + 34 * digests.capacity)
        try writer.writeMap { (writer: inout CBORWriter) throws(CredentialError) in
            for claim in SDCWTClaims.named {
                // Claims of smaller numbers come first.
                while next < others.count, case .unsigned(let number) = others[next].key, number < UInt64(claim) {
                    try write(others[next], redacting: requests, to: &writer, &digests)
                    next += 1
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
                    try write(entry, redacting: numbered, to: &writer, &digests)
                }
            }
            for entry in others[next...] { try write(entry, redacting: requests, to: &writer, &digests) }
            for _ in 0..<content.decoyCount { digests.append(try disclose(nil, key: nil, redacting: [])) }
            Self.write(digests, to: &writer)
        }
        if let index = isFound.firstIndex(of: false) { throw .unknownClaim(paths[index]) }
        if isFirst {
            disclosures = self.writer.bytes
            self.writer = CBORWriter()
            isFirst = false
        }
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
        default: try Self.writePlain(value, to: &writer)
        }
    }

    /// Writes a value in which nothing is redacted.
    private static func writePlain(_ value: CBORValue, to writer: inout CBORWriter) throws(CredentialError) {
        do { try value.write(to: &writer) } catch { throw .cbor(error, in: .credential) }
    }

    /// Whether what stands at `step` is redacted, and what is below it.
    private mutating func take(
        _ requests: [Request], at step: ClaimPath.Step
    ) -> (isRedacted: Bool, below: [Request]) {
        var (isRedacted, below) = (false, [Request]())
        let fingerprint = StepFingerprint(step)
        for request in requests where request.fingerprint.permits(fingerprint) {
            if !request.fingerprint.isExact {
                guard paths[request.index].steps[request.depth].matches(step) else { continue }
            }
            if request.isLast {
                isRedacted = true
                isFound[request.index] = true
            } else {
                below.append(Request(paths[request.index], index: request.index, depth: request.depth + 1))
            }
        }
        return (isRedacted, below)
    }

    /// Makes the disclosure of an entry, of an element or, without a value, of nothing, and returns its digest.
    private mutating func disclose(
        _ value: CBORValue?, key: ClaimPath.Step?, redacting requests: [Request]
    ) throws(CredentialError) -> FixedBytes<32> {
        let saltEnd = usedSaltCount + SDCWTDisclosure.saltCount
        precondition(saltEnd <= salts.count, "as many salts as disclosures")
        let salt = FixedBytes<16>(salts.bytes, at: usedSaltCount)
        usedSaltCount = saltEnd
        var written: [UInt8]?
        if let value, !requests.isEmpty {
            // What is disclosed within it comes before it.
            var writer = CBORWriter()
            try write(value, redacting: requests, to: &writer)
            written = writer.bytes
        }
        if isFirst {
            let start = self.writer.count
            try Self.write(value, written: written, key: key, salt: salt, to: &self.writer)
            disclosureCount += 1
            places.append(start..<self.writer.count)
            return SHA2.sha256(self.writer.bytes.bytes.extracting(start...))
        }
        let place = places[disclosureCount]
        disclosureCount += 1
        if written == nil {
            let start = place.lowerBound + Self.saltOffset(after: disclosures[place.lowerBound])
            var bytes = disclosures.mutableBytes
            bytes.storeBytes(of: salt, toByteOffset: start, as: FixedBytes<16>.self)
        } else {
            var writer = CBORWriter(reservingCapacity: place.count)
            try Self.write(value, written: written, key: key, salt: salt, to: &writer)
            disclosures.replaceSubrange(place, with: writer.bytes)
        }
        return SHA2.sha256(disclosures.bytes.extracting(place))
    }

    /// Where the salt stands in a disclosure whose head begins so: behind the heads of byte string, array and salt.
    private static func saltOffset(after head: UInt8) -> Int {
        switch head & 0x1F {
        case 24: 4
        case 25: 5
        case 26: 7
        default: 3
        }
    }

    /// Writes a disclosure.
    /// - Parameter written: The value as it is disclosed; nil for itself.
    private static func write(
        _ value: CBORValue?, written: [UInt8]?, key: ClaimPath.Step?, salt: FixedBytes<16>, to writer: inout CBORWriter
    ) throws(CredentialError) {
        try writer.writeBytes { (writer: inout CBORWriter) throws(CredentialError) in
            writer.writeArrayHeader(value == nil ? 1 : key == nil ? 2 : 3)
            writer.writeBytes(salt.bytes)
            if let written {
                writer.writeEncoded(written)
            } else if let value {
                try writePlain(value, to: &writer)
            }
            switch key {
            case .number(let number)?: writer.writeInteger(number)
            case .name(let name)?: writer.writeText(name)
            default: break
            }
        }
    }

    /// Writes the digests of a map in ascending order, which tells nothing of what they stand for.
    private static func write(_ digests: [FixedBytes<32>], to writer: inout CBORWriter) {
        guard !digests.isEmpty else { return }
        writer.writeKey(simple: SDCWTUnblinding.redactedKeys)
        writer.writeArrayHeader(digests.count)
        for digest in digests.sorted() { writer.writeBytes(digest.bytes) }
    }
}
