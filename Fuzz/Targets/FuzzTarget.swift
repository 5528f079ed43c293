/// One decoder or opener, what it is fed, and what must hold of it whatever it is fed.
struct FuzzTarget: Sendable {
    /// The name of its folders under `Corpus/` and `Regressions/`.
    let name: String
    /// Inputs to begin with, made by the library itself.
    let seeds: @Sendable () throws -> [[UInt8]]
    /// Feeds one input; refusing it is no error, breaking a promise is.
    /// - Throws: ``BrokenPromise``, or what making the fixture throws.
    let run: @Sendable ([UInt8]) throws -> Void

    /// Every target, in the order in which they run.
    static let all =
        encoding + text + identity + recovery + handshake + channel + rejoin + ledger + attachment + relay + link
        + anonymous + statusList + claimsJSON + claims + claimBodies + backup
}

/// A property that an input has shown not to hold.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String

    /// Ends the input's run unless `condition` holds.
    static func unless(_ condition: Bool, _ what: @autoclosure () -> String) throws(BrokenPromise) {
        guard condition else { throw BrokenPromise(description: what()) }
    }

    /// A value has one encoding: what decoded from `input` must encode to it.
    static func unlessSame(
        _ encoded: [UInt8], as input: some Collection<UInt8>, _ what: String
    ) throws(BrokenPromise) {
        guard encoded.elementsEqual(input) else {
            throw BrokenPromise(description: "\(what): decodes from \(input.count) bytes that it does not encode to")
        }
    }
}

/// Runs a decoder, whose refusal of the input is as it should be.
func accepted<Value: ~Copyable>(_ decode: () throws -> Value) -> Value? {
    do { return try decode() } catch { return nil }
}
