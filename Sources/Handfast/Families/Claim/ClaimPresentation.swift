public import HandfastClaims

extension VerifiedCredential.Format: Codable {}

/// A credential that is shown in answer to a query.
public struct PresentedCredential: Codable, Hashable, Sendable {
    /// Which of the request's credentials it answers, from 0.
    public var query: Int
    /// How it is written.
    public var format: VerifiedCredential.Format
    /// The presentation with its key binding, 1 to 49,152 bytes.
    public var presentation: [UInt8]
    /// The token of the status list in which its status stands, at most 49,152 bytes, so that its reader need not ask
    /// the issuer.
    public var statusToken: [UInt8]?

    /// A credential that is shown.
    public init(
        query: Int, format: VerifiedCredential.Format, presentation: [UInt8], statusToken: [UInt8]? = nil
    ) {
        self.query = query
        self.format = format
        self.presentation = presentation
        self.statusToken = statusToken
    }

    var fault: String? {
        if !(0..<ClaimLimits.credentials).contains(query) { return "query is not 0 to \(ClaimLimits.credentials - 1)" }
        if presentation.isEmpty || presentation.count > ClaimLimits.presentation {
            return "presentation is not 1 to \(ClaimLimits.presentation) bytes"
        }
        guard let statusToken else { return nil }
        return statusToken.isEmpty || statusToken.count > ClaimLimits.presentation
            ? "statusToken is not 1 to \(ClaimLimits.presentation) bytes" : nil
    }
}

/// `claim/present`: the answer to a request; without presentations it is a refusal.
///
/// - Source: Spec/10 §10.9
public struct ClaimPresentation: RecordBody {
    /// The number of the request in its sender's direction.
    public var request: UInt64
    /// The credentials that are shown, at most one for each query, in the order of the queries.
    public var presentations: [PresentedCredential]
    /// Why nothing is shown, at most 512 bytes; only in a refusal.
    public var reason: String?

    /// An answer that shows something.
    public init(to request: UInt64, _ presentations: [PresentedCredential]) {
        self.request = request
        self.presentations = presentations
    }

    /// An answer that shows nothing.
    public init(refusing request: UInt64, reason: String? = nil) {
        self.request = request
        presentations = []
        self.reason = reason
    }

    /// Whether nothing is shown.
    public var isRefusal: Bool { presentations.isEmpty }

    /// The type of record that has this body.
    public static var recordType: RecordType { .claimPresentation }

    /// Why a value is out of bounds.
    public var fault: String? {
        if request == 0 { return "request is 0" }
        if presentations.count > ClaimLimits.credentials { return "there are too many presentations" }
        let queries = presentations.map(\.query)
        if zip(queries, queries.dropFirst()).contains(where: { $0 >= $1 }) { return "queries are not in order" }
        for presentation in presentations {
            if let fault = presentation.fault { return fault }
        }
        guard let reason else { return nil }
        if !isRefusal { return "reason stands beside presentations" }
        return TextRule.fault(in: reason, named: "reason", maximum: ClaimLimits.reason)
    }
}
