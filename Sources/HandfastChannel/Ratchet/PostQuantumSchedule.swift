/// When the next ML-KEM step is due: a day or 32 steps after the last.
///
/// - Source: Spec/04 §4.3
struct PostQuantumSchedule: Sendable, Hashable {
    static let intervalSeconds: UInt64 = 86_400
    static let stepsBetween: UInt32 = 32
    /// The envelopes at the head of a chain that carry a ciphertext, and the bodies that carry an offer.
    static let repeats: UInt32 = 8

    var stepsSinceLast: UInt32
    var last: Timestamp

    func isDue(at now: Timestamp) -> Bool {
        stepsSinceLast >= Self.stepsBetween || now >= last.adding(seconds: Self.intervalSeconds)
    }

    mutating func didStep(withCiphertext: Bool, at now: Timestamp) {
        if withCiphertext {
            stepsSinceLast = 0
            last = now
        } else if stepsSinceLast < .max {
            stepsSinceLast += 1
        }
    }
}
