internal import HandfastStore

extension UInt64 {
    /// The form in which the database takes a count.
    ///
    /// - Throws: ``StoreError/inputOutput(_:)`` beyond 2⁶³ − 1, which no honest count reaches
    var stored: PostgresValue {
        get throws(StoreError) {
            guard let number = Int64(exactly: self) else { throw .inputOutput("the number \(self) is too large") }
            return .number(number)
        }
    }
}
