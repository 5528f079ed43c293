import HandfastCrypto
import HandfastTestSupport
import Testing

@testable import HandfastLink

struct FrameDecoderTests {
    static func stream(_ frames: [[UInt8]]) -> [UInt8] {
        frames.flatMap { frame in
            (0..<4).map { UInt8(truncatingIfNeeded: frame.count >> (24 - 8 * $0)) } + frame
        }
    }

    @Test func findsTheSameFramesHoweverTheStreamIsCut() throws {
        for seed in UInt64(1)...200 {
            var random = SeededEntropy(seed: seed)
            let frames = (0..<Int.random(in: 1...20, using: &random)).map { _ in
                random.bytes(Int.random(in: 1...3000, using: &random))
            }
            var rest = Self.stream(frames)[...]
            var decoder = FrameDecoder()
            var found: [[UInt8]] = []
            while !rest.isEmpty {
                let count = min(rest.count, Int.random(in: 1...2000, using: &random))
                let part = Array(rest.prefix(count))
                decoder.append(part.bytes)
                rest = rest.dropFirst(count)
                try decoder.takeFrames(into: &found)
            }
            #expect(found == frames, "seed \(seed)")
            #expect(!decoder.isMidFrame)
        }
    }

    @Test func takesTheLargestFrame() throws {
        let frame = [UInt8](repeating: 7, count: LinkFrame.maximumCount)
        var decoder = FrameDecoder()
        var found: [[UInt8]] = []
        let stream = Self.stream([frame])
        decoder.append(stream.bytes)
        try decoder.takeFrames(into: &found)
        #expect(found == [frame])
    }

    @Test(arguments: [0, 1_048_577, UInt32.max])
    func refusesALengthOutsideTheBoundsAsSoonAsItIsThere(length: UInt32) {
        var decoder = FrameDecoder()
        var found: [[UInt8]] = []
        let header = (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
        decoder.append(header.bytes)
        #expect(throws: LinkError.frameLength(length)) { try decoder.takeFrames(into: &found) }
        #expect(found.isEmpty)
    }

    @Test func knowsThatAFrameHasBegun() throws {
        var decoder = FrameDecoder()
        var found: [[UInt8]] = []
        let start: [UInt8] = [0, 0]
        decoder.append(start.bytes)
        try decoder.takeFrames(into: &found)
        #expect(decoder.isMidFrame && found.isEmpty)
    }
}
