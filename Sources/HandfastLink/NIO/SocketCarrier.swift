internal import NIOCore

/// Carries a connection over the socket of a channel.
struct SocketCarrier: LinkCarrier {
    let channel: any NIOCore.Channel
    let handler: NIOLoopBound<LinkHandler>

    func flush() {
        channel.eventLoop.execute { [handler] in handler.value.flush() }
    }

    func resumeReading() {
        channel.eventLoop.execute { [handler] in handler.value.resumeReading() }
    }

    func closeWhenFlushed() async {
        channel.eventLoop.execute { [handler] in handler.value.closeWhenFlushed() }
        try? await channel.closeFuture.get()
    }

    func abort() {
        channel.close(promise: nil)
    }
}
