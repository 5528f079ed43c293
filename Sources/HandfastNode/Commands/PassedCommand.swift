internal import Handfast
internal import HandfastEncoding

/// Commands and their answers as bytes, on the way between two processes of one vault.
public enum PassedCommand {
    /// A command as bytes.
    public static func bytes(of command: Command) throws -> [UInt8] { try CBOREncoder().encode(command) }

    /// An answer as bytes.
    public static func bytes(of reply: CommandReply) throws -> [UInt8] { try CBOREncoder().encode(reply) }

    /// The command of ``bytes(of:)-(Command)``.
    ///
    /// - Throws: `DecodingError` or a decoder's error, as when the two are of different versions.
    public static func command(_ bytes: [UInt8]) throws -> Command {
        try CBORDecoder(limits: limits).decode(Command.self, from: bytes)
    }

    /// The answer of ``bytes(of:)-(CommandReply)``.
    ///
    /// - Throws: as ``command(_:)``
    public static func reply(_ bytes: [UInt8]) throws -> CommandReply {
        try CBORDecoder(limits: limits).decode(CommandReply.self, from: bytes)
    }

    private static var limits: CBORLimits { CBORLimits(size: CommandFrame.maximumByteCount) }
}

extension Command {
    /// The file of this machine that it names, which another machine's process does not find.
    public var localFile: String? {
        switch self {
        case .attach(_, let file, _): file.path
        case .saveAttachment(_, _, _, let path): path
        default: nil
        }
    }
}
