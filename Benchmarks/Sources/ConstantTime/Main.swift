import CMemcheck
import Foundation
import HandfastCrypto

/// Does what touches secrets with secrets that memcheck watches, and tells where a branch or an address depended on one.
///
/// Verdicts that a caller learns anyway are let through by `verdicts.supp`, each with its reason.
@main
struct Main {
    nonisolated(unsafe) private static var failures = 0

    static func main() throws {
        guard memcheck_runs() != 0 else {
            print("Nothing watches the secrets: this runs under valgrind, by make constant-time")
            exit(2)
        }
        // The tool sees what it must see.
        try check("array == array", leaks: true) {
            let (left, right) = (hidden(32), [UInt8](repeating: 1, count: 32))
            keep(show(left == right))
        }
        try Comparing.run()
        try Sealing.run()
        try Keys.run()
        try AnonymousClaims.run()
        exit(unsafe failures == 0 ? 0 : 1)
    }

    /// Runs a piece of work and counts what memcheck reports meanwhile.
    static func check(_ name: String, leaks isLeak: Bool = false, _ work: () throws -> Void) throws {
        let before = memcheck_reports()
        try work()
        let reports = memcheck_reports() - before
        let isRight = (reports > 0) == isLeak
        if !isRight { unsafe failures += 1 }
        let found = reports == 0 ? "no branch or address depends on a secret" : "\(reports) depend on a secret"
        print("\(isRight ? "ok    " : "FAILED") \(name): \(found)\(isLeak ? ", as it must be" : "")")
    }
}

enum Failure: Error {
    case wrongResult
}

/// Uses a value, so that its making is not optimised away.
@inline(never)
@_semantics("optimize.no.crossmodule")
func keep<Value: ~Copyable>(_ value: borrowing Value) {}
