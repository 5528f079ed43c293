import CPeers

/// An established session of libolm or libsignal-protocol-c, end 0 sending unless messages go in turns.
@safe
struct OtherProtocol: Exchange {
    enum Kind: String, CaseIterable {
        case olm = "libolm"
        /// On OpenSSL as its own tests use it, through HMAC and EVP.
        case signal = "libsignal"
        /// On the fastest that OpenSSL has.
        case tunedSignal = "libsignal-tuned"
    }

    private let ends: Ends
    private let content: [UInt8]
    private var envelope: [UInt8]
    private var envelopeCount = 0
    private var opened: [UInt8]
    private var prepared: [[UInt8]] = []
    private var sender: Int32 = 0

    @safe
    private struct Ends {
        let kind: Kind
        let session: OpaquePointer

        func seal(at end: Int32, _ content: [UInt8], into envelope: inout [UInt8]) throws -> Int {
            let seal = unsafe kind == .olm ? olm_peer_seal : signal_peer_seal
            let count = unsafe seal(session, end, content, content.count, &envelope, envelope.count)
            guard count > 0 else { throw BenchmarkError.peerFailed("\(kind.rawValue), sealing") }
            return count
        }

        func open(at end: Int32, _ message: inout [UInt8], _ count: Int, into opened: inout [UInt8]) throws -> Int {
            let open = unsafe kind == .olm ? olm_peer_open : signal_peer_open
            let count = unsafe open(session, end, &message, count, &opened, opened.count)
            guard count > 0 else { throw BenchmarkError.peerFailed("\(kind.rawValue), opening") }
            return count
        }
    }

    init(_ kind: Kind, byteCount: Int) throws {
        let created =
            switch kind {
            case .olm: unsafe olm_peer_create()
            case .signal: unsafe signal_peer_create()
            case .tunedSignal: unsafe signal_peer_create_tuned()
            }
        guard let session = unsafe created else {
            throw BenchmarkError.peerFailed(kind.rawValue)
        }
        unsafe ends = Ends(kind: kind, session: session)
        content = [UInt8](repeating: 0x61, count: byteCount)
        envelope = [UInt8](repeating: 0, count: 2 * byteCount + 1_024)
        opened = envelope
    }

    var name: String { "\(ends.kind.rawValue)/stream/\(content.count)" }
    var turnName: String { "\(ends.kind.rawValue)/pingpong/\(content.count)" }

    mutating func seal() throws {
        envelopeCount = try ends.seal(at: sender, content, into: &envelope)
    }

    mutating func prepare(_ count: Int) throws {
        prepared.removeAll(keepingCapacity: true)
        for _ in 0..<count {
            try seal()
            prepared.append([UInt8](envelope[..<envelopeCount]))
        }
        prepared.reverse()
    }

    mutating func openPrepared() throws {
        guard var next = prepared.popLast() else { throw BenchmarkError.nothingPrepared }
        let count = next.count
        guard try ends.open(at: 1 - sender, &next, count, into: &opened) == content.count else {
            throw BenchmarkError.wrongContent
        }
    }

    mutating func sealAndOpen() throws {
        try seal()
        guard try ends.open(at: 1 - sender, &envelope, envelopeCount, into: &opened) == content.count else {
            throw BenchmarkError.wrongContent
        }
    }

    /// One message, after which the other end sends.
    mutating func turn() throws {
        try sealAndOpen()
        sender = 1 - sender
    }

    mutating func envelopeByteCount() throws -> Int {
        try sealAndOpen()
        return envelopeCount
    }
}
