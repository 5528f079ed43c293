import CMemcheck
import Handfast
import HandfastCrypto

/// Issuing, presenting and confirming with watched keys, holder's secrets and random scalars.
enum AnonymousClaims {
    static func run() throws {
        try Main.check("SecretScalar: sum, difference, product, inverse, multiples") {
            let first = SecretScalar(reducing: SecretBytes(copying: hidden(64).bytes))
            let second = SecretScalar(reducing: SecretBytes(copying: hidden(64).bytes))
            keep(first + second)
            keep(first - second)
            keep(first * second)
            keep(first.inverse())
            keep(show(first * RistrettoPoint.generator))
            keep(show(RistrettoPoint.generatorMultiple(second)))
        }
        var random = SecureRandom()
        var watched = WatchedRandom()
        let key = AnonymousIssuerKey.generate(using: &random)
        let schema = try AnonymousSchema(type: "member", epochLength: 3_600, attributes: ["level", "since"])
        let parameters = try AnonymousParameters(issuer: key.publicKey, schema: schema)
        let master = random.bytes(32)
        let holder = try AnonymousHolderSecret(master: SecretBytes(copying: master.bytes))
        let pending = PendingAnonymousCredential.request(
            nonce: .zero, holder: holder, parameters: parameters, using: &random)
        let values: [AnonymousValue] = [.text("gold"), .integer(2_019)]
        let issuance = try key.issue(
            pending.request, nonce: .zero, epoch: 1, values: values, parameters: parameters, using: &random)
        let credential = try pending.finish(issuance, parameters: parameters, now: 3_600)

        // Its public key stays what everybody may know.
        hide(key.bytes, 0..<32)
        try Main.check("AnonymousIssuerKey.issue") {
            keep(
                try key.issue(
                    pending.request, nonce: .zero, epoch: 1, values: values, parameters: parameters, using: &watched))
        }
        let scope = PseudonymScope.relationship(Digest(.zero))
        let binding = PresentationBinding(nonce: .zero, verifier: Digest(.zero), relationship: Digest(.zero))
        let presentation = try credential.present(
            showing: ["level"], in: scope, for: binding, holder: holder, parameters: parameters, using: &random)
        let expectation = AnonymousExpectation(scope: scope, binding: binding, now: 3_600)
        let unconfirmed = try presentation.check(expectation, parameters: parameters)
        try Main.check("AnonymousIssuerKey.confirm") {
            keep(try key.confirm(unconfirmed.question, using: &watched))
        }

        try Main.check("AnonymousPresentation.verify") {
            keep(try presentation.verify(expectation, parameters: parameters, key: key))
        }

        let stored = credential.encoded()
        // e and r, behind their heads (AnonymousCredential.encoded).
        hide(stored.bytes, 38..<70)
        hide(stored.bytes, 106..<138)
        let again = try AnonymousCredential.decode(stored.bytes)
        try Main.check("AnonymousHolderSecret, PendingAnonymousCredential.request, AnonymousCredential.present") {
            hide(master)
            let holder = try AnonymousHolderSecret(master: SecretBytes(copying: master.bytes))
            keep(
                PendingAnonymousCredential.request(
                    nonce: .zero, holder: holder, parameters: parameters, using: &watched))
            keep(
                try again.present(
                    showing: ["level"], in: scope, for: binding, holder: holder, parameters: parameters,
                    using: &watched))
            keep(holder.pseudonym(in: scope))
        }
    }

    private static func hide(_ bytes: RawSpan, _ range: Range<Int>) {
        unsafe bytes.extracting(range).withUnsafeBytes { unsafe memcheck_hide($0.baseAddress, $0.count) }
    }

    private static func hide(_ bytes: [UInt8]) {
        hide(bytes.bytes, 0..<bytes.count)
    }
}

/// Random numbers that memcheck watches.
private struct WatchedRandom: RandomNumberGenerator {
    mutating func next() -> UInt64 {
        unsafe hidden(8).withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt64.self) }
    }
}
