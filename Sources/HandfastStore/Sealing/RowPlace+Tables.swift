package import HandfastChannel

extension QueueID {
    package func name(_ seal: VaultSeal) -> [UInt8] {
        seal.name(array, in: "outbox")
    }
}

extension RowPlace {
    package static func entry(
        _ relationship: [UInt8], _ direction: SenderRole, _ sequence: UInt64, version: Int64
    ) -> RowPlace {
        RowPlace("entry", name: relationship, number: UInt64(direction.rawValue), sequence, version: version)
    }

    package static func outbox(_ relationship: [UInt8], _ queue: [UInt8], _ number: UInt64) -> RowPlace {
        RowPlace("outbox", name: relationship + queue, number: number, version: 1)
    }

    package static func event(_ position: Int64) -> RowPlace {
        RowPlace("event", number: UInt64(bitPattern: position), version: 1)
    }
}
