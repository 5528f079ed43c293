internal import HandfastChannel
internal import HandfastCrypto
internal import HandfastStore

/// The services and queues that a batch is about: found, locked in the order of their numbers and read together, in a few
/// round trips, before the transaction's rules ask for them.
struct PostgresRelayRows {
    private let transaction: PostgresTransaction
    private let places: QueuePlaces
    /// What was read under its service's lock.
    private var services: [Int64: RelayService] = [:]
    private var serviceRows: [VerificationKey: Int64] = [:]
    private var queues: [Int64: RelayQueue] = [:]
    private var queueRows: [QueueID: Int64] = [:]
    /// What all relays of the database keep, once it was read.
    private(set) var kept: RelayKept?

    init(_ transaction: PostgresTransaction, _ places: QueuePlaces) {
        self.transaction = transaction
        self.places = places
    }

    /// Locks and reads what the requests are about.
    mutating func prepare(for writes: [RelayWrite]) throws {
        var keys: Set<VerificationKey> = []
        var ids: Set<QueueID> = []
        for write in writes {
            let (service, queues) = write.subjects
            if let service { keys.insert(service) }
            ids.formUnion(queues)
        }
        try find(keys, ids)
        var rows = Set(keys.compactMap { places.row(of: $0) })
        let known = ids.compactMap { places.place(of: $0) }
        rows.formUnion(known.map(\.service))
        try lock(rows, reading: known.map(\.queue))
    }

    /// Finds the places of services and queues that were never asked for before.
    private func find(_ keys: Set<VerificationKey>, _ ids: Set<QueueID>) throws {
        let newKeys = keys.filter { places.row(of: $0) == nil }
        let newIDs = ids.filter { places.place(of: $0) == nil }
        let answers = try transaction.rows(
            ofAll: newKeys.map(Self.rowQuestion) + newIDs.map(Self.placeQuestion))
        for (key, answer) in zip(newKeys, answers) {
            if let row = answer.first { places.remember(try row.number(0, of: "service"), of: key) }
        }
        for (id, answer) in zip(newIDs, answers.dropFirst(newKeys.count)) {
            if let row = answer.first { places.remember(try QueuePlaces.Place(row), of: id) }
        }
    }

    private static func rowQuestion(_ key: VerificationKey) -> PostgresStatement {
        PostgresStatement(
            "SELECT row FROM service WHERE bucket = $1 AND key = $2", [Bucket(of: key.array).value, .bytes(key.array)])
    }

    private static func placeQuestion(_ id: QueueID) -> PostgresStatement {
        PostgresStatement(
            "SELECT queue, service FROM place WHERE bucket = $1 AND id = $2",
            [Bucket(of: id.array).value, .bytes(id.array)])
    }

    /// Locks services in the order of their numbers, then reads queues of theirs.
    mutating func lock(_ rows: Set<Int64>, reading queueRows: [Int64]) throws {
        let sorted = rows.filter { services[$0] == nil }.sorted()
        let sum = PostgresStatement(
            """
            SELECT (SELECT coalesce(sum(bytes), 0)::bigint FROM writer),
                (SELECT coalesce(sum(queues), 0)::bigint FROM opened)
            """)
        let answers = try transaction.rows(
            ofAll: sorted.map(Self.lockingQuestion) + queueRows.map(Self.queueQuestion) + (kept == nil ? [sum] : []))
        for answer in answers.prefix(sorted.count) {
            if let row = answer.first { remember(try RelayService(row)) }
        }
        for answer in answers.dropFirst(sorted.count).prefix(queueRows.count) {
            if let row = answer.first { remember(try RelayQueue(row)) }
        }
        if kept == nil, let row = answers.last?.first {
            kept = RelayKept(
                bytes: Int(try row.number(0, of: "writer")), queues: Int(try row.number(1, of: "opened")))
        }
    }

