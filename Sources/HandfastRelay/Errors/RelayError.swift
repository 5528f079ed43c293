public import HandfastEncoding
public import HandfastLink
public import HandfastStore

/// Why a relay, or a client of one, could not do what was asked.
public enum RelayError: Error, Equatable, Sendable {
    /// The link could not be made, or ended.
    case link(LinkError)
    /// The relay refused the request.
    case refused(RelayRefusal)
    /// The other side sent a frame that is no request or answer, for the reason given.
    case malformedFrame(CBORError)
    /// The other side sent a frame of a kind that has no place here.
    case unexpectedFrame
    /// The relay answered a request that was not under way, or not in its form.
    case unexpectedAnswer
    /// The relay sent more than was acknowledged allows, or out of order.
    case unexpectedDelivery
    /// The relay is there and did not answer a request in time.
    case unanswered
    /// A request holds nothing, or more than one request may hold.
    case requestNotSendable(String)
    /// A value of the configuration cannot be.
    case invalidConfiguration(String, reason: String)
    /// The relay's own store ended its service.
    case store(StoreError)
}

extension RelayError: CustomStringConvertible {
    /// One or two sentences: what happened and, where a person can do something, what to do.
    public var description: String {
        switch self {
        case .link(let error): error.description
        case .refused(let refusal): refusal.description
        case .malformedFrame(let error): "The other side sent a frame that cannot be read: \(error)"
        case .unexpectedFrame: "The other side sent a frame that has no place here: it does not speak this protocol."
        case .unexpectedAnswer: "The relay sent an answer that does not fit what was asked."
        case .unexpectedDelivery: "The relay delivered more than was asked for, or out of order."
        case .unanswered: "The relay did not answer in time."
        case .requestNotSendable(let reason): "This cannot be asked of a relay: \(reason)."
        case .invalidConfiguration(let name, let reason): "The relay's setting \(name) \(reason)."
        case .store(let error): "The relay's store: \(error)"
        }
    }
}

/// What a relay answers instead of doing what was asked; the raw values stand on the wire.
/// - Source: Spec/07
public enum RelayRefusal: UInt8, Error, Hashable, Sendable, CaseIterable {
    /// The frame could not be read; the relay ends the connection.
    case malformed = 1
    /// An owner's request before the service was attached.
    case notAttached = 2
    /// Unknown queue, not this service's, wrong signature, capability or knock: one answer for all.
    case refused = 3
    /// A limit would be passed.
    case limit = 4
    /// The queue was closed by its owner.
    case closed = 5
    /// Nothing is published there.
    case noBundle = 6
    /// The relay has no time now.
    case busy = 7
    /// The relay could not commit; nothing was stored.
    case storage = 8
    /// The service keeps as much as one service may.
    case serviceFull = 9
    /// What the relay has left is promised to queues that are there.
    case relayFull = 10
}

extension RelayRefusal: CustomStringConvertible {
    /// One sentence for a person.
    public var description: String {
        switch self {
        case .malformed: "The relay could not read the request."
        case .notAttached: "The relay does not know yet for which service this connection speaks."
        case .refused: "The relay refused: the queue, capability or invitation is not known there, or not for this use."
        case .limit: "The relay refused: one of its limits would be passed."
        case .closed: "The queue was closed by its owner."
        case .noBundle: "No bundle is published there: the invitation has expired or was withdrawn."
        case .busy: "The relay is busy, or was asked too often from this address. Try again later."
        case .storage: "The relay could not store it. Try again later; nothing was stored."
        case .serviceFull:
            "The relay keeps no more for this service: let the node receive what waits there, or end relationships that "
                + "are not needed."
        case .relayFull:
            "The relay has no room for more queues; those that are there go on. Try again later, or use another relay."
        }
    }
}
