internal import HandfastChannel

/// A table of sealed payloads, each found by the keyed digest of its true key.
///
/// All of them have one shape, in every engine, and each row is sealed to the same place in every one, so that a row can
/// be carried over as it is.
package struct SealedTable: Hashable, Sendable {
    package static let identity = SealedTable("identity")
    package static let invitation = SealedTable("invitation")
    package static let bundle = SealedTable("bundle")
    package static let hello = SealedTable("hello")
    package static let ticket = SealedTable("ticket")
    package static let service = SealedTable("service")
    package static let queue = SealedTable("queue")
    package static let idempotency = SealedTable("idempotency")
    package static let transfer = SealedTable("transfer")
    package static let endedTransfer = SealedTable("ended_transfer")
    /// Those of a vault's first version.
    package static let first = [identity, invitation, bundle, hello, ticket, service, queue, idempotency]
    /// All of them.
    package static let all = first + [transfer, endedTransfer] + WalletTable.allCases.map(wallet)
    /// Those whose rows are erased when their time has come.
    package static let expiring = [bundle, hello, idempotency]

    /// The table of a part of the wallet.
    package static func wallet(_ table: WalletTable) -> SealedTable {
        switch table {
        case .credential: SealedTable("wallet_credential")
        case .copy: SealedTable("wallet_copy")
        case .request: SealedTable("wallet_request")
        case .answer: SealedTable("wallet_answer")
        case .rule: SealedTable("wallet_rule")
        case .status: SealedTable("wallet_status")
        case .anonymous: SealedTable("wallet_anonymous")
        case .issuer: SealedTable("wallet_issuer")
        case .recovery: SealedTable("wallet_recovery")
        }
    }

    /// The columns that make a row.
    package static let columns = "row, name, version, expires, sealed"

    /// Its name, as it also stands in the seals of its rows.
    package let table: StaticString
    /// The same as text.
    package let name: String

    private init(_ table: StaticString) {
        self.table = table
        name = table.description
    }

    package static func == (one: SealedTable, other: SealedTable) -> Bool { one.name == other.name }

    package func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// The name of the row with a key.
    package func name(of key: [UInt8], _ seal: VaultSeal) -> [UInt8] { seal.name(key, in: table) }

    /// Opens a row with the columns of ``columns``.
    package func open(_ row: some EngineRow, _ seal: VaultSeal) throws(StoreError) -> OpenedRow {
        let place = RowPlace(table, name: try row.bytes(1, of: table), version: try row.number(2, of: table))
        return OpenedRow(
            position: try row.number(0, of: table), payload: try seal.open(row.bytes(4, of: table), at: place),
            expires: try row.optionalCount(3, of: table).map { Timestamp(seconds: $0) })
    }
}
