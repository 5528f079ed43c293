internal import NIOCore
internal import Synchronization

/// How many connections are open.
final class ConnectionCount: Sendable {
    private let count = Mutex(0)

    /// Counts one more, unless there are `limit` already.
    func enter(limit: Int) -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    /// Counts one less.
    func leave() {
        count.withLock { $0 -= 1 }
    }
}

/// Closes a connection that has been silent for too long.
final class IdleCloser: ChannelInboundHandler {
    typealias InboundIn = Any

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
