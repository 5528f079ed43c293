import HandfastTestSupport

/// A file of Wycheproof: groups of tests, each with the fields of its kind.
struct Wycheproof<Group: Decodable>: Decodable {
    let testGroups: [Group]

    static func load(_ name: String) throws -> [Group] {
        try RepositoryFile.decode(Self.self, from: "Interop/third-party/wycheproof/\(name)_test.json").testGroups
    }
}

/// What Wycheproof asks of an implementation.
enum WycheproofResult: String, Decodable {
    case valid, invalid, acceptable
}

/// A group whose tests say everything.
struct WycheproofGroup<Test: Decodable>: Decodable {
    let tests: [Test]
}
