internal import ArgumentParser
internal import Foundation
internal import Handfast
internal import HandfastNode

struct LedgerVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify an export with nothing but the file; with two files also compare them.",
        discussion: """
            A verified export proves that these two identities exchanged these records
            in this order. It does not prove the times that the records claim, nor that
            nothing followed.

            EXAMPLES
              handfast ledger verify shop.ledger
              handfast ledger verify mine.ledger theirs.ledger
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "One export, or both sides' exports of one relationship.", completion: .file())
    var files: [String]

    func validate() throws {
        guard (1...2).contains(files.count) else { throw ValidationError("give one file, or two to compare") }
    }

    func run() async throws {
        let exports = try files.map { try Self.read($0) }
        let output = global.output
        guard exports.count == 2 else {
            let ledger = try Self.naming(files[0]) { try exports[0].verify() }
            output.write(Self.document(ledger)) { Self.text(ledger) }
            return
        }
        for (file, export) in zip(files, exports) { _ = try Self.naming(file) { try export.verify() } }
        let agreement = try LedgerExport.agree(exports[0], exports[1])
        output.write([
            "first": Self.document(agreement.first), "second": Self.document(agreement.second),
            "agreement": [
                "inviteeRecords": .number(agreement.inviteeCount), "inviterRecords": .number(agreement.inviterCount),
                "isComplete": .flag(agreement.isComplete),
            ],
        ]) {
            Self.text(agreement.first) + "\n\n"
                + (agreement.isComplete
                    ? "Both files verify and hold the same records."
                    : "Both files verify and agree on \(agreement.inviteeCount) records of the invitee and "
                        + "\(agreement.inviterCount) of the inviter; one of them holds more.")
        }
    }

    /// Damage is named together with the file that has it.
    private static func naming<Result>(_ file: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            let failure = Failure(error)
            throw Failure(.badData, "\(file): \(failure.message)", hint: failure.hint)
        }
    }

    private static func read(_ file: String) throws -> LedgerExport {
        guard let handle = FileHandle(forReadingAtPath: file),
            let data = try? handle.read(upToCount: LedgerLimits.export + 1)
        else {
            throw Failure(.badData, "the file \(file) cannot be read", hint: "check the path and that you may read it")
        }
        guard data.count <= LedgerLimits.export else {
            throw Failure(.badData, "the file \(file) is larger than any ledger export")
        }
        return try naming(file) { try LedgerExport(decoding: Array(data).bytes) }
    }

    private static func document(_ ledger: VerifiedLedger) -> Document {
        [
            "relationship": .text(ledger.relationship.description), "signer": .text(ledger.signer.description),
            "domain": .text(ledger.domain), "words": .text(ledger.words), "invitee": document(ledger.invitee),
            "inviter": document(ledger.inviter),
        ]
    }

    private static func document(_ side: VerifiedLedger.Direction) -> Document {
        [
            "identity": .text(side.log.id.description), "records": .number(side.head.sequence),
            "head": .text(side.head.hash.description), "keyEvents": .number(side.log.events.count),
            "hasEnded": .flag(side.hasEnded), "erased": .number(side.erasedCount),
            "firstTime": side.firstTime.map { .number($0.seconds) },
            "lastTime": side.lastTime.map { .number($0.seconds) },
        ]
    }

    private static func text(_ ledger: VerifiedLedger) -> String {
        var lines = ["The ledger of relationship \(ledger.relationship) verifies."]
        lines.append("vouched for by  \(ledger.signer)\(ledger.domain.map { "  claiming \($0)" } ?? "")")
        for (name, side) in [("invitee", ledger.invitee), ("inviter", ledger.inviter)] {
            let times = [side.firstTime, side.lastTime].compactMap { $0 }.map { Moment.text($0.seconds) }
            var facts = ["\(side.head.sequence) records", "\(side.log.events.count - 1) key rotations"]
            if let first = times.first, let last = times.last { facts.append("\(first) to \(last) by its own clock") }
            if side.erasedCount > 0 { facts.append("\(side.erasedCount) bodies erased") }
            if side.hasEnded { facts.append("ended") }
            lines.append("\(name)         \(side.log.id)")
            lines.append("                \(facts.joined(separator: ", "))")
        }
        lines.append("words           \(ledger.words)")
        return lines.map { Printable.text($0) }.joined(separator: "\n")
    }
}
