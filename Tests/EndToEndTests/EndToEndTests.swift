import Testing

/// The program as people and scripts see it: real processes, loopback only, one scene at a time.
@Suite(.serialized, .timeLimit(.minutes(10)))
enum EndToEndTests {}
