/// One vector: an operation, its input, and either its outputs or the class of its refusal.
struct Vector: Hashable {
    let name: String
    let comment: String?
    let operation: String
    let input: VectorFields
    let expectation: Expectation

    enum Expectation: Hashable {
        case output(VectorFields)
        case error(String)
    }

    init(
        name: String, comment: String?, operation: String, input: VectorFields, expectation: Expectation
    ) {
        self.name = name
        self.comment = comment
        self.operation = operation
        self.input = input
        self.expectation = expectation
    }

    init(_ fields: VectorFields) throws {
        name = try fields.text("name")
        comment = try fields.optionalText("comment")
        operation = try fields.text("op")
        input = try fields.fields("in")
        if let error = try fields.optionalText("error") {
            guard fields["out"] == nil else {
                throw VectorFault.kind("alone: a vector has \"out\" or \"error\"").at("out")
            }
            expectation = .error(error)
        } else {
            expectation = .output(try fields.fields("out"))
        }
    }

    var fields: VectorFields {
        switch expectation {
        case .output(let output):
            [
                "name": .text(name), "comment": comment.map { .text($0) }, "op": .text(operation), "in": .object(input),
                "out": .object(output),
            ]
        case .error(let error):
            [
                "name": .text(name), "comment": comment.map { .text($0) }, "op": .text(operation), "in": .object(input),
                "error": .text(error),
            ]
        }
    }
}
