internal import Foundation
internal import HandfastClaims
internal import HandfastNode

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The file with an issuer's register of a status list, for its owner alone.
///
/// A change is durable before it is answered, and changes of several processes follow one another: so no place of the
/// list is given twice.
enum StatusRegisterFile {
    /// Makes the file; one that is there is left as it is.
    static func make(_ register: StatusRegister, at path: String) throws {
        try locked(path) {
            guard !FileManager.default.fileExists(atPath: path) else {
                throw Failure(
                    .cannotCreate, "the file \(path) exists", hint: "give another path; a register is never replaced")
            }
            try write(register, to: path)
        }
    }

    /// Reads the register.
    static func read(_ path: String) throws -> StatusRegister {
        let bytes = try InputFile.read(path, maximum: StatusRegister.maximumEncodedCount)
        do {
            return try StatusRegister(decoding: bytes)
        } catch {
            throw Failure(.badData, "\(path): \(error)")
        }
    }

    /// Changes the register, and returns once the change is durable.
    static func update<Result>(_ path: String, _ change: (inout StatusRegister) throws -> Result) throws -> Result {
        try locked(path) {
            var register = try read(path)
            let result = try change(&register)
            try write(register, to: path)
            return result
        }
    }

    private static func locked<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        let descriptor = unsafe open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw cannotWrite(path) }
        defer { _ = close(descriptor) }
        guard flock(descriptor, LOCK_EX) == 0 else { throw cannotWrite(path) }
        return try body()
    }

    /// Puts a new file in the place of the old one, and both the file and its name on the disk.
    private static func write(_ register: StatusRegister, to path: String) throws {
        let fresh = path + ".new"
        let descriptor = unsafe open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw cannotWrite(path) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(register.encoded()))
            try handle.synchronize()
        } catch {
            throw cannotWrite(path)
        }
        guard unsafe rename(fresh, path) == 0 else { throw cannotWrite(path) }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let folderDescriptor = unsafe open(folder, O_RDONLY | O_CLOEXEC)
        guard folderDescriptor >= 0 else { throw cannotWrite(path) }
        defer { _ = close(folderDescriptor) }
        guard fsync(folderDescriptor) == 0 else { throw cannotWrite(path) }
    }

    private static func cannotWrite(_ path: String) -> Failure {
        Failure(.cannotCreate, "the file \(path) cannot be written", hint: "check the path and its folder's mode")
    }
}
