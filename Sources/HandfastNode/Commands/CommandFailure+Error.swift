public import HandfastStore

extension CommandFailure {
    /// What a script and a person learn of an error.
    public init(_ error: any Error) {
        if let failure = error as? CommandFailure {
            self = failure
            return
        }
        let error = NodeError(error)
        self.init(error.kind, error.description)
    }
}

extension BackupFault {
    /// The kind of failure that this is for a script.
    public var kind: CommandFailure.Kind {
        switch self {
        case .file: .cannotCreate
        case .needsPassphrase: .usage
        case .wrongPassphrase: .notPermitted
        case .busy: .tryAgain
        case .notABackup, .newerVersion, .anotherVault, .damaged, .unfinished: .badData
        }
    }
}

extension NodeError {
    /// The kind of failure that this is for a script.
    var kind: CommandFailure.Kind {
        switch self {
        case .badData, .malformedFile, .channel, .domain, .issuer, .wallet, .credential: .badData
        case .unknownRelationship, .ambiguousRelationship: .usage
        case .unavailable, .relay, .domainUnasked, .issuerUnasked: .unavailable
        case .interrupted: .tryAgain
        case .store(.locked), .store(.full): .tryAgain
        case .store(.wrongPassphrase), .store(.keyFilePermissions), .store(.keyFile): .notPermitted
        case .store(.alreadyExists), .file: .cannotCreate
        case .store(.backup(_, let fault)): fault.kind
        case .notConfigured, .stopped, .damaged, .relationship, .store: .failed
        }
    }
}
