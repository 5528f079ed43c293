public import HandfastChannel
public import HandfastCrypto

/// What a node keeps: relationships, records, outbox, identities and the one feed of events.
///
/// Payloads are opaque bytes to the store, and every read is bounded by the caller's `limit` (1…10,000 rows). Readers
/// never wait for the writer; what they see is the state after some commit.
///
/// - Source: Spec/08 §8.1
public protocol VaultStore: Sendable {
    /// Applies a batch of changes in one transaction with one flush, and returns when it is durable.
    ///
    /// A change whose compare-and-swap is lost is left out and reported; the others stand.
    ///
    /// - Parameter changes: applied in order; a later one sees the earlier ones.
    /// - Returns: one outcome per change, in the same order.
    /// - Throws: any ``StoreError``; then nothing of the batch is acknowledged. After ``StoreError/syncFailed(_:)``
    ///   the store refuses everything and the process must end.
    func commit(_ changes: [VaultChange]) async throws(StoreError) -> [ChangeOutcome]

    /// The relationship with its channel, or nil.
    func relationship(_ id: RelationshipID) async throws(StoreError) -> StoredRelationship?

    /// Relationships without their channels, in the order in which they were stored.
    ///
    /// - Parameter after: `position` of the last one already read; 0 for the first page.
    func relationships(after: Int64, limit: Int) async throws(StoreError) -> [RelationshipSummary]

    /// Relationships for which the passing of time alone may give the node something to do, in the order in which they
    /// were stored.
    ///
    /// However many others the node has, they cost nothing here.
    func timedRelationships(after: Int64, limit: Int) async throws(StoreError) -> [RelationshipSummary]

    /// Records of one direction in order, from a sequence number on.
    func entries(
        of relationship: RelationshipID, direction: SenderRole, from sequence: UInt64, limit: Int
    ) async throws(StoreError) -> [StoredEntry]

    /// The hash of one record, or nil when it is not stored.
    func recordHash(
        of relationship: RelationshipID, direction: SenderRole, sequence: UInt64
    ) async throws(StoreError) -> Digest?

    /// Envelopes that are not yet confirmed, by queue and then by number.
    func outbox(of relationship: RelationshipID, limit: Int) async throws(StoreError) -> [OutboxItem]

    /// Envelopes for one queue that are not yet confirmed, from a number on, in order.
    func outbox(
        of relationship: RelationshipID, queue: QueueID, from number: UInt64, limit: Int
    ) async throws(StoreError) -> [OutboxItem]

    /// For each queue this relationship has sent to: what is confirmed and what comes next.
    func outboxHeads(of relationship: RelationshipID) async throws(StoreError) -> [OutboxHead]

    /// Relationships that have something in the outbox.
    ///
    /// - Parameter after: `position` of the last one already read; 0 for the first page.
    func relationshipsWithOutbox(after: Int64, limit: Int) async throws(StoreError) -> [RelationshipReference]

    /// An identity of this node, or nil.
    func identity(_ id: IdentityID) async throws(StoreError) -> StoredIdentity?

    /// The identities of this node, in the order in which they were stored.
    func identities(after: Int64, limit: Int) async throws(StoreError) -> [StoredIdentity]

    /// The invitation with this knock, or nil.
    func invitation(_ knock: Knock) async throws(StoreError) -> StoredInvitation?

    /// The invitations of this node, in the order in which they were stored.
    func invitations(after: Int64, limit: Int) async throws(StoreError) -> [StoredInvitation]

    /// The invitations of this node, the latest first.
    ///
    /// - Parameter before: `position` of the last one already read; `.max` for the first page.
    func invitations(before: Int64, limit: Int) async throws(StoreError) -> [StoredInvitation]

    /// A bundle with its private key, or nil once it is erased.
    func bundle(_ hash: Digest) async throws(StoreError) -> StoredBundle?

    /// Bundles that are not yet erased, in the order in which they were stored.
    func bundles(after: Int64, limit: Int) async throws(StoreError) -> [StoredBundle]

    /// The relationship that a hello with this hash began, whether or not it is still stored; nil for an unknown hello.
    func hello(_ hash: Digest) async throws(StoreError) -> RelationshipID?

    /// The services that this node has at relays, each with its cursor.
    func services(after: Int64, limit: Int) async throws(StoreError) -> [StoredService]

    /// The service with this key and its cursor, or nil.
    func service(_ key: VerificationKey) async throws(StoreError) -> StoredService?

    /// What the node's own queue with this id is for, or nil.
    func queue(_ id: QueueID) async throws(StoreError) -> StoredQueue?

    /// The node's own queues for which a service has something to do, in the order in which they were stored.
    ///
    /// However many others the node has, they cost nothing here.
    func queues(
        tendedBy service: VerificationKey, after: Int64, limit: Int
    ) async throws(StoreError) -> [StoredQueue]

    /// How far an attachment has come, whether or not something is still to be done; nil for one never heard of.
    func transfer(_ key: TransferKey) async throws(StoreError) -> StoredTransfer?

    /// The transfers for which something is still to be done, in the order in which they began.
    func openTransfers(after: Int64, limit: Int) async throws(StoreError) -> [StoredTransfer]

    /// A row of the wallet, or nil.
    func walletRow(_ key: WalletKey) async throws(StoreError) -> StoredWalletRow?

    /// The rows of a table of the wallet, in the order in which they were stored.
    func walletRows(_ table: WalletTable, after: Int64, limit: Int) async throws(StoreError) -> [StoredWalletRow]

    /// Events above a position, in order: the one feed behind watch, library, API and webhooks.
    func events(after position: Int64, limit: Int) async throws(StoreError) -> [StoredEvent]

    /// The position of the last event ever stored; 0 before the first.
    func lastEventPosition() async throws(StoreError) -> Int64

    /// The result kept under an idempotency key, or nil.
    func idempotentResult(_ key: [UInt8]) async throws(StoreError) -> [UInt8]?

    /// Erases what has reached its time: bundles with their keys, replay entries, idempotency keys.
    ///
    /// - Parameter limit: rows erased at most, per kind.
    /// - Returns: the number of rows erased; call again while it is not 0.
    func purge(expiredAt now: Timestamp, limit: Int) async throws(StoreError) -> Int

    /// Ends the use of the store; later calls throw ``StoreError/closed``.
    func close() async
}
