/// Why a link could not be made, or ended.
///
/// Nothing of it is ever said to the peer: a link that ends for its peer's fault simply closes.
public enum LinkError: Error, Hashable, Sendable {
    /// The first handshake message was not made for this server's key, or was changed on the way.
    case handshakeRefused
    /// The server does not hold the key of its address, or its answer was changed on the way.
    case wrongServerKey
    /// The other side closed before the handshake was finished, without saying why.
    case handshakeEnded
    /// A server under load was asked for more handshakes by one address than it makes with one.
    case tooManyHandshakes
    /// The handshake was not finished within its time.
    case handshakeTimedOut
    /// A packet of this type is not defined, or not at this point of the connection.
    case unexpectedPacket(type: UInt8)
    /// A packet of this type cannot have this length in bytes.
    case packetLength(type: UInt8, length: Int)
    /// A transport packet failed its authentication: a byte was changed, or a packet was lost, repeated or moved.
    case damagedPacket
    /// The peer announced a frame outside 1...1,048,576 bytes.
    case frameLength(UInt32)
    /// The connection ended within a packet or a frame.
    case truncated
    /// Nothing was heard from the peer for the idle time, although it was free to speak.
    case silent
    /// A frame to be sent is outside 1...1,048,576 bytes; nothing of its batch was sent.
    case frameNotSendable(count: Int)
    /// The link is closed; nothing more can be sent on it.
    case closed
    /// The waiting task was cancelled.
    case cancelled
    /// The system ended the connection, for the reason in the text.
    case connectionLost(String)
    /// No connection could be made to the named place, for the reason given.
    case unreachable(String, reason: String)
    /// The host's name leads to an address that the program does not connect to; nothing was sent there.
    case addressRefused(NetworkAddress, host: String)
    /// The server cannot listen at the named place, for the reason given.
    case cannotListen(String, reason: String)
    /// Another process listens on this socket file.
    case socketInUse(String)
    /// There is something at this path that is no socket; it was left as it is.
    case notASocket(String)
    /// The path of a socket file is too long for the system; both in bytes.
    case socketPathTooLong(String, limit: Int)
    /// All nonces of the connection are used up.
    case exhausted
}

extension LinkError: CustomStringConvertible {
    /// One or two sentences: what happened and, where a person can do something, what to do.
    public var description: String {
        switch self {
        case .handshakeRefused:
            "The client's first message was not made for this server's key."
        case .wrongServerKey:
            "The server does not hold the key in its address. Compare the address with the one its owner gave."
        case .handshakeEnded:
            "The other side closed at once: it does not hold the key in its address, or takes no more connections."
        case .tooManyHandshakes:
            "Too many clients connect at once, and too many of them from one address. They may come again later."
        case .handshakeTimedOut:
            "The other side did not finish the handshake in time."
        case .unexpectedPacket(let type):
            "The other side sent a packet of type \(type), which has no place here: it does not speak this protocol."
        case .packetLength(let type, let length):
            "The other side sent a packet of type \(type) with \(length) bytes, which cannot be."
        case .damagedPacket:
            "A packet was changed, lost, repeated or moved on the way."
        case .frameLength(let length):
            "The other side announced a frame of \(length) bytes; 1 to \(LinkFrame.maximumCount) are allowed."
        case .truncated:
            "The connection ended in the middle of a message."
        case .silent:
            "Nothing was heard from the other side for too long."
        case .frameNotSendable(let count):
            "A frame of \(count) bytes cannot be sent; 1 to \(LinkFrame.maximumCount) are allowed."
        case .closed:
            "The connection is closed."
        case .cancelled:
            "The work was cancelled."
        case .connectionLost(let reason):
            "The connection was lost: \(reason)."
        case .unreachable(let place, let reason):
            "\(place) cannot be reached: \(reason)."
        case .addressRefused(let address, let host):
            "\(host) leads to \(address), which is no public address, and such addresses are not connected to. Allow "
                + "private addresses in the configuration (relay.allowPrivate) if it is in your own network."
        case .cannotListen(let place, let reason):
            "Cannot listen on \(place): \(reason)."
        case .socketInUse(let path):
            "Another process listens on \(path). Stop it first, or talk to it."
        case .notASocket(let path):
            "\(path) is in the way and is no socket. Move it elsewhere."
        case .socketPathTooLong(let path, let limit):
            "The path \(path) is too long for a socket: at most \(limit) bytes. Use a shorter folder name."
        case .exhausted:
            "The connection has carried all the packets that one key may seal. Connect again."
        }
    }
}
