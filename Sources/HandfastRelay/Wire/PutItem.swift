public import HandfastChannel

/// Envelopes for one queue, in a row.
/// - Source: Spec/07
public struct PutItem: Hashable, Sendable {
    /// The queue.
    public var queue: QueueID
    /// Leave to put into it.
    public var capability: SendCapability
    /// The number of the first envelope; the queue counts from 0.
    public var first: UInt64
    /// The envelopes, each 1...65,614 bytes; none asks for the queue's next number and digest.
    public var envelopes: [[UInt8]]

    /// Makes an item.
    public init(queue: QueueID, capability: SendCapability, first: UInt64, envelopes: [[UInt8]]) {
        self.queue = queue
        self.capability = capability
        self.first = first
        self.envelopes = envelopes
    }
}
