internal import HandfastCrypto
internal import HandfastEncoding

/// Arrays of items that another layer understands: the entries of a ledger.
enum EncodedItems {
    static func write(_ items: [[UInt8]], to writer: inout CBORWriter) {
        writer.writeArrayHeader(items.count)
        for item in items { writer.writeEncoded(item) }
    }

    static func read(_ reader: inout CBORReader, maximum: Int) throws(CBORError) -> [[UInt8]] {
        var items: [[UInt8]] = []
        for _ in 0..<(try reader.readArrayHeader(maximum: maximum)) {
            items.append([UInt8](try reader.readEncodedItem()))
        }
        return items
    }
}
