internal import HandfastStore

/// Why the database did not do what it was asked, as far as repeating it depends on that.
enum PostgresFailure: Error, Equatable {
    /// The connection is gone or could not be had: nothing is known but that there was no answer.
    case lost(String)
    /// The server refused; everything since the transaction began is undone.
    case refused(state: String, message: String)

    /// The SQLSTATE, where the server gave one.
    var state: String? {
        guard case .refused(let state, _) = self else { return nil }
        return state
    }

    /// Whether the same transaction may succeed when it is run again: serialization failure, deadlock, a lock that was
    /// not had in time, a server that is just starting or stopping.
    var isPassing: Bool {
        switch self {
        case .lost: true
        case .refused(let state, _): ["40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300"].contains(state)
        }
    }

    /// The failure as a store tells it.
    func storeError(in what: String) -> StoreError {
        switch self {
        case .lost(let reason): .inputOutput("\(what): no connection to PostgreSQL: \(reason)")
        // Disk full, and out of memory on the server.
        case .refused("53100", _), .refused("53200", _): .full
        case .refused("23505", let message): .duplicate("\(what): \(message)")
        case .refused(let state, let message) where state.hasPrefix("XX"):
            .corrupted("\(what): \(message) (SQLSTATE \(state))")
        case .refused(let state, let message): .inputOutput("\(what): \(message) (SQLSTATE \(state))")
        }
    }
}
