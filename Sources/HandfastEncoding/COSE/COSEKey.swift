public import HandfastCrypto

/// A public key that is written as a COSE_Key map, so that its type travels with it and a decoder gives it no other.
///
/// - Source: RFC 9052 §7; RFC 9053 §7.2 (OKP); RFC 9964 (AKP); Spec/01 §1.3.
public protocol COSEKey: Hashable, Sendable {
    /// Writes the COSE_Key.
    func write(to writer: inout CBORWriter)

    /// Reads the next item, which must be a COSE_Key of this type and holds nothing but its public parameters.
    init(reading reader: inout CBORReader) throws(COSEError)
}

extension COSEKey {
    /// The deterministic bytes of the COSE_Key: 40 for Ed25519 and X25519, 1,197 for ML-KEM-768, 1,229 for X-Wing.
    public var coseKey: [UInt8] {
        var writer = CBORWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Decodes the COSE_Key that is all of `bytes`.
    public init(coseKey bytes: RawSpan) throws(COSEError) {
        var reader = CBORReader(bytes)
        try self.init(reading: &reader)
        do { try reader.finish() } catch { throw .cbor(error) }
    }
}

extension VerificationKey: COSEKey {
    /// Writes `{1: 1, -1: 6, -2: x}`.
    public func write(to writer: inout CBORWriter) {
        COSEKeyForm.ed25519.write(bytes, to: &writer)
    }

    /// Reads `{1: 1, -1: 6, -2: x}`.
    public init(reading reader: inout CBORReader) throws(COSEError) {
        let bytes = try COSEKeyForm.ed25519.read(&reader)
        do { try self.init(bytes) } catch { throw .invalidKey(error) }
    }
}

extension AgreementPublicKey: COSEKey {
    /// Writes `{1: 1, -1: 4, -2: x}`.
    public func write(to writer: inout CBORWriter) {
        COSEKeyForm.x25519.write(bytes, to: &writer)
    }

    /// Reads `{1: 1, -1: 4, -2: x}`.
    public init(reading reader: inout CBORReader) throws(COSEError) {
        let bytes = try COSEKeyForm.x25519.read(&reader)
        do { try self.init(bytes) } catch { throw .invalidKey(error) }
    }
}

extension KEMPublicKey: COSEKey {
    /// Writes `{1: 7, 3: -70001, -1: pub}`.
    public func write(to writer: inout CBORWriter) {
        COSEKeyForm.mlKEM768.write(bytes, to: &writer)
    }

    /// Reads `{1: 7, 3: -70001, -1: pub}`.
    public init(reading reader: inout CBORReader) throws(COSEError) {
        let bytes = try COSEKeyForm.mlKEM768.read(&reader)
        do { try self.init(bytes) } catch { throw .invalidKey(error) }
    }
}

extension SealingPublicKey: COSEKey {
    /// Writes `{1: 7, 3: -70002, -1: pub}`.
    public func write(to writer: inout CBORWriter) {
        COSEKeyForm.xWing.write(bytes, to: &writer)
    }

    /// Reads `{1: 7, 3: -70002, -1: pub}`.
    public init(reading reader: inout CBORReader) throws(COSEError) {
        let bytes = try COSEKeyForm.xWing.read(&reader)
        do { try self.init(bytes) } catch { throw .invalidKey(error) }
    }
}
