internal import Glibc

// The one executable of this package: each would link everything, so the target is chosen when it starts.
//
//     FUZZ_TARGET=cbor Fuzz [libFuzzer's arguments]     fuzz one target
//     FUZZ_LIST=1 Fuzz                                  name them all, a line each
//     FUZZ_SEEDS=Corpus Fuzz                            write each target's own inputs to Corpus/TARGET/

/// The target of this process.
private let target: FuzzTarget? = {
    let name = environment("FUZZ_TARGET")
    return FuzzTarget.all.first { $0.name == name }
}()

private func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
}

/// What libFuzzer calls once, before anything else.
@c(LLVMFuzzerInitialize)
public func initialize(
    _ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
    if environment("FUZZ_LIST") != nil {
        for target in FuzzTarget.all { print(target.name) }
        exit(0)
    }
    if let folder = environment("FUZZ_SEEDS") {
        do {
            for target in FuzzTarget.all { try writeSeeds(of: target, into: folder) }
            exit(0)
        } catch {
            stop("the seeds cannot be made: \(error)")
        }
    }
    guard target != nil else { stop("FUZZ_TARGET names no target; FUZZ_LIST=1 lists them") }
    return 0
}

/// What libFuzzer calls with each input.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    do {
        try target?.run(input)
    } catch {
        print("\(target?.name ?? ""): \(error)")
        fflush(nil)
        // libFuzzer keeps the input of a process that aborts.
        abort()
    }
    return 0
}

private func writeSeeds(of target: FuzzTarget, into folder: String) throws {
    _ = unsafe mkdir("\(folder)/\(target.name)", 0o755)
    for (number, seed) in try target.seeds().enumerated() {
        guard let file = unsafe fopen("\(folder)/\(target.name)/seed-\(number)", "w") else {
            stop("\(folder)/\(target.name) cannot be written to")
        }
        _ = unsafe seed.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
        unsafe fclose(file)
    }
}

private func stop(_ reason: String) -> Never {
    print(reason)
    exit(64)
}
