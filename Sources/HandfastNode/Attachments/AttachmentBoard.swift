internal import HandfastChannel
internal import HandfastStore
internal import Synchronization

/// Where commits leave what is to be done for attachments, for the ``AttachmentCourier`` to find.
final class AttachmentBoard: Sendable {
    /// Something to be done. Each may be done twice, or be lost with the process: the vault's rows say what is due.
    enum Job: Hashable, Sendable {
        /// Open what is here of an attachment, and ask for the rest.
        case take(TransferKey)
        /// Ask again for what is missing.
        case takeAgain(TransferKey)
        /// Every chunk is here: make it durable and say so.
        case finish(TransferKey)
        /// Send what was asked for.
        case give(TransferKey)
        /// Nothing more is to be done.
        case forget(TransferKey, removing: String?)
        /// The relationship ended: nothing of it travels any more.
        case ended(RelationshipID)
        /// A new epoch began: what was on its way is lost.
        case epoch(RelationshipID)
        /// Relays have taken envelopes of these relationships.
        case confirmed([RelationshipID])
    }

    private let jobs = Mutex<[Job]>([])
    /// Raised with every job.
    let signal = Signal()

    /// Leaves a job.
    func post(_ job: Job) {
        jobs.withLock { $0.append(job) }
        signal.raise()
    }

    /// Takes all jobs, in order.
    func take() -> [Job] {
        jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
    }
}
