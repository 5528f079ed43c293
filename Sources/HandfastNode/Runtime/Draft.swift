internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

/// What one operation wants to become true at the next commit. Owned by the ``Keeper`` and used nowhere else.
///
/// A draft is dropped with the memory of the relationships that it touched when its operation fails.
final class Draft {
    /// The time of the operation.
    let now: Timestamp
    /// Changes that belong to a relationship.
    private(set) var changes: [RelationshipID: VaultChange] = [:]
    /// The relationships that were changed in memory.
    private(set) var touched: [RelationshipID: LoadedRelationship] = [:]
    /// Changes that belong to no relationship.
    var general = VaultChange()
    /// What the batch said of rows of the wallet before this operation, in the order of its changes.
    var earlierWallet: [(key: WalletKey, row: WalletRow?)] = []
    /// Run once the commit stands.
    var afterCommit: [@Sendable () -> Void] = []

    init(now: Timestamp) {
        self.now = now
    }

    /// Says that the relationship is about to change in memory; its row and channel are written with the commit.
    func touch(_ loaded: LoadedRelationship) {
        touched[loaded.id] = loaded
    }

    /// Adds to what is stored with a relationship that is touched.
    func add(_ id: RelationshipID, _ body: (inout VaultChange) -> Void) {
        body(&changes[id, default: VaultChange()])
    }

    /// Leaves positions of the feed out that a newer copy of the vault may have given to readers.
    func skipPositions() {
        general.skippedPositions = 1 << 20
    }

    /// Tells readers of the feed.
    func event(_ kind: NodeEvent.Kind, of id: RelationshipID? = nil, _ detail: NodeEvent.Detail = .init()) {
        tell(KeptEvent(kind: kind, time: now.seconds, detail: detail), of: id)
    }

    /// Tells readers of the feed of a record that is stored with the same commit.
    func event(_ kind: NodeEvent.Kind, of id: RelationshipID, record: Entry) {
        tell(KeptEvent(kind: kind, time: now.seconds, record: record), of: id)
    }

    private func tell(_ event: KeptEvent, of id: RelationshipID?) {
        let draft = EventDraft(relationship: id, payload: event.encoded())
        if let id, touched[id] != nil {
            add(id) { $0.events.append(draft) }
        } else {
            general.events.append(draft)
        }
    }

    /// Whether nothing would be stored.
    var isEmpty: Bool { touched.isEmpty && general == .empty }
}
