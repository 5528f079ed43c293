package import HandfastChannel
package import HandfastCrypto

/// An opened payload, taken apart from the front: the row's true key, then the caller's bytes.
package struct Payload {
    private let text: String
    private let bytes: [UInt8]
    private var offset = 0

    package init(_ bytes: [UInt8], of place: RowPlace) {
        self.bytes = bytes
        text = place.text
    }

    package init(_ bytes: [UInt8], of table: String) {
        self.bytes = bytes
        text = "table \(table)"
    }

    /// What has not been taken.
    package var rest: [UInt8] { Array(bytes[offset...]) }

    package mutating func digest() throws(StoreError) -> Digest {
        Digest(try fixed())
    }

    package mutating func queue() throws(StoreError) -> QueueID {
        QueueID(try fixed())
    }

    package mutating func key() throws(StoreError) -> VerificationKey {
        do {
            return try VerificationKey(fixed())
        } catch {
            throw .corrupted(text)
        }
    }

    package mutating func byte() throws(StoreError) -> UInt8 {
        let byte: FixedBytes<1> = try fixed()
        return byte.array[0]
    }

    package mutating func optionalRelationship() throws(StoreError) -> RelationshipID? {
        let mark: FixedBytes<1> = try fixed()
        return mark == .zero ? nil : RelationshipID(try digest())
    }

    private mutating func fixed<let count: Int>() throws(StoreError) -> FixedBytes<count> {
        guard bytes.count - offset >= count,
            let value = try? FixedBytes<count>(copying: Array(bytes[offset..<offset + count]))
        else { throw .corrupted(text) }
        offset += count
        return value
    }
}
