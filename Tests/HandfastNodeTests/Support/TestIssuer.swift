import Handfast
import HandfastCrypto
import HandfastEncoding
import HandfastTestSupport
import Synchronization

@testable import HandfastNode

/// Who issues credentials: with a key, and a status list.
final class TestIssuer: Sendable {
    static let name = "https://id.example"
    static let type = "https://id.example/person"

    private let state: Mutex<(register: StatusRegister, entropy: SeededEntropy)>
    private let seed: UInt64

    init(seed: UInt64 = 1) throws {
        self.seed = seed
        state = Mutex((try StatusRegister(uri: "\(Self.name)/status/1", bits: 2), SeededEntropy(seed: seed &+ 100)))
    }

    func key() -> CredentialSigningKey {
        var entropy = SeededEntropy(seed: seed)
        return .ed25519(SigningKey.generate(using: &entropy))
    }

    /// Has people take its word.
    func trusted(by people: Person...) async throws {
        for person in people {
            try await person.node.trust(Self.name, keys: [IssuerKey(key().publicKey)])
        }
    }

    /// Issues a credential to a person, whose copies stand in the status list, and staples the list.
    ///
    /// - Returns: Where the copies stand.
    @discardableResult
    func issue(to person: Person, copies count: Int) async throws -> [StatusReference] {
        let keys = try await person.node.makeCredentialKeys("ID", count: count).copies.map(\.key)
        var content = CredentialContent(
            issuer: Self.name, type: Self.type,
            claims: try CBORMap([
                .init(.text("age_over_18"), .bool(true)), .init(.text("birthdate"), .text("1990-01-01")),
            ]), redacting: [try path("age_over_18"), try path("birthdate")])
        content.subject = "somebody"
        let now = TimeSource.system.now().seconds
        (content.issuedAt, content.expires) = (now, now + 10 * CredentialContent.day)
        let key = key()
        var (credentials, places): ([[UInt8]], [StatusReference]) = ([], [])
        for bytes in keys {
            let holder = CredentialVerificationKey.ed25519(try VerificationKey(bytes.bytes))
            let place = try state.withLock { state in try state.register.allocate(using: &state.entropy) }
            let copy = content.copy(CredentialCopy(holder: holder, status: place))
            var entropy = state.withLock { state in SeededEntropy(seed: state.entropy.next()) }
            credentials.append(try SDCWT.issue(copy, holder: holder, with: key, using: &entropy))
            places.append(place)
        }
        _ = try await person.node.importCredentials(credentials, format: .sdCWT)
        try await person.node.importStatusToken(try token())
        return places
    }

    /// Changes what the list says of a copy.
    func set(_ status: CredentialStatus, at place: StatusReference) throws {
        try state.withLock { state in try state.register.set(status, at: place.index) }
    }

    /// The list as a signed token, issued so many seconds ago.
    func token(age: UInt64 = 0) throws -> [UInt8] {
        let now = TimeSource.system.now().seconds
        let token = try state.withLock { state in
            try state.register.token(issuedAt: now - age, expires: now + 3_600, timeToLive: 3_600)
        }
        return try token.signed(as: .cwt, with: key())
    }

    func path(_ text: String) throws -> ClaimPath {
        guard let path = ClaimPath(text: text) else { throw Failure("no path") }
        return path
    }

    /// Asks somebody for a claim of the credential.
    func request(_ claim: String = "age_over_18", by vendor: Person, in id: RelationshipID) async throws -> UInt64 {
        try await vendor.node.requestClaims(
            [CredentialQuery(type: Self.type, claims: [WantedClaim(try path(claim))])], purpose: "dpv:AgeVerification",
            of: id)
    }
}

extension Person {
    /// Waits for an event about a request.
    @discardableResult
    func claim(_ kind: NodeEvent.Kind, _ number: UInt64, in id: RelationshipID) async throws -> NodeEvent {
        try await event(kind) { $0.relationship == id.description && $0.detail.sequence == number }
    }

    /// A request as it stands.
    func request(_ number: UInt64, in id: RelationshipID) async throws -> ClaimRequestReport {
        let found = try await node.claimRequests(in: id, all: true).first { $0.number == number }
        guard let found else { throw Failure("\(name) has no request \(number)") }
        return found
    }
}
