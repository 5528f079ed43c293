/// What a vector asks for: outputs from inputs.
typealias VectorOperation = @Sendable (VectorFields) throws -> VectorFields

/// One layer of the protocol, with one file of vectors.
protocol VectorLayer: SendableMetatype {
    /// The layer's name and, with `.json`, its file's.
    static var name: String { get }

    /// What vectors of this layer can ask for: pure functions from inputs to outputs, which throw what the library
    /// refuses with.
    static var operations: [String: VectorOperation] { get }

    /// Adds a fresh set of vectors.
    static func make(_ maker: inout VectorMaker) throws
}

/// All layers, in the order of the specification's chapters.
enum VectorLayers {
    static let all: [any VectorLayer.Type] = [
        PrimitiveVectors.self, CBORVectors.self, COSEVectors.self, KeyLogVectors.self, InvitationVectors.self,
        BundleVectors.self, HandshakeVectors.self, RatchetVectors.self, EnvelopeVectors.self, RejoinVectors.self,
        RecordVectors.self, ReturnedVectors.self, BatchProofVectors.self, LedgerVectors.self, BackupVectors.self,
        AttachmentVectors.self, LinkVectors.self, RelayVectors.self, ClaimVectors.self, SDCWTVectors.self,
        SDJWTVectors.self, AnonymousVectors.self, StatusListVectors.self,
    ]

    static func layer(_ name: String) -> (any VectorLayer.Type)? {
        all.first { $0.name == name }
    }
}
