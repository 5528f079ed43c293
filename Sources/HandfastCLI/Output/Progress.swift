/// Says what takes so long, once something takes longer than a second and a person watches.
enum Progress {
    /// Does `work`; meanwhile shows `what` on standard error if that is a terminal.
    ///
    /// - Parameter detail: what has come of it so far, in words.
    static func during<Result: Sendable>(
        _ what: String, detail: @escaping @Sendable () -> String = { "" },
        _ work: @Sendable () async throws -> Result
    ) async rethrows -> Result {
        guard StandardStream.error.isTerminal else { return try await work() }
        let display = Task {
            var seconds = 1
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                StandardStream.error.write("\r\(what) … \(seconds) s\(detail())\u{1B}[K")
                seconds += 1
            }
            if seconds > 1 { StandardStream.error.write("\r\u{1B}[K") }
        }
        do {
            let result = try await work()
            display.cancel()
            await display.value
            return result
        } catch {
            display.cancel()
            await display.value
            throw error
        }
    }
}
