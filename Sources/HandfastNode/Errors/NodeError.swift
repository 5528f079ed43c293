/// Why a node did not do what it was asked. Nothing has changed when one of these is thrown.
public enum NodeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Something given to the node is not what it should be.
    case badData(String)
    /// No relationship has an id that begins so, nor such a label.
    case unknownRelationship(String)
    /// Several relationships have an id that begins so, or such a label.
    case ambiguousRelationship(String, candidates: Int)

    /// What was wrong, and what to do next.
    public var description: String {
        switch self {
        case .badData(let what):
            what
        case .unknownRelationship(let name):
            "no relationship is called \"\(name)\"; `handfast list` shows them all"
        case .ambiguousRelationship(let name, let candidates):
            "\(candidates) relationships begin with \"\(name)\"; give more of the id"
        }
    }
}
