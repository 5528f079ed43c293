internal import Handfast
internal import HandfastClaims
internal import HandfastEncoding
internal import HandfastNode

/// Queries in a JSON file.
///
/// `[{"type": text, "claims": {path: value or null}, "issuers": [text], "selfAsserted": true}]`
struct QueryFile {
    private static let maximumSize = 1 << 18

    let queries: [CredentialQuery]

    /// Reads a file.
    ///
    /// - Throws: ``Failure``, which names the query that is none.
    init(at path: String) throws {
        let bytes = try InputFile.read(path, maximum: Self.maximumSize)
        try self.init(decoding: bytes, named: InputFile.name(of: path))
    }

    init(decoding bytes: [UInt8], named name: String) throws {
        let value: CBORValue
        do {
            value = try JSON.decode(bytes, maximumSize: Self.maximumSize)
        } catch {
            throw Failure(.badData, "\(name) is not JSON: \(error)")
        }
        guard case .array(let items) = value, (1...ClaimLimits.credentials).contains(items.count) else {
            throw Failure(
                .badData, "\(name) holds no list of 1 to \(ClaimLimits.credentials) queries",
                hint: "`handfast claim request --help` shows one")
        }
        queries = try items.enumerated().map { place, item in
            do throws(Fault) {
                return try Self.query(item)
            } catch {
                throw Failure(
                    .badData, "query \(place + 1) of \(name): \(error.what)",
                    hint: "`handfast claim request --help` shows one")
            }
        }
    }

    private struct Fault: Error {
        let what: String
    }

    private static func query(_ item: CBORValue) throws(Fault) -> CredentialQuery {
        guard case .map(let map) = item, case .text(let type)? = map["type"] else {
            throw Fault(what: "it has no type")
        }
        var query = CredentialQuery(type: type)
        for entry in map.entries {
            switch (entry.key, entry.value) {
            case (.text("type"), _): continue
            case (.text("claims"), .map(let claims)):
                for claim in claims.entries { query.claims.append(try wanted(claim)) }
            case (.text("issuers"), .array(let issuers)):
                query.issuers = []
                for issuer in issuers {
                    guard case .text(let issuer) = issuer else { throw Fault(what: "an issuer is no text") }
                    query.issuers?.append(issuer)
                }
            case (.text("selfAsserted"), .bool(let flag)): query.selfAsserted = flag ? true : nil
            case (let key, _): throw Fault(what: "\(key.jsonText) is unknown, or is not what it has to be")
            }
        }
        return query
    }

    private static func wanted(_ entry: CBORMap.Entry) throws(Fault) -> WantedClaim {
        guard case .text(let name) = entry.key, let path = ClaimPath(text: name) else {
            throw Fault(what: "\(entry.key.jsonText) is no path of a claim")
        }
        switch entry.value {
        case .null: return WantedClaim(path)
        case .bool(let flag): return WantedClaim(path, value: .bool(flag))
        case .text(let text): return WantedClaim(path, value: .text(text))
        case .unsigned(let number) where number <= UInt64(Int64.max):
            return WantedClaim(path, value: .integer(Int64(number)))
        case .negative(let number) where number <= UInt64(Int64.max):
            return WantedClaim(path, value: .integer(~Int64(number)))
        default: throw Fault(what: "\(name) has to be true, false, a whole number, a text, or null for any value")
        }
    }

    /// The queries as such a file holds them.
    static func document(of queries: [CredentialQuery]) -> Document {
        .list(
            queries.map { query in
                let claims = query.claims.map { ($0.path.text, Document($0.value?.item ?? .null)) }
                return [
                    "type": .text(query.type),
                    "claims": .object(Dictionary(claims.map { ($0.0, $0.1) }) { first, _ in first }),
                    "issuers": query.issuers.map { .list($0.map { .text($0) }) },
                    "selfAsserted": query.selfAsserted.map { .flag($0) },
                ]
            })
    }
}
