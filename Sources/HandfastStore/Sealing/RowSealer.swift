internal import HandfastCrypto

/// Seals the rows of one transaction, one after the other, in memory that each uses again.
///
/// - Source: Spec/08 §8.2
package final class RowSealer {
    private var sealer: StorageSealer
    private var associatedData: [UInt8] = []
    /// The row that was sealed last.
    package private(set) var sealed: [UInt8] = []

    init(_ sealer: consuming StorageSealer) {
        self.sealer = sealer
    }

    /// Seals what `write` appends to its place, as ``VaultSeal/seal(_:at:)`` does; ``sealed`` is then the row.
    package func seal(at place: RowPlace, _ write: (inout [UInt8]) -> Void) throws(StoreError) {
        var (row, data): ([UInt8], [UInt8]) = ([], [])
        swap(&row, &sealed)
        swap(&data, &associatedData)
        data.removeAll(keepingCapacity: true)
        place.writeAssociatedData(to: &data)
        row.removeAll(keepingCapacity: true)
        row.append(contentsOf: repeatElement(0, count: StorageSealer.prefixCount))
        write(&row)
        row.append(contentsOf: repeatElement(0, count: StorageSealer.tagCount))
        do {
            var buffer = row.mutableBytes
            try sealer.sealInPlace(&buffer, authenticating: data.bytes)
        } catch {
            throw .keys(error.description)
        }
        sealed = row
        associatedData = data
    }
}
