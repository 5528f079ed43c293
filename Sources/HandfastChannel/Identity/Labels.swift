internal import HandfastCrypto

/// The uses of the suite's hash in this module; each label stands for one use.
///
/// - Source: Spec/02 §2.1
extension Label {
    static let identity = Label("identity")
    static let keyEvent = Label("key event")
    static let nextKey = Label("next key")
    static let bundle = Label("bundle")
    static let hello = Label("hello")
    static let knock = Label("knock")
    static let relationship = Label("relationship")
    static let transcript = Label("transcript")
    static let welcome = Label("welcome")
    static let words = Label("words")
    static let capability = Label("capability")
    static let root = Label("root")
    static let inviteeHeader = Label("invitee hdr")
    static let welcomeHeader = Label("welcome hdr")
    static let offer = Label("offer")
    static let step = Label("step")
    static let ratchet = Label("ratchet")
    static let ratchetHeader = Label("ratchet hdr")
    static let resume = Label("resume")
    static let rejoin = Label("rejoin")
    static let rejoinRoot = Label("rejoin root")
    static let rejoined = Label("rejoined")
    static let recoveryKey = Label("recovery key")
    static let recoveryName = Label("recovery id")
    static let recoverySum = Label("recovery sum")
}
