import Foundation
import Handfast
import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastNode

/// The file of issuers, and how long what they publish is used.
@Suite struct IssuerFileTests {
    private static let name = "https://id.example"

    private static func key(_ seed: UInt64, _ name: String?) -> IssuerKey {
        var entropy = SeededEntropy(seed: seed)
        return IssuerKey(
            .ed25519(SigningKey.generate(using: &entropy).publicKey), keyID: name.map { Array($0.utf8) })
    }

    private static func withFile(_ text: String?, _ body: (IssuerFile, String) throws -> Void) throws {
        let path = "\(NSTemporaryDirectory())/hf-\(UUID().uuidString).json"
        try text?.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(IssuerFile(path: path), path)
    }

    @Test func whatWasAddedIsReadAndWhatOthersWroteStays() throws {
        try Self.withFile(nil) { file, path in
            #expect(try file.entries().isEmpty)
            let keyed = IssuerFile.Entry(
                issuer: Self.name, keys: [Self.key(1, "one"), Self.key(2, nil)], types: ["a", "b"])
            let fetched = IssuerFile.Entry(issuer: "https://other.example", url: "https://other.example/keys")
            try file.add(keyed)
            try file.add(fetched)
            #expect(try file.entries() == [keyed, fetched])
            var changed = keyed
            changed.types = nil
            try file.add(changed)
            #expect(try file.entries() == [fetched, changed])
            try file.remove(fetched.issuer)
            #expect(try file.entries() == [changed])
            let words = "no issuer is called \"\(fetched.issuer)\"; `handfast issuer list` shows those that are trusted"
            #expect(throws: NodeError.badData(words)) { try file.remove(fetched.issuer) }
            try file.remove(Self.name)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"issuers\": []}\n")
        }
        let note = #"{"issuers": [{"issuer": "a", "keys": [], "note": "mine", "number": 7}]}"#
        try Self.withFile(note) { file, path in
            try file.add(IssuerFile.Entry(issuer: Self.name, keys: [Self.key(1, nil)]))
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains(#""note":"mine""#))
            #expect(try file.entries().map(\.issuer) == ["a", Self.name])
        }
    }

    @Test(arguments: [
        ("[]", "it has no list `issuers`"), (#"{"issuers": 1}"#, "it has no list `issuers`"),
        (#"{"issuers": [1]}"#, "an issuer has no `issuer`"), (#"{"issuers": [{}]}"#, "an issuer has no `issuer`"),
        (#"{"issuers": [{"issuer": "a"}]}"#, "a has neither a list `keys` nor a `url`, or both"),
        (
            #"{"issuers": [{"issuer": "a", "keys": [], "url": "https://a.example"}]}"#,
            "a has neither a list `keys` nor a `url`, or both"
        ),
        (
            #"{"issuers": [{"issuer": "a", "url": "http://a.example"}]}"#,
            "a: \"http://a.example\" is no https address with a host name"
        ),
        (#"{"issuers": [{"issuer": "a", "keys": ["x"]}]}"#, "a key of a is no JWK"),
        (#"{"issuers": [{"issuer": "a", "keys": [], "types": "x"}]}"#, "`types` of a is no list"),
        (#"{"issuers": [{"issuer": "a", "keys": [], "types": [1]}]}"#, "a type of a is no text"),
    ])
    func whatIsWrongWithTheFileIsSaid(text: String, reason: String) throws {
        try Self.withFile(text) { file, path in
            #expect(throws: NodeError.malformedFile(path: path, reason: reason)) { try file.entries() }
        }
    }

    @Test func keysAreFetchedDailyOrOnceAnHourAndUsedForSevenDays() throws {
        let (hour, day, start): (UInt64, UInt64, UInt64) = (3_600, 86_400, 1_800_000_000)
        func at(_ seconds: UInt64) -> Timestamp { Timestamp(seconds: start + seconds) }
        let failure = NodeError.issuerUnasked(Self.name, .unknownHost("id.example"))
        let keys = [Self.key(1, "one")]
        var kept = KeptIssuer(url: "\(Self.name)/keys")
        #expect(kept.isDue(at: at(0)) && !kept.isUsable(at: at(0)))
        try kept.take(.failure(failure), at: at(0))
        #expect(!kept.isDue(at: at(hour - 1)) && kept.isDue(at: at(hour)) && kept.trouble == failure.description)
        try kept.take(.success(keys), at: at(0))
        #expect(try kept.usable(at: at(0)) == keys && kept.trouble == nil)
        #expect(!kept.isDue(at: at(day - 1)) && kept.isDue(at: at(day)))
        try kept.take(.failure(failure), at: at(day))
        #expect(!kept.isDue(at: at(day + hour - 1)) && kept.isDue(at: at(day + hour)))
        #expect(try kept.usable(at: at(7 * day - 1)) == keys && kept.usable(at: at(7 * day)) == [])
        #expect(try kept.issuerKeys() == keys)

        // For a key that is not known the issuer is asked at once, and then left alone for an hour.
        try kept.take(.success(keys), at: at(0))
        #expect(kept.want(at: at(10)) && kept.want(at: at(11)) && kept.isDue(at: at(11)))
        try kept.take(.success(keys), at: at(12))
        #expect(!kept.isDue(at: at(12)) && !kept.want(at: at(hour + 9)) && kept.want(at: at(hour + 10)))
    }
}
