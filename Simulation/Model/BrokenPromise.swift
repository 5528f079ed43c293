/// A property that a run has shown not to hold.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String

    static func unless(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        guard condition else { throw BrokenPromise(description: what()) }
    }
}
