import DeliveryHistory
import Testing

/// The checker finds what it is there for: a right history, and what is wrong with each that was changed.
@Suite struct DeliveryHistoryTests {
    /// Three messages, one after the other, sent and read as they should be.
    private static func right(reading read: [String] = ["a", "b", "c"]) -> DeliveryHistory {
        var history = DeliveryHistory()
        for message in ["a", "b", "c"] {
            history.tries(message, in: "queue")
            history.acknowledged(message)
        }
        for message in read { history.reads(message, in: "queue") }
        return history
    }

    @Test func findsNothingWhereNothingIsWrong() {
        #expect(Self.right().faults(isOver: true).isEmpty)
    }

    @Test func findsAnAcknowledgedMessageThatWasNeverRead() {
        #expect(Self.right(reading: ["a", "c"]).faults(isOver: true) == [.lost("b")])
        #expect(Self.right(reading: ["a", "c"]).faults(isOver: false).isEmpty)
    }

    @Test func findsAMessageThatWasReadTwice() {
        #expect(Self.right(reading: ["a", "b", "b", "c"]).faults(isOver: true) == [.repeated("b")])
        #expect(Self.right(reading: ["a", "b", "c", "c"]).faults(isOver: true) == [.repeated("c")])
    }

    @Test func findsAMessageThatCameBeforeAnEarlierOne() {
        #expect(Self.right(reading: ["b", "a", "c"]).faults(isOver: true) == [.outOfOrder("b", before: "a")])
    }

    @Test func findsAMessageThatNobodySent() {
        #expect(Self.right(reading: ["a", "b", "c", "d"]).faults(isOver: true) == [.unsent("d")])
        var history = Self.right()
        history.reads("a", in: "another queue")
        #expect(history.faults(isOver: true) == [.unsent("a")])
    }

    @Test func findsAMessageThatWasReadBeforeItWasSent() {
        var history = DeliveryHistory()
        history.reads("a", in: "queue")
        history.tries("a", in: "queue")
        #expect(history.faults(isOver: false) == [.unsent("a")])
    }

    @Test func findsAMessageThatWasSentAfterItsQueueWasClosed() {
        var history = Self.right(reading: ["a"])
        history.closes("queue")
        history.tries("d", in: "queue")
        history.reads("d", in: "queue")
        #expect(history.faults(isOver: true) == [.afterClose("d")])
    }

    @Test func countsAMessageWithoutAnswerAsSentOrNot() {
        for read in [["a", "b", "c"], ["a", "b", "c", "d"], ["d", "a", "b", "c"]] {
            var history = DeliveryHistory()
            history.tries("d", in: "queue")
            for message in ["a", "b", "c"] {
                history.tries(message, in: "queue")
                history.acknowledged(message)
            }
            for message in read { history.reads(message, in: "queue") }
            #expect(history.faults(isOver: true).isEmpty, "\(read)")
        }
    }

    @Test func judgesNoOrderOfMessagesThatWereUnderWayTogether() {
        var history = DeliveryHistory()
        for message in ["a", "b"] { history.tries(message, in: "queue") }
        for message in ["a", "b"] { history.acknowledged(message) }
        for message in ["b", "a"] { history.reads(message, in: "queue") }
        #expect(history.faults(isOver: true).isEmpty)
    }

    @Test func forgivesLossOnlyWhereAVaultWentBack() {
        var history = Self.right(reading: ["a"])
        history.mayLose("b")
        #expect(history.faults(isOver: true) == [.lost("c")])
    }

    @Test func letsAReaderThatWentBackReadAgain() {
        var history = Self.right(reading: ["a", "b"])
        history.readerWentBack(to: 1, in: "queue")
        for message in ["b", "c"] { history.reads(message, in: "queue") }
        #expect(history.faults(isOver: true).isEmpty)
    }
}
