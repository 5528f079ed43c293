internal import Foundation
internal import HandfastChannel
internal import HandfastPostgres

/// Finds what is wrong with a configuration file and with the environment that overrides it.
struct SettingsCheck {
    /// What is wrong with one key.
    struct Problem {
        let key: String
        let message: String
        let hint: String
    }

    private(set) var problems: [Problem] = []

    /// Any JSON value.
    private enum Value: Decodable {
        case flag(Bool)
        case number(Double)
        case text(String)
        case object([String: Value])
        case other

        init(from decoder: any Decoder) throws {
            if let object = try? decoder.container(keyedBy: Key.self) {
                var fields: [String: Value] = [:]
                for key in object.allKeys { fields[key.stringValue] = try object.decode(Value.self, forKey: key) }
                self = .object(fields)
                return
            }
            guard let single = try? decoder.singleValueContainer() else {
                self = .other
                return
            }
            if let flag = try? single.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? single.decode(Double.self) {
                self = .number(number)
            } else if let text = try? single.decode(String.self) {
                self = .text(text)
            } else {
                self = .other
            }
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Checks the text of a file.
    mutating func checkFile(_ text: Data, path: String) {
        let root: Value
        do {
            root = try JSONDecoder().decode(Value.self, from: text)
        } catch {
            let reason = Self.reason(error)
            problems.append(
                Problem(
                    key: "", message: "\(path) is not JSON\(reason)", hint: "mend it, or remove it to use the defaults")
            )
            return
        }
        guard case .object(let fields) = root else {
            problems.append(
                Problem(key: "", message: "\(path) is not a JSON object", hint: "begin it with { and end it with }"))
            return
        }
        check(fields, below: "")
    }

    private static func reason(_ error: any Error) -> String {
        guard case DecodingError.dataCorrupted(let context) = error,
            let underlying = context.underlyingError as? NSError,
            let text = underlying.userInfo["NSDebugDescription"] as? String
        else { return "" }
        return " (\(text.hasSuffix(".") ? String(text.dropLast()) : text))"
    }

    private mutating func check(_ fields: [String: Value], below prefix: String) {
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            let path = prefix + name
            let isGroup = SettingsKey.allCases.contains { $0.rawValue.hasPrefix(path + ".") }
            if isGroup, case .object(let inner) = value {
                check(inner, below: path + ".")
            } else if let key = SettingsKey(rawValue: path) {
                check(value, of: key)
            } else {
                let nearest = EditDistance.nearest(to: path, among: SettingsKey.allCases.map(\.rawValue))
                problems.append(
                    Problem(
                        key: path, message: "the key \"\(path)\" is not known",
                        hint: isGroup ? "make it an object" : "did you mean \"\(nearest ?? "")\"?"))
            }
        }
    }

    private mutating func check(_ value: Value, of key: SettingsKey) {
        switch (key.form, value) {
        case (.flag, .flag): break
        case (.number(let range), .number(let number)):
            if !(number.rounded() == number && number >= Double(range.lowerBound) && number <= Double(range.upperBound))
            {
                refuse(key.rawValue, key.form)
            }
        case (.flag, _), (.number, _): refuse(key.rawValue, key.form)
        case (_, .text(let text)): check(text, of: key, named: key.rawValue)
        default: refuse(key.rawValue, key.form)
        }
    }

    /// Checks the variables that override keys, and that those with our prefix mean something.
    mutating func checkEnvironment(_ variables: [String: String]) {
        let known = SettingsKey.allCases.map(\.variable) + Settings.otherVariables
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) where name.hasPrefix("HANDFAST_") {
            if let key = SettingsKey.allCases.first(where: { $0.variable == name }) {
                check(value, of: key, named: name)
            } else if !known.contains(name) {
                let nearest = EditDistance.nearest(to: name, among: known) ?? ""
                problems.append(
                    Problem(
                        key: name, message: "the environment variable \(name) is not known",
                        hint: "did you mean \(nearest)?"))
            }
        }
    }

    private mutating func check(_ text: String, of key: SettingsKey, named name: String) {
        let isGood =
            switch key.form {
            case .text: !text.isEmpty
            case .flag: ["true", "false"].contains(text)
            case .number(let range): Int(text).map { range.contains($0) } ?? false
            case .choice(let choices): choices.contains(text)
            case .relayAddress: (try? RelayAddress(text: text)) != nil
            case .relayAddresses: (try? RelayAddresses.read(text)) != nil
            case .endpoint: Endpoint(text) != nil
            case .routes: WebRoutes(text) != nil
            case .database: (try? PostgresAddress(text)) != nil
            }
        if !isGood { refuse(name, key.form) }
    }

    private mutating func refuse(_ name: String, _ form: SettingsKey.Form) {
        let expected =
            switch form {
            case .text: "text that is not empty"
            case .flag: "true or false"
            case .number(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
            case .choice(let choices): "one of \(choices.joined(separator: ", "))"
            case .relayAddress: "a relay's address, host:port/key, as `relay run` prints it"
            case .relayAddresses: "at most 3 relays' addresses, host:port/key, parted by commas"
            case .routes: "DOMAIN=HOST:PORT, such as shop.example=127.0.0.1:8443, parted by commas"
            case .endpoint: "host:port, such as 127.0.0.1:7447"
            case .database: "a PostgreSQL database, such as postgres://handfast@db.example/handfast?sslmode=verify-full"
            }
        problems.append(
            Problem(key: name, message: "\(name) has a value that it cannot have", hint: "give it \(expected)"))
    }
}
