internal import Handfast
internal import HandfastStore

extension Node {
    /// The path under which a domain serves the key log of its public identity.
    static let domainPath = "/.well-known/handfast"
    private static let maximumLog = KeyLog.maximumEventCount * (KeyEvent.maximumByteCount + 3) + 2

    /// Asks a domain whether it stands for an identity.
    ///
    /// - Throws: ``NodeError/domainUnasked(_:_:)`` when it cannot be asked, ``NodeError/domain(_:_:)`` when it says otherwise
    func ask(_ domain: String, for identity: KeyLogOutline) async throws(NodeError) {
        let served: [UInt8]
        do {
            served = try await WebClient(configuration: configuration.web).get(
                WebAddress(host: domain, path: Self.domainPath), accept: "application/cbor", maximum: Self.maximumLog)
        } catch {
            throw .domainUnasked(domain, error)
        }
        do {
            try DomainTie.check(served.bytes, of: domain, for: identity)
        } catch {
            throw .domain(domain, error)
        }
    }

    /// Asks the domains of peers whose public identity has changed since they were last asked.
    func askDomainsThatAreDue() async throws(NodeError) {
        for question in try await keeper.domainQuestions() {
            let answer: Result<Void, NodeError>
            do {
                try await ask(question.domain, for: question.identity)
                answer = .success(())
            } catch {
                answer = .failure(error)
            }
            try await keeper.take(answer, to: question)
        }
    }
}

/// Whether a domain stands for a peer's public identity.
struct DomainQuestion: Sendable {
    /// The relationship in which the identity is the peer's.
    let relationship: RelationshipID
    /// The domain that the identity names.
    let domain: String
    /// The identity as far as it is known.
    let identity: KeyLogOutline
}

extension Keeper {
    /// What is to be asked of domains by now.
    func domainQuestions() async throws(NodeError) -> [DomainQuestion] {
        let now = time.now()
        var questions: [DomainQuestion] = []
        for (id, due) in domainChecks where due <= now {
            guard let kept = try await kept(id), let domain = kept.relationship.domain,
                let identity = kept.relationship.peerEndorser
            else {
                domainChecks[id] = nil
                continue
            }
            questions.append(DomainQuestion(relationship: id, domain: domain, identity: identity))
        }
        return questions
    }

    /// Stores what a domain answered; one that could not be asked is asked again later.
    func take(_ answer: Result<Void, NodeError>, to question: DomainQuestion) async throws(NodeError) {
        try await perform { keeper, draft in
            let relationship = try await keeper.load(question.relationship)
            guard var check = relationship.kept.domain else { return }
            draft.touch(relationship)
            switch answer {
            case .success:
                check.answered(nil, at: draft.now)
                draft.event(.domainConfirmed, of: relationship.id)
            case .failure(.domain(_, let fault)):
                check.answered(fault, at: draft.now)
                draft.event(
                    .domainContradicted, of: relationship.id, .init(reason: "\(question.domain): \(fault)"))
            case .failure:
                check.due = Timestamp(seconds: draft.now.seconds + DomainCheck.pause)
            }
            relationship.kept.domain = check
        }
    }
}
