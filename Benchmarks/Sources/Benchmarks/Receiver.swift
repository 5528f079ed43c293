import Foundation
import Handfast
import HandfastNode
import HandfastStore

/// A node in a process of its own that receives what waits for it at a relay.
enum Receiver {
    /// What a message took, from the first commit until the last.
    struct Report {
        let elapsedNanoseconds: Double
        /// All threads of the process.
        let processorNanoseconds: Double
    }

    static func run(
        _ folder: VaultFolder, _ keyFile: String, at relay: RelayAddress, count: Int
    ) throws -> Report {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = ["--receive", folder.path, keyFile, relay.description, "\(count)"]
        process.standardOutput = output
        try process.run()
        process.waitUntilExit()
        let line = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let numbers = line.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard numbers.count == 2 else { throw BenchmarkError.peerFailed("a node that receives") }
        return Report(
            elapsedNanoseconds: numbers[0], processorNanoseconds: numbers[1])
    }

    /// The whole life of that process.
    static func live(folder: String, keyFile: String, relay: String, count: Int) async throws {
        let vault = try SQLiteVaultStore.open(VaultFolder(path: folder), unlocking: .keyFile(path: keyFile))
        let vendor = try await Person("Vendor", vault: vault, at: RelayAddress(text: relay))
        let before = vendor.node.lastEvent
        vendor.start()
        while vendor.node.lastEvent == before { try await Task.sleep(for: .milliseconds(1)) }
        let (began, processor) = (ContinuousClock.now, Machine.processorNanoseconds)
        let rest = Double(count) - Double(vendor.node.lastEvent - before)
        while vendor.node.lastEvent < before + Int64(count) { try await Task.sleep(for: .milliseconds(1)) }
        let elapsed = Comparison.nanoseconds(began.duration(to: .now))
        let worked = Machine.processorNanoseconds - processor
        guard rest > 0 else { throw BenchmarkError.wrongContent }
        var seen = 0
        for try await event in vendor.node.events(following: before) {
            guard [.recordReceived, .ephemeralReceived].contains(event.kind) else {
                throw BenchmarkError.wrongContent
            }
            seen += 1
            if seen == count { break }
        }
        // What was acknowledged is to be so at the relay.
        try await Task.sleep(for: .milliseconds(300))
        await vendor.stop()
        await vault.close()
        print(elapsed / rest, worked / rest)
    }
}
