internal import HandfastCrypto

/// The uses of the suite's hash in this module; each label stands for one use.
///
/// - Source: Spec/02 §2.1
extension Label {
    static let body = Label("body")
    static let record = Label("record")
    static let attachment = Label("attachment")
}
