internal import GRDB

/// Messages as they lie in one row of a relay's database.
struct StoredRun {
    /// A row takes no more once it has so many bytes or messages: it is read and written as a whole.
    private static let largestByteCount = 64 << 10
    private static let largestCount = 256

    private(set) var count = 0
    /// Where each message but the last ends, 4 bytes big endian.
    private(set) var ends: [UInt8] = []
    private(set) var bytes: [UInt8] = []

    /// A row of as many of the first messages as fit, at least one; they are taken away.
    init(taking messages: inout ArraySlice<[UInt8]>) {
        var size = 0
        let first = messages.prefix(Self.largestCount).prefix { message in
            size += message.count
            return size == message.count || size <= Self.largestByteCount
        }
        bytes.reserveCapacity(min(size, Self.largestByteCount))
        for message in first { append(message) }
        messages = messages.dropFirst(first.count)
    }

    private mutating func append(_ message: [UInt8]) {
        if count > 0 {
            let end = UInt32(truncatingIfNeeded: bytes.count)
            for shift in stride(from: UInt32(24), through: 0, by: -8) {
                ends.append(UInt8(truncatingIfNeeded: end >> shift))
            }
        }
        bytes += message
        count += 1
    }

    /// The messages of a row whose first two columns are `ends` and `bytes`.
    ///
    /// - Throws: ``StoreError/corrupted(_:)`` when they do not fit each other or the count
    static func contents(of stored: Row, count: Int, row: Int64) throws -> [[UInt8]] {
        let ends = try stored.bytes(0, of: "run")
        // The row's own memory, so that every message is copied only once.
        return try stored.withUnsafeData(atIndex: 1) { bytes in
            let isPossible = (1...largestCount).contains(count) && ends.count == 4 * (count - 1)
            guard let bytes, isPossible else { throw StoreError.corrupted("table run, row \(row)") }
            var contents: [[UInt8]] = []
            contents.reserveCapacity(count)
            var start = 0
            for index in 0..<count {
                let end =
                    index == count - 1
                    ? bytes.count : ends[4 * index..<4 * index + 4].reduce(0) { $0 << 8 | Int($1) }
                guard start <= end, end <= bytes.count else { throw StoreError.corrupted("table run, row \(row)") }
                contents.append([UInt8](bytes[start..<end]))
                start = end
            }
            return contents
        }
    }
}

/// What queues lost, queue by queue.
struct RunLosses {
    private var losses: [Int64: RelayLoss] = [:]

    var all: [RelayLoss] { Array(losses.values) }

    mutating func add(_ loss: RelayLoss) {
        losses[loss.queue] = losses[loss.queue].map { $0.adding(loss) } ?? loss
    }
}
