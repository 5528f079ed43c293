/// Growing pauses between attempts, with jitter so that many nodes do not return to a relay in step.
///
/// The n-th pause is drawn evenly between half and the whole of `first · 2ⁿ`, at most `longest`.
struct Backoff: Hashable, Sendable {
    /// The whole of the first pause.
    let first: Duration
    /// The longest pause.
    let longest: Duration
    private var attempts: Int = 0

    init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
    }

    /// The pause after one more failure.
    mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(attempts, 30)
        attempts = min(attempts + 1, 30)
        let whole = min(first * (1 << doublings), longest)
        let thousandths = Int.random(in: 500...1000, using: &random)
        return whole * thousandths / 1000
    }

    /// Begins anew after a success.
    mutating func succeeded() {
        attempts = 0
    }
}
