import CTornDisk
import Foundation
import HandfastTestSupport

/// What SQLite asked of the disk for the files of one folder, from which every disk can be made that a loss of power
/// might have left.
struct TornDisk {
    private enum Step {
        case write(offset: Int, bytes: [UInt8])
        case truncate(size: Int)
        case sync
        case delete
    }

    private let steps: [(file: String, step: Step)]
    /// What was in the files before.
    private let before: [String: [UInt8]]

    /// How many steps there are.
    var count: Int { steps.count }

    /// Writes down what work does to the databases of a folder. One at a time in a process.
    ///
    /// - Parameter work: is given what tells how many steps have been asked for by now.
    static func record(in folder: TemporaryFolder, _ work: (() -> Int) async throws -> Void) async throws -> TornDisk {
        let before = try contents(of: folder)
        guard unsafe torn_begin(folder.path + "/") == 0 else { throw CocoaError(.fileLocking) }
        defer { torn_end() }
        try await work { Int(torn_count()) }
        let steps = (0..<torn_count()).map { index in
            let step = unsafe torn_at(index)
            let name = unsafe String(cString: step.name)
            let bytes = unsafe Array(UnsafeBufferPointer(start: step.bytes, count: Int(step.count)))
            let kind: Step =
                switch unsafe UInt32(step.kind) {
                case TORN_WRITE.rawValue: unsafe .write(offset: Int(step.offset), bytes: bytes)
                case TORN_TRUNCATE.rawValue: unsafe .truncate(size: Int(step.offset))
                case TORN_SYNC.rawValue: .sync
                default: .delete
                }
            return (name, kind)
        }
        return TornDisk(steps: steps, before: before)
    }

    private static func contents(of folder: TemporaryFolder) throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            // The index of the log lives in memory; it is made anew.
            guard !name.hasSuffix("-shm") else { continue }
            contents[name] = Array(try Data(contentsOf: URL(filePath: folder.file(name))))
        }
        return contents
    }

    /// Writes into a folder what is left when the power goes before a step: everything that was flushed, and of what was
    /// written since, each sector or not, whatever came before or after it.
    func left(
        before end: Int, sector: Int, using random: inout SeededEntropy, in folder: TemporaryFolder
    ) throws {
        var files = before
        for (name, steps) in Dictionary(grouping: steps[..<end], by: \.file) {
            let flushed = steps.lastIndex { if case .sync = $0.step { true } else { false } } ?? -1
            var bytes = files[name] ?? []
            for (index, step) in steps.enumerated() {
                Self.apply(step.step, to: &bytes, isSure: index < flushed, sector, &random)
            }
            files[name] = bytes
        }
        for (name, bytes) in files {
            try Data(bytes).write(to: URL(filePath: folder.file(name)))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.file(name))
        }
    }

    private static func apply(
        _ step: Step, to bytes: inout [UInt8], isSure: Bool, _ sector: Int, _ random: inout SeededEntropy
    ) {
        switch step {
        case .sync:
            break
        case .delete:
            if isSure || Bool.random(using: &random) { bytes = [] }
        case .truncate(let size):
            guard isSure || Bool.random(using: &random) else { return }
            bytes = Array(bytes.prefix(size)) + [UInt8](repeating: 0, count: max(0, size - bytes.count))
        case .write(let offset, let content):
            var start = 0
            while start < content.count {
                let end = min(content.count, ((offset + start) / sector + 1) * sector - offset)
                if isSure || Bool.random(using: &random) {
                    if bytes.count < offset + end {
                        bytes += [UInt8](repeating: 0, count: offset + end - bytes.count)
                    }
                    bytes.replaceSubrange(offset + start..<offset + end, with: content[start..<end])
                }
                start = end
            }
        }
    }
}
