import Testing

/// The first seeds of the simulation; `make simulate` runs many more.
@Suite struct SimulationTests {
    private static let meetings = Result { try Meetings() }

    @Test(arguments: 0..<10)
    func whateverHappensNothingAcceptedIsLost(hundred: UInt64) throws {
        let meetings = try Self.meetings.get()
        for seed in hundred * 100 + 1...hundred * 100 + 100 {
            #expect(throws: Never.self, "make simulate SEED=\(seed) tells more") {
                try Simulation.run(seed: seed, meetings: meetings)
            }
        }
    }
}
