/// A type that is one CBOR item without structure, so that no container is made for it.
protocol CBORScalar {
    /// The type of item that a value becomes.
    static var cborType: CBORType { get }

    /// The item.
    var cborValue: CBORValue { get }

    /// The value of an item, or nil if the item is of another type or does not fit.
    init?(cborValue: CBORValue)
}

extension CBORScalar where Self: FixedWidthInteger {
    static var cborType: CBORType { .integer }

    var cborValue: CBORValue {
        self >= 0 ? .unsigned(UInt64(self)) : .negative(UInt64(~self))
    }

    init?(cborValue: CBORValue) {
        switch cborValue {
        case .unsigned(let value): self.init(exactly: value)
        case .negative(let argument):
            guard Self.isSigned, let magnitude = Self(exactly: argument) else { return nil }
            self = ~magnitude
        default: return nil
        }
    }
}

extension Int: CBORScalar {}
extension Int8: CBORScalar {}
extension Int16: CBORScalar {}
extension Int32: CBORScalar {}
extension Int64: CBORScalar {}
extension UInt: CBORScalar {}
extension UInt8: CBORScalar {}
extension UInt16: CBORScalar {}
extension UInt32: CBORScalar {}
extension UInt64: CBORScalar {}

extension Bool: CBORScalar {
    static var cborType: CBORType { .bool }

    var cborValue: CBORValue { .bool(self) }

    init?(cborValue: CBORValue) {
        guard case .bool(let value) = cborValue else { return nil }
        self = value
    }
}

extension String: CBORScalar {
    static var cborType: CBORType { .text }

    var cborValue: CBORValue { .text(self) }

    init?(cborValue: CBORValue) {
        guard case .text(let value) = cborValue else { return nil }
        self = value
    }
}

extension Double: CBORScalar {
    static var cborType: CBORType { .double }

    var cborValue: CBORValue { .double(self) }

    init?(cborValue: CBORValue) {
        guard case .double(let value) = cborValue else { return nil }
        self = value
    }
}

extension Float: CBORScalar {
    static var cborType: CBORType { .double }

    var cborValue: CBORValue { .double(Double(self)) }

    init?(cborValue: CBORValue) {
        guard case .double(let value) = cborValue else { return nil }
        if value.isNaN { self = .nan } else { self.init(exactly: value) }
    }
}

extension [UInt8]: CBORScalar {
    static var cborType: CBORType { .bytes }

    var cborValue: CBORValue { .bytes(self) }

    init?(cborValue: CBORValue) {
        guard case .bytes(let value) = cborValue else { return nil }
        self = value
    }
}
