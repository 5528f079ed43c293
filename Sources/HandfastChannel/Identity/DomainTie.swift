/// Whether a domain stands for an identity: the identity's inception names the domain, and the domain serves the
/// identity's key log.
///
/// - Source: Spec/02 §2.3
public enum DomainTie {
    /// Why a domain does not stand for an identity.
    public enum Fault: Error, Equatable, Sendable, CustomStringConvertible {
        /// What the domain serves is no key log.
        case malformed(ChannelError)
        /// The domain serves the log of another identity.
        case anotherIdentity(IdentityID)
        /// The identity's inception names another domain, or none.
        case anotherDomain(String?)
        /// The domain serves key events that contradict those that are known.
        case fork
        /// The domain serves fewer key events than are known.
        case behind(served: Int, known: Int)
        /// The identity has been ended.
        case revoked

        /// What was wrong.
        public var description: String {
            switch self {
            case .malformed(let error): "what it serves is no key log: \(error)"
            case .anotherIdentity(let id): "it serves the key log of another identity, \(id)"
            case .anotherDomain(let domain):
                domain.map { "the identity is tied to another domain, \($0)" } ?? "the identity is tied to no domain"
            case .behind(let served, let known):
                "it serves \(served) key events of the identity, and \(known) are known: it may be late, or not agree"
            case .fork: "it serves key events that contradict those shown before: somebody else has held a key"
            case .revoked: "the identity has been ended by its holder"
            }
        }
    }

    /// Checks what `https://domain/.well-known/handfast` served against what is known of the identity.
    ///
    /// - Parameters:
    ///   - served: The response's body.
    ///   - domain: The domain that was asked, as the identity's inception names it.
    ///   - known: The identity's events as far as they are known.
    public static func check(_ served: RawSpan, of domain: String, for known: KeyLogOutline) throws(Fault) {
        let shown: KeyLog
        do {
            shown = try KeyLog(decoding: served)
        } catch {
            throw .malformed(error)
        }
        guard shown.id == known.id else { throw .anotherIdentity(shown.id) }
        guard shown.domain == domain else { throw .anotherDomain(shown.domain) }
        var known = known
        let count = known.count
        for event in shown.events.dropFirst() {
            do {
                if case .contradicted = try known.append(event) { throw Fault.fork }
            } catch let fault as Fault {
                throw fault
            } catch let error as ChannelError {
                throw .malformed(error)
            } catch {
                throw .fork
            }
        }
        guard shown.events.count >= count else { throw .behind(served: shown.events.count, known: count) }
        guard !known.isRevoked else { throw .revoked }
    }
}
