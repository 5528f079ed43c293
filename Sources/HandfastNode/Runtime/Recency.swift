/// A bounded cache that forgets what was not used for longest, give or take half its size.
///
/// Two generations: what is used moves into the young one; when that is half full, the old one is dropped and they
/// change places. Every operation takes constant time and no list is kept.
struct Recency<Key: Hashable, Value> {
    private let half: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    /// A cache of at most `capacity` values, at least 2.
    init(capacity: Int) {
        half = max(1, capacity / 2)
    }

    /// The value of a key, which counts as a use.
    mutating func value(for key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old.removeValue(forKey: key) else { return nil }
        insert(value, for: key)
        return value
    }

    /// Keeps a value.
    mutating func insert(_ value: Value, for key: Key) {
        if young.count >= half, young[key] == nil {
            old = young
            young.removeAll(keepingCapacity: true)
        }
        old[key] = nil
        young[key] = value
    }

    /// Forgets a key.
    mutating func remove(_ key: Key) {
        young[key] = nil
        old[key] = nil
    }

    /// Forgets everything.
    mutating func removeAll() {
        young.removeAll()
        old.removeAll()
    }

    /// How many values are kept.
    var count: Int { young.count + old.count }
}
