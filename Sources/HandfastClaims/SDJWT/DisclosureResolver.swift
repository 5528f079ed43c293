internal import HandfastEncoding

/// Puts disclosures in the places of their digests and takes everything of SD-JWT's own out of the claims.
/// - Source: RFC 9901 §7.1
struct DisclosureResolver {
    private let disclosures: [SDJWTDisclosure]
    // By bytes: texts are equal to Swift when Unicode takes them for the same, such as K and the Kelvin sign.
    private var indexByDigest: [[UInt8]: Int] = [:]
    private var seen: Set<[UInt8]> = []
    /// Where each disclosure has its place; nil until a digest refers to it.
    private var places: [[ClaimPath.Step]?]

    private init(_ disclosures: [SDJWTDisclosure], hash: SDJWTHash) throws(CredentialError) {
        self.disclosures = disclosures
        places = Array(repeating: nil, count: disclosures.count)
        for (index, disclosure) in disclosures.enumerated() {
            guard indexByDigest.updateValue(index, forKey: Array(hash.digest(of: disclosure.text).utf8)) == nil else {
                throw .duplicateDigest
            }
        }
    }

    /// The claims with the disclosures in them, and the path of each disclosure in these claims.
    static func resolve(
        _ claims: CBORMap, with disclosures: [SDJWTDisclosure]
    ) throws(CredentialError) -> (claims: CBORMap, places: [ClaimPath]) {
        var resolver = try DisclosureResolver(disclosures, hash: SDJWTHash(of: claims))
        let resolved = try resolver.resolve(claims, at: [], in: .credential)
        var places: [ClaimPath] = []
        for (index, place) in resolver.places.enumerated() {
            guard let place, let path = ClaimPath(place) else { throw .unreferencedDisclosure(index) }
            places.append(path)
        }
        return (resolved, places)
    }

    private mutating func resolve(
        _ value: CBORValue, at path: [ClaimPath.Step], in part: CredentialError.Part
    ) throws(CredentialError) -> CBORValue {
        switch value {
        case .map(let map): .map(try resolve(map, at: path, in: part))
        case .array(let items): .array(try resolve(items, at: path, in: part))
        default: value
        }
    }

    private mutating func resolve(
        _ map: CBORMap, at path: [ClaimPath.Step], in part: CredentialError.Part
    ) throws(CredentialError) -> CBORMap {
        guard path.count < CBORLimits.depth else { throw .depthExceeded }
        var entries: [CBORMap.Entry] = []
        for entry in map.entries {
            guard case .text(let name) = entry.key else { throw .malformed(part) }
            if SDJWTName.isReserved(name) {
                guard name == SDJWTName.digests || name == SDJWTName.hash && path.isEmpty else {
                    throw .reservedName(in: part)
                }
            } else {
                let value = try resolve(entry.value, at: path + [.name(name)], in: part)
                entries.append(CBORMap.Entry(entry.key, value))
            }
        }
        let digests: [CBORValue]
        switch map[SDJWTName.digests] {
        case nil: digests = []
        case .array(let items)?: digests = items
        default: throw .malformed(part)
        }
        for item in digests {
            guard case .text(let digest) = item else { throw .malformed(part) }
            guard let index = try disclosure(of: digest) else { continue }
            let disclosure = disclosures[index]
            guard let name = disclosure.name else { throw .misplacedDisclosure(index) }
            let key = CBORValue.text(name)
            guard !entries.contains(where: { $0.key == key }) else { throw .claimExists(in: .disclosure(index)) }
            let place = path + [.name(name)]
            places[index] = place
            let value = try resolve(disclosure.value, at: place, in: .disclosure(index))
            entries.append(CBORMap.Entry(key, value))
        }
        do { return try CBORMap(entries) } catch { throw .malformed(part) }
    }

    private mutating func resolve(
        _ items: [CBORValue], at path: [ClaimPath.Step], in part: CredentialError.Part
    ) throws(CredentialError) -> [CBORValue] {
        guard path.count < CBORLimits.depth else { throw .depthExceeded }
        var result: [CBORValue] = []
        for item in items {
            let place = path + [.index(result.count)]
            guard case .map(let map) = item, map.entries.count == 1, let digest = map[SDJWTName.element] else {
                result.append(try resolve(item, at: place, in: part))
                continue
            }
            guard case .text(let digest) = digest else { throw .malformed(part) }
            guard let index = try disclosure(of: digest) else { continue }
            guard disclosures[index].name == nil else { throw .misplacedDisclosure(index) }
            places[index] = place
            result.append(try resolve(disclosures[index].value, at: place, in: .disclosure(index)))
        }
        return result
    }

    /// The disclosure of a digest, which must not have been met before.
    private mutating func disclosure(of digest: String) throws(CredentialError) -> Int? {
        let digest = Array(digest.utf8)
        guard seen.insert(digest).inserted else { throw .duplicateDigest }
        return indexByDigest[digest]
    }
}
