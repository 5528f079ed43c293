import CSodiumPeer
import Foundation
import Handfast
import HandfastCrypto

/// Presenting and verifying anonymous claims beside the scalar multiplications that they cannot do without, and beside
/// AnonCreds, which does the same with CL signatures.
extension Suite {
    /// - Parameter python: An interpreter that has anoncreds; without it, its rows are left out.
    static func anonymousClaims(python: String, _ report: (Row) -> Void) throws {
        var scene = try AnonymousScene()
        var point = RistrettoPoint.generator.array
        var scalar = SystemEntropy().drawn(32)
        scalar[31] &= 0x0F
        // 9 and a hidden value each; 7, a hidden value each and one for the shown attribute.
        for (name, count) in [("present", 9 + 8), ("verify", 7 + 8 + 1)] {
            report(
                try Comparison.measure(
                    "claims/anonymous/\(name)", beside: "libsodium/\(count) scalar multiplications",
                    ours: { for _ in 0..<$0 { try scene.run(name) } },
                    theirs: { for _ in 0..<$0 * count { try multiply(&point, scalar) } }))
        }
        guard let peer = try AnonCredsPeer(python: python) else {
            print("\(python) has no anoncreds: its rows are left out")
            return
        }
        for name in ["present", "verify"] {
            var ours: [Double] = []
            var theirs: [Double] = []
            for run in 0...10 {
                let mine = try Comparison.nanoseconds(4, { _ in }, { for _ in 0..<$0 { try scene.run(name) } })
                let other = try peer.nanoseconds(name, 1)
                guard run > 0 else { continue }
                ours.append(mine)
                theirs.append(other)
            }
            report(Row("claims/anonymous/\(name)", beside: "anoncreds/\(name)", ours: ours, theirs: theirs))
        }
        report(
            Row(
                "claims/anonymous/size", unit: "bytes", beside: "anoncreds/size",
                ours: [Double(scene.presentation.encoded().count)], theirs: [try peer.nanoseconds("size", 1)]))
        try peer.stop()
    }

    private static func multiply(_ point: inout [UInt8], _ scalar: [UInt8]) throws {
        guard unsafe crypto_scalarmult_ristretto255(&point, scalar, point) == 0 else {
            throw BenchmarkError.wrongContent
        }
    }
}

extension SystemEntropy {
    fileprivate func drawn(_ count: Int) -> [UInt8] {
        var copy = self
        return copy.bytes(count)
    }
}

/// A credential of ten values: the blinding factor, the holder's secret and six attributes stay hidden, the epoch and
/// one attribute are shown.
private struct AnonymousScene: ~Copyable {
    private let key: AnonymousIssuerKey
    private let parameters: AnonymousParameters
    /// As a verifier keeps them for an epoch.
    private let prepared: AnonymousParameters
    private let holder: AnonymousHolderSecret
    private let credential: AnonymousCredential
    private let expectation: AnonymousExpectation
    private var entropy: SystemEntropy
    private(set) var presentation: AnonymousPresentation

    init() throws {
        var entropy = SystemEntropy()
        let key = AnonymousIssuerKey.generate(using: &entropy)
        let names = ["level", "since", "country", "plan", "discount", "region", "newsletter"]
        let values: [AnonymousValue] = [
            .text("gold"), .integer(2_019), .text("NO"), .text("family"), .integer(15), .text("north"), .text("weekly"),
        ]
        let schema = try AnonymousSchema(type: "member", epochLength: 86_400, attributes: names)
        let parameters = try AnonymousParameters(issuer: key.publicKey, schema: schema)
        let holder = try AnonymousHolderSecret(master: SecretBytes(random: 32, using: &entropy))
        let pending = PendingAnonymousCredential.request(
            nonce: .zero, holder: holder, parameters: parameters, using: &entropy)
        let issuance = try key.issue(
            pending.request, nonce: .zero, epoch: 1, values: values, parameters: parameters, using: &entropy)
        let credential = try pending.finish(issuance, parameters: parameters, now: 86_400)
        let vendor = Digest(FixedBytes(random: &entropy))
        let expectation = AnonymousExpectation(
            scope: .relationship(vendor),
            binding: PresentationBinding(nonce: .zero, verifier: vendor, relationship: vendor), now: 86_400)
        presentation = try credential.present(
            showing: ["level"], in: expectation.scope, for: expectation.binding, holder: holder,
            parameters: parameters, using: &entropy)
        self.key = key
        self.parameters = parameters
        prepared = parameters.prepared(at: expectation.now)
        self.holder = holder
        self.credential = credential
        self.expectation = expectation
        self.entropy = entropy
    }

    mutating func run(_ name: String) throws {
        if name == "present" {
            presentation = try credential.present(
                showing: ["level"], in: expectation.scope, for: expectation.binding, holder: holder,
                parameters: parameters, using: &entropy)
        } else {
            _ = try presentation.verify(expectation, parameters: prepared, key: key)
        }
    }
}

/// `Peers/anoncreds_peer.py` in a process of its own.
private final class AnonCredsPeer {
    private let process = Process()
    private let requests = Pipe()
    private let answers = Pipe()

    /// Starts it and waits until it has issued a credential; nil if there is no anoncreds.
    init?(python: String) throws {
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["Peers/anoncreds_peer.py"]
        process.standardInput = requests
        process.standardOutput = answers
        try process.run()
        guard try readLine() == "ready" else { return nil }
    }

    /// Nanoseconds of one piece of work, as the mean of `count`; for `size` the bytes of a presentation.
    func nanoseconds(_ work: String, _ count: Int) throws -> Double {
        try requests.fileHandleForWriting.write(contentsOf: Data("\(work) \(count)\n".utf8))
        guard let total = Double(try readLine()) else { throw BenchmarkError.peerFailed("Peers/anoncreds_peer.py") }
        return total / Double(count)
    }

    /// Ends the process.
    func stop() throws {
        try requests.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    private func readLine() throws -> String {
        var line: [UInt8] = []
        while let byte = try answers.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }
}
