internal import Logging

/// The process's log, on standard error.
enum ProcessLog {
    /// Begins to log; what is less severe than the configured level is left out.
    static func start(_ settings: Settings, usual: Logger.Level) {
        let level = settings.text(.logLevel).flatMap { Logger.Level(rawValue: $0) } ?? usual
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }
}
