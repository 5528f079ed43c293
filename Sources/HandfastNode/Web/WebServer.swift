internal import HandfastChannel
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Serves a few documents that are made anew at each request.
///
/// With a certificate it speaks HTTPS; without one plain HTTP, for a proxy before it or a reader on the same machine.
public struct WebServer: Sendable {
    /// What is served under a path.
    public struct Document: Sendable {
        /// Whether what was asked for stands: if not, the answer is 503, with the same bytes.
        public let isAvailable: Bool
        /// The media type of the bytes.
        public let mediaType: String
        /// How long anybody may keep it, in seconds; 0 for a document of the moment.
        public let keptSeconds: Int
        /// The content.
        public let bytes: [UInt8]

        /// A document.
        public init(isAvailable: Bool = true, mediaType: String, keptSeconds: Int = 0, bytes: [UInt8]) {
            self.isAvailable = isAvailable
            self.mediaType = mediaType
            self.keptSeconds = keptSeconds
            self.bytes = bytes
        }
    }

    /// Connections beyond these are closed at once.
    private static let maximumConnections = 256
    /// A connection that is silent for so long is closed.
    private static let patience = TimeAmount.seconds(15)

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private let listener: NIOAsyncChannel<Connection, Never>
    private let document: @Sendable (String) async -> Document?

    /// The port that is listened at.
    public let port: Int

    /// Listens for those who ask a domain for its node: the key log of the public identity at `/.well-known/handfast`.
    ///
    /// For tests and small vendors; a larger one lets its own web server serve the same bytes.
    ///
    /// - Throws: as ``listen(host:port:certificate:documents:)``
    /// - Source: Spec/02 §2.3
    public static func listen(
        for node: Node, host: String, port: UInt16, certificate: (chain: String, privateKey: String)?
    ) async throws(NodeError) -> WebServer {
        try await listen(host: host, port: port, certificate: certificate) { path in
            guard path == Node.domainPath, let log = try? await node.publicIdentity() else { return nil }
            return Document(mediaType: "application/cbor", keptSeconds: 300, bytes: log.encoded())
        }
    }

    /// Listens.
    ///
    /// - Parameters:
    ///   - port: 0 takes a free one.
    ///   - certificate: files with the certificate chain and its private key (PEM); `nil` for plain HTTP.
    ///   - documents: what is served under a path; `nil` for nothing.
    /// - Throws: ``NodeError/file(path:reason:)``, ``NodeError/unavailable(_:)``
    public static func listen(
        host: String, port: UInt16, certificate: (chain: String, privateKey: String)?,
        documents: @escaping @Sendable (_ path: String) async -> Document?
    ) async throws(NodeError) -> WebServer {
        let context = try certificate.map { (files) throws(NodeError) in try Self.context(files.chain, files.privateKey)
        }
        do {
            let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: Int(port)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                        try pipeline.addHandler(IdleStateHandler(allTimeout: patience))
                        try pipeline.addHandler(IdleCloser())
                        return try Connection(wrappingChannelSynchronously: channel)
                    }
                }
            return WebServer(
                listener: listener, port: listener.channel.localAddress?.port ?? Int(port), document: documents)
        } catch {
            throw .unavailable("the web server cannot listen at \(host):\(port): \(error)")
        }
    }

    private init(
        listener: NIOAsyncChannel<Connection, Never>, port: Int,
        document: @escaping @Sendable (String) async -> Document?
    ) {
        self.listener = listener
        self.port = port
        self.document = document
    }

    private static func context(_ chain: String, _ privateKey: String) throws(NodeError) -> NIOSSLContext {
        let certificates: [NIOSSLCertificate]
        do {
            certificates = try NIOSSLCertificate.fromPEMFile(chain)
        } catch {
            throw .file(path: chain, reason: "it holds no certificate (PEM): \(error)")
        }
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: privateKey, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .file(path: privateKey, reason: "it holds no private key (PEM) of that certificate: \(error)")
        }
    }

    /// Serves until the task is cancelled.
    public func run() async {
        // A listener that fails has lost its socket; the node goes on without it.
        try? await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                let open = ConnectionCount()
                for try await connection in connections {
                    guard open.enter(limit: Self.maximumConnections) else {
                        connection.channel.close(promise: nil)
                        continue
                    }
                    group.addTask {
                        // What goes wrong with one connection concerns nobody else.
                        try? await serve(connection)
                        open.leave()
                    }
                }
            }
        }
    }

    private func serve(_ connection: Connection) async throws {
        try await connection.executeThenClose { requests, responses in
            var head: HTTPRequestHead?
            for try await part in requests {
                switch part {
                case .head(let next): head = next
                case .body: break
                case .end:
                    guard let request = head else { return }
                    head = nil
                    try await answer(request, to: responses)
                    guard request.isKeepAlive else { return }
                }
            }
        }
    }

    private func answer(
        _ request: HTTPRequestHead,
        to responses: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    ) async throws {
        var status = HTTPResponseStatus.ok
        var headers = HTTPHeaders([("x-content-type-options", "nosniff")])
        var body: [UInt8] = []
        switch request.method {
        case .GET, .HEAD:
            if let found = await document(request.uri) {
                headers.add(name: "content-type", value: found.mediaType)
                let isKept = found.keptSeconds > 0
                headers.add(name: "cache-control", value: isKept ? "max-age=\(found.keptSeconds)" : "no-store")
                if !found.isAvailable { status = .serviceUnavailable }
                body = found.bytes
            } else {
                status = .notFound
            }
        default:
            status = .methodNotAllowed
            headers.add(name: "allow", value: "GET, HEAD")
        }
        headers.add(name: "content-length", value: "\(body.count)")
        try await responses.write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)))
        if request.method != .HEAD, !body.isEmpty {
            try await responses.write(.body(.byteBuffer(ByteBuffer(bytes: body))))
        }
        try await responses.write(.end(nil))
    }
}
