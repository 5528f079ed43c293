extension [UInt8] {
    /// Gives the array `count` bytes; those that were there stay as they are.
    ///
    /// A buffer that is reused for messages of one size is not touched at all.
    mutating func resize(to count: Int) {
        if self.count > count {
            removeLast(self.count - count)
        } else if self.count < count {
            append(contentsOf: repeatElement(0, count: count - self.count))
        }
    }
}
