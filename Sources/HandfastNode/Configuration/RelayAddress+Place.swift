internal import Handfast

extension RelayAddress {
    /// Host and port, for a person: the key is too long to be read.
    var place: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
