public import Handfast
internal import HandfastLink
public import HandfastRelay
public import HandfastStore

/// Why a node did not do what it was asked. Nothing has changed when one of these is thrown.
public enum NodeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Something given to the node is not what it should be.
    case badData(String)
    /// No relationship has an id that begins so, nor such a label.
    case unknownRelationship(String)
    /// Several relationships have an id that begins so, or such a label.
    case ambiguousRelationship(String, candidates: Int)
    /// The configuration lacks something that this needs.
    case notConfigured(String)
    /// A relay or a peer could not be reached.
    case unavailable(String)
    /// Delivery in this relationship has stopped, and why.
    case stopped(String)
    /// Another operation on the same relationship failed in the same commit; try again.
    case interrupted
    /// A file cannot be read or written.
    case file(path: String, reason: String)
    /// What a file holds is not in order.
    case malformedFile(path: String, reason: String)
    /// A row of the vault cannot be read.
    case damaged(String)
    /// The channel refused.
    case channel(ChannelError)
    /// The relationship's rules refused.
    case relationship(RelationshipError)
    /// The vault refused or failed.
    case store(StoreError)
    /// The wallet has nothing that it could show.
    case wallet(WalletError)
    /// A credential was refused.
    case credential(CredentialError)
    /// The relay refused or failed.
    case relay(RelayError)
    /// A domain could not be asked whether it stands for the identity that names it.
    case domainUnasked(String, WebError)
    /// An issuer could not be asked for its keys.
    case issuerUnasked(String, WebError)
    /// What an issuer publishes about itself is not in order.
    case issuer(String, IssuerMetadata.Fault)
    /// A domain does not stand for the identity that names it.
    case domain(String, DomainTie.Fault)

    /// What was sent had been signed by an older copy of the vault, contradicted what the peer held, and counts no more.
    static let voided = NodeError.stopped(
        "this was signed by an older copy of the vault, and the other side held other records in its place: it is void "
            + "(event record.voided). Send it again, under another idempotency key if you gave one")

    /// What was wrong, and what to do next.
    public var description: String {
        switch self {
        case .badData(let what), .notConfigured(let what), .unavailable(let what), .stopped(let what):
            what
        case .unknownRelationship(let name):
            "no relationship is called \"\(name)\"; `handfast list` shows them all"
        case .ambiguousRelationship(let name, let candidates):
            "\(candidates) relationships are called \"\(name)\"; give the beginning of an id, which `handfast list` shows"
        case .file(let path, let reason), .malformedFile(let path, let reason): "\(path): \(reason)"
        case .interrupted:
            "another operation on the same relationship failed in the same commit; try again"
        case .damaged(let what):
            "the vault's \(what); restore the folder from a backup and keep the damaged one for inspection"
        case .channel(let error): "\(error)"
        case .relationship(let error): "\(error)"
        case .store(let error): "\(error)"
        case .relay(let error): "\(error)"
        case .domainUnasked(let domain, let error):
            "\(domain) could not be asked whether this is its identity: \(error). Try again later, or take the domain as "
                + "a claim with --unasked-domain"
        case .issuerUnasked(let issuer, let error):
            "\(issuer) could not be asked for its keys: \(error). Try again later, or trust a file of "
                + "its keys (`handfast issuer trust FILE --name \(issuer)`)"
        case .issuer(let issuer, let fault):
            "\(issuer): \(fault). If you have its keys from elsewhere, trust a file of them (`handfast issuer trust "
                + "FILE --name \(issuer)`)"
        case .domain(let domain, let fault):
            "\(domain) does not stand for this identity: \(fault). Ask \(domain) by another way before you go on"
        case .wallet(let error): "\(error)"
        case .credential(let error): "\(error)"
        }
    }

    /// The error of this module that stands for an error of a module below.
    init(_ error: any Error) {
        switch error {
        case let error as NodeError: self = error
        case let error as ChannelError: self = .channel(error)
        case let error as RelationshipError: self = .relationship(error)
        case let error as StoreError: self = .store(error)
        case let error as WalletError: self = .wallet(error)
        case let error as CredentialError: self = .credential(error)
        // Trying again does not help against an address that we refuse.
        case RelayError.link(.addressRefused): self = .badData("\(error)")
        case let error as RelayError: self = .relay(error)
        case is CancellationError: self = .unavailable("the node is stopping")
        default: self = .badData("\(error)")
        }
    }

    /// Runs `body` and names the row that it could not read.
    static func reading<T>(_ name: String, _ body: () throws -> T) throws(NodeError) -> T {
        do {
            return try body()
        } catch {
            throw .damaged("\(name) cannot be read: \(error)")
        }
    }
}
