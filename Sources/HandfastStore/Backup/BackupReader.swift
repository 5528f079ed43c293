public import HandfastChannel
internal import HandfastCrypto

/// A backup that was read to its end and found in order.
///
/// - Source: Spec/08 §8.6
public actor BackupReader {
    /// What stands for a row that later rows may replace.
    private struct RowKey: Hashable {
        let kind: BackupRow.Kind
        let name: BackupItem.RowName
    }

    private let path: String
    private let file: BackupFile
    /// The place of the row of each name that no later one replaces.
    private var standing: [RowKey: UInt64] = [:]
    /// How many items were read.
    private var place: UInt64 = 0
    /// When its last part was made.
    public private(set) var created = Timestamp(seconds: 0)
    /// The last position of the feed then.
    public private(set) var lastEvent: Int64 = 0
    /// How many parts it has.
    public var partCount: UInt64 { file.partCount }
    /// Whether something follows the last part that a crash has left unfinished; it counts as nothing.
    public var hasUnfinishedEnd: Bool { file.hasUnfinishedEnd }

    /// Opens a backup and reads all of it.
    ///
    /// - Throws: ``StoreError/backup(path:_:)``
    public init(path: String, passphrase: [UInt8]) throws(StoreError) {
        self.path = path
        do {
            file = try BackupFile(path: path, writing: false) { header in try header.open(passphrase: passphrase) }
            while let item = try file.next() {
                place += 1
                switch item {
                case .part(_, let created, let lastEvent):
                    self.created = created
                    self.lastEvent = lastEvent
                case .row(.event, _, _, _): break
                case .row(let kind, let name, _, let row):
                    standing[RowKey(kind: kind, name: name)] = row == nil ? nil : place
                }
            }
            guard file.partCount > 0 else { throw BackupFault.unfinished }
        } catch let error as BackupFault {
            throw .backup(path: path, error)
        } catch {
            throw .backup(path: path, .file("\(error)"))
        }
    }

    /// Goes back to the first row.
    public func rewind() {
        file.rewind()
        place = 0
    }

    /// The next row that stands, in the order in which they were written; nil after the last.
    ///
    /// - Throws: ``StoreError/backup(path:_:)``
    public func next() throws(StoreError) -> BackupRow? {
        do {
            while let item = try file.next() {
                place += 1
                guard case .row(let kind, let name, _, let row?) = item else { continue }
                if kind == .event || standing[RowKey(kind: kind, name: name)] == place { return row }
            }
            return nil
        } catch let error as BackupFault {
            throw .backup(path: path, error)
        } catch {
            throw .backup(path: path, .file("\(error)"))
        }
    }
}