    private static func lockingQuestion(_ row: Int64) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(RelayService.columns) FROM service WHERE bucket = $1 AND row = $2 FOR UPDATE",
            [Bucket(ofRow: row).value, .number(row)])
    }

    private static func queueQuestion(_ row: Int64) -> PostgresStatement {
        PostgresStatement(
            "SELECT \(RelayQueue.columns) FROM queue WHERE bucket = $1 AND row = $2",
            [Bucket(ofRow: row).value, .number(row)])
    }

    /// Keeps a service that is locked, or new.
    mutating func remember(_ service: RelayService) {
        services[service.row] = service
        serviceRows[service.key] = service.row
    }

    /// Keeps a queue whose service is locked.
    mutating func remember(_ queue: RelayQueue) {
        queues[queue.row] = queue
        queueRows[queue.id] = queue.row
    }

    /// Reads queues whose services are locked.
    mutating func load(_ rows: [Int64]) throws {
        let missing = Set(rows).filter { queues[$0] == nil }
        for answer in try transaction.rows(ofAll: missing.map(Self.queueQuestion)) {
            if let row = answer.first { remember(try RelayQueue(row)) }
        }
    }

    // MARK: Services

    /// The service with a key, if it is locked.
    func locked(_ key: VerificationKey) -> RelayService? { serviceRows[key].flatMap { services[$0] } }

    /// The locked service with a key.
    mutating func service(_ key: VerificationKey) throws -> RelayService? {
        if let row = serviceRows[key] { return services[row] }
        if let row = places.row(of: key), let service = try service(row: row) { return service }
        guard let found = try transaction.rows(ofAll: [Self.rowQuestion(key)]).first?.first else { return nil }
        let row = try found.number(0, of: "service")
        // Where another is known, that one was forgotten.
        places.remember(row, of: key)
        return try service(row: row)
    }

    /// The locked service with a number.
    mutating func service(row: Int64) throws -> RelayService? {
        if let service = services[row] { return service }
        try lock([row], reading: [])
        return services[row]
    }

    /// Forgets a service: it is gone.
    mutating func forget(_ service: RelayService) {
        (services[service.row], serviceRows[service.key]) = (nil, nil)
    }

    // MARK: Queues

    /// The queue with a number, if it was read.
    func locked(queue row: Int64) -> RelayQueue? { queues[row] }

    /// The queue with a name, its service locked.
    mutating func queue(_ id: QueueID) throws -> RelayQueue? {
        if let row = queueRows[id] { return queues[row] }
        if let place = places.place(of: id) {
            if let queue = try queue(at: place) { return queue }
            places.remember(nil, of: id)
        }
        guard let row = try transaction.rows(ofAll: [Self.placeQuestion(id)]).first?.first else { return nil }
        return try queue(at: QueuePlaces.Place(row))
    }

    private mutating func queue(at place: QueuePlaces.Place) throws -> RelayQueue? {
        guard try service(row: place.service) != nil else { return nil }
        return try queue(row: place.queue)
    }

    /// The queue with a number, of a service that is locked.
    mutating func queue(row: Int64) throws -> RelayQueue? {
        try load([row])
        return queues[row]
    }

    /// Forgets a queue: it is gone, or is to be read again.
    mutating func forget(_ row: Int64) {
        if let queue = queues.removeValue(forKey: row) { queueRows[queue.id] = nil }
    }
}

extension RelayWrite {
    /// The service and the queues that a request is about.
    fileprivate var subjects: (service: VerificationKey?, queues: [QueueID]) {
        switch self {
        case .attach(let service), .acknowledge(let service, _): (service, [])
        case .open(let service, let queues, _, _): (service, queues.map(\.id))
        case .admit(let service, let queue, _), .publish(let service, let queue, _): (service, [queue])
        case .knock(let queue, _, _, _, _), .put(let queue, _, _, _, _): (nil, [queue])
        case .policy(let service, let settings, _): (service, settings.map(\.id))
        case .close(let service, let queues, _): (service, queues)
        }
    }
}
