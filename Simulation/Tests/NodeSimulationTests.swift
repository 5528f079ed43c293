import Testing

/// The first seeds of the simulation of nodes and relays; `make simulate` runs many more.
@Suite struct NodeSimulationTests {
    private static let origins = Result { try NodeOrigins() }

    @Test(arguments: 0..<4)
    func whatIsAcknowledgedIsReadOnceAndInOrderWhateverHappens(part: UInt64) throws {
        let origins = try Self.origins.get()
        for seed in part * 25 + 1...part * 25 + 25 {
            #expect(throws: Never.self, "make simulate NODES=1 SEED=\(seed) tells more") {
                try NodeSimulation.run(seed: seed, origins: origins)
            }
        }
    }

    @Test func aSeedHasOneHistory() throws {
        let origins = try Self.origins.get()
        for seed: UInt64 in 1...10 {
            let first = try NodeSimulation.run(seed: seed, origins: origins)
            let second = try NodeSimulation.run(seed: seed, origins: origins)
            #expect(first == second, "seed \(seed)")
        }
    }

    @Test(arguments: NodeSimulation.Mutant.allCases)
    func findsAFaultOfThePrograms(mutant: NodeSimulation.Mutant) throws {
        let origins = try Self.origins.get()
        let finder = (1...200 as ClosedRange<UInt64>).first { seed in
            (try? NodeSimulation.run(seed: seed, origins: origins, mutant: mutant)) == nil
        }
        #expect(finder != nil, "no seed up to 200 found \(mutant)")
    }
}
