internal import ArgumentParser

/// The relationship that a command is about.
struct RelationshipArgument: ParsableArguments {
    @Argument(help: "Its label, the other side's name, or the beginning of its id; `handfast list` shows them.")
    var relationship: String
}
