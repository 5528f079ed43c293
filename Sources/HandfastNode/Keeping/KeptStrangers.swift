internal import HandfastStore

/// What the vault keeps of what comes of strangers: of all who answer invitations, whichever of them.
///
/// - Source: Spec/07 §7.4
struct KeptStrangers: Codable, Hashable, Sendable {
    /// The row that holds it.
    static let key = WalletKey(.recovery, Array("strangers".utf8))

    /// What is let come, as a change from everything.
    var change = ReceptionChange()

    /// What the knock queues let come.
    var policy: QueuePolicy {
        get throws(NodeError) { try change.applied(to: .standard) }
    }
}
