internal import Handfast
internal import HandfastCrypto
internal import HandfastStore

/// What one operation wants to become true at the next commit. Owned by the ``Keeper`` and used nowhere else.
///
/// A draft is dropped with the memory of the relationships that it touched when its operation fails.
final class Draft {
    /// A change that grows in its place.
    private final class DraftedChange {
        var value = VaultChange()
    }

    /// The time of the operation.
    let now: Timestamp
    /// Changes that belong to a relationship.
    private var drafted: [RelationshipID: DraftedChange] = [:]
    /// The one that was added to last: a batch mostly has many messages of one relationship after the other.
    private var latest: (id: RelationshipID, change: DraftedChange)?
    /// The relationships that were changed in memory.
    private(set) var touched: [RelationshipID: LoadedRelationship] = [:]
    private var latestTouched: LoadedRelationship?
    /// Changes that belong to no relationship.
    var general = VaultChange()
    /// What the batch said of rows of the wallet before this operation, in the order of its changes.
    var earlierWallet: [(key: WalletKey, row: WalletRow?)] = []
    /// The operation that this one follows, without which it cannot stand.
    var predecessor: OperationResult<Keeper.Received>?
    /// Run once the commit stands.
    var afterCommit: [@Sendable () -> Void] = []

    init(now: Timestamp) {
        self.now = now
    }

    /// Says that the relationship is about to change in memory; its row and channel are written with the commit.
    func touch(_ loaded: LoadedRelationship) {
        guard latestTouched !== loaded else { return }
        latestTouched = loaded
        touched[loaded.id] = loaded
    }

    /// Adds to what is stored with a relationship that is touched.
    func add(_ id: RelationshipID, _ body: (inout VaultChange) -> Void) {
        if let latest, latest.id == id { return body(&latest.change.value) }
        let change = drafted[id] ?? DraftedChange()
        drafted[id] = change
        latest = (id, change)
        body(&change.value)
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
        if let id, latestTouched?.id == id || touched[id] != nil {
            add(id) { $0.events.append(draft) }
        } else {
            general.events.append(draft)
        }
    }

    /// What is stored with each relationship.
    var changes: [RelationshipID: VaultChange] { drafted.mapValues(\.value) }

    /// Whether nothing would be stored.
    var isEmpty: Bool { touched.isEmpty && general == .empty }
}
