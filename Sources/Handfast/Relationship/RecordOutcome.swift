public import HandfastChannel

/// What came of a record that was received without fault.
///
/// - Source: Spec/05 §5.2
public enum RecordOutcome: Hashable, Sendable {
    /// The record is next in its direction: keep it and the changed relationship together.
    case accepted(Effect)
    /// The ledger holds this record already: nothing changed.
    case duplicate
    /// The peer contradicted itself and the relationship is frozen: keep the changed relationship, not the record.
    case forked(ForkEvidence)
}

/// What an accepted record means.
///
/// - Source: Spec/05 §5.3
public enum Effect: Hashable, Sendable {
    /// Words for a person.
    case message(TextMessage)
    /// A file, to be asked for.
    case attachment(AttachmentMessage)
    /// The peer asks for claims.
    case claimsRequested(ClaimRequest)
    /// The peer answered a request for claims.
    case claimsPresented(ClaimPresentation)
    /// The peer checked what was presented.
    case claimsJudged(ClaimResult)
    /// The peer gave itself this name.
    case introduced(Introduction)
    /// The peer replaced its keys; its old ones sign nothing from this record on.
    case rotated(KeyEvent)
    /// The public identity that vouches for the peer replaced its keys or ended itself.
    case endorsed(KeyEvent)
    /// The peer receives at these addresses from now on, the preferred one first.
    case moved([Address])
    /// The peer ended its identity, and with it the relationship.
    case revoked(KeyEvent)
    /// The peer ended the relationship; with `mustAnswer` it waits for an `end` of ours.
    case ended(Ending, mustAnswer: Bool)
    /// A type that this version does not know: kept, shown as such and not acted on.
    case unknownType(RecordType)
}
