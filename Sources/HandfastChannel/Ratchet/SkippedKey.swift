internal import HandfastCrypto
internal import HandfastEncoding

/// The keys of one message that was passed over; a class only because an array cannot hold what cannot be copied.
///
/// - Source: Spec/04 §4.7
final class SkippedKey: Sendable {
    /// The most keys that a channel keeps.
    static let maximumCount = 256
    static let lifetimeSeconds: UInt64 = 7 * 86_400

    let headerKey: HeaderKey
    let index: UInt32
    let messageKey: AEADKey
    let expires: Timestamp

    init(headerKey: consuming HeaderKey, index: UInt32, messageKey: consuming AEADKey, expires: Timestamp) {
        self.headerKey = headerKey
        self.index = index
        self.messageKey = messageKey
        self.expires = expires
    }

    func write(to writer: inout SecretWriter) {
        // Copies, because a span cannot be borrowed through a class.
        let headerKey = headerKey.copy()
        var messageKey = AEADKey()
        messageKey.assign(self.messageKey)
        writer.writeArrayHeader(4)
        writer.writeBytes(headerKey.bytes)
        writer.writeUnsigned(UInt64(index))
        writer.writeBytes(messageKey.bytes)
        writer.writeUnsigned(expires.seconds)
    }
}
