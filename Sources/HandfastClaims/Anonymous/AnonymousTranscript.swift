internal import HandfastCrypto

/// What is hashed to a scalar or a point: items, each preceded by its size, so that no two lists give the same bytes.
///
/// - Source: Spec/11 §11.2
struct AnonymousTranscript {
    private(set) var bytes: [UInt8] = []

    mutating func absorb(_ item: [UInt8]) {
        absorbWord(UInt64(item.count))
        bytes += item
    }

    mutating func absorb(_ number: UInt64) {
        absorbWord(8)
        absorbWord(number)
    }

    mutating func absorb(_ text: String) {
        absorb([UInt8](text.utf8))
    }

    mutating func absorb(_ points: RistrettoPoint...) {
        for point in points { absorb(point.array) }
    }

    private mutating func absorbWord(_ word: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }

    func scalar(_ tag: RistrettoTag) -> RistrettoScalar {
        RistrettoScalar.hash(bytes, tag: tag)
    }

    func point(_ tag: RistrettoTag) -> RistrettoPoint {
        RistrettoPoint.hash(bytes, tag: tag)
    }
}

extension RistrettoTag {
    static let anonymousGenerator = RistrettoTag("ANON-GENERATOR")
    static let anonymousDomain = RistrettoTag("ANON-DOMAIN")
    static let anonymousValue = RistrettoTag("ANON-VALUE")
    static let anonymousRequest = RistrettoTag("ANON-REQUEST")
    static let anonymousIssuance = RistrettoTag("ANON-ISSUANCE")
    static let anonymousPseudonym = RistrettoTag("ANON-PSEUDONYM")
    static let anonymousPresentation = RistrettoTag("ANON-PRESENTATION")
    static let anonymousConfirmation = RistrettoTag("ANON-CONFIRMATION")
}
