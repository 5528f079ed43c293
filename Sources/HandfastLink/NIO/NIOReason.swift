internal import NIOCore
internal import NIOPosix

/// The part of NIO's errors that a person can use.
enum NIOReason {
    static func text(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return text(of: first.error) }
            return "its name is not known"
        case let error as IOError:
            return text(of: error)
        case ChannelError.connectTimeout:
            return "it does not answer"
        default:
            return String(describing: error)
        }
    }

    private static func text(of error: IOError) -> String {
        switch error.errnoCode {
        case ECONNREFUSED: "nothing listens there"
        case ECONNRESET, EPIPE: "the other side broke it off"
        case EHOSTUNREACH, ENETUNREACH: "there is no way there"
        case ENOENT: "there is no such file"
        case EADDRINUSE: "another program uses it"
        case EACCES, EPERM: "permission denied"
        default: String(describing: error)
        }
    }
}
