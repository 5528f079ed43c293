public import HandfastEncoding

/// Why a status list, its token or a question to it was refused. Then nothing is known of the credential's status.
public enum StatusListError: Error, Equatable, Sendable {
    // MARK: The list

    /// The bits per entry are not 1, 2, 4 or 8.
    case wrongBits(Int)
    /// The list has no entries, or more than ``StatusList/maximumCount``.
    case wrongCount(Int)
    /// The list has no entry of this index.
    case indexOutOfRange(index: UInt64, count: Int)
    /// The status needs more bits than an entry of the list has.
    case statusTooLarge(UInt8, bits: Int)
    /// The compressed list ends before its end is marked.
    case compressionTruncated
    /// The compressed list is no zlib stream, or its checksum is wrong.
    case compressionDamaged
    /// So many bytes follow the end of the compressed list.
    case compressionTrailing(Int)
    /// The compressed list is longer than this many bytes.
    case compressedTooLarge(maximum: Int)
    /// The list would inflate to more than this many bytes.
    case inflatedTooLarge(maximum: Int)

    // MARK: The token

    /// The token's form, signature, claims or times are refused for this reason.
    case token(CredentialError)
    /// The URI is empty, longer than 1,024 bytes, or no URI.
    case wrongURI
    /// The token is of another list.
    case wrongSubject(expected: String, actual: String)
    /// The token would end before it begins, or a copy of it may be kept for no time.
    case wrongTimes
    /// The issuer let this copy be kept until this time, in seconds since 1970.
    case stale(since: UInt64)
    /// The token was issued longer ago than the verifier accepts; both in seconds.
    case tooOld(issuedAt: UInt64, maximumAge: UInt64)

    // MARK: The issuer's register

    /// Every place of the list is taken.
    case full
    /// No credential was given the place of this index.
    case notAllocated(UInt64)
    /// The stored register is not what this version writes.
    case damagedRegister(CBORError?)
}

extension StatusListError: CustomStringConvertible {
    /// One sentence that says what was wrong and, where a person can act, what to do.
    public var description: String {
        switch self {
        case .wrongBits(let bits): "a status list has 1, 2, 4 or 8 bits an entry, not \(bits)"
        case .wrongCount(let count):
            "a status list has 1 to \(StatusList.maximumCount) entries, not \(count)"
        case .indexOutOfRange(let index, let count):
            "the status list has \(count) entries, and none of index \(index)"
        case .statusTooLarge(let status, let bits):
            "status \(status) does not fit the \(bits) bits of an entry; make a list with more bits"
        case .compressionTruncated: "the compressed status list is cut short"
        case .compressionDamaged: "the compressed status list is damaged, or is no zlib stream"
        case .compressionTrailing(let count): "\(count) bytes follow the compressed status list"
        case .compressedTooLarge(let maximum): "the compressed status list is longer than \(maximum) bytes"
        case .inflatedTooLarge(let maximum): "the status list would inflate to more than \(maximum) bytes"
        case .token(let error): error.description
        case .wrongURI:
            "the URI of a status list has 1 to \(StatusReference.maximumURICount) bytes, a scheme and no spaces"
        case .wrongSubject(let expected, let actual):
            "the status list token is of \(actual), and not of \(expected)"
        case .wrongTimes: "a status list token ends after it begins, and may be kept for at least a second"
        case .stale(let time): "this copy of the status list token could be kept until \(time): fetch another"
        case .tooOld(let time, let age):
            "the status list token was issued at \(time), more than \(age) seconds ago: fetch another"
        case .full: "every place of the status list is taken; begin another list"
        case .notAllocated(let index): "no credential was given place \(index) of the status list"
        case .damagedRegister(let error):
            "the stored register of the status list is damaged" + (error.map { ": \($0)" } ?? "")
        }
    }
}
