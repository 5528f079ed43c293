public import Handfast
internal import HandfastEncoding

/// Fetches the keys of issuers that publish them.
public enum IssuerKeys {
    /// Where an issuer publishes its metadata.
    ///
    /// - Parameter issuer: the issuer's name, an `https` URL.
    /// - Throws: ``NodeError/issuerUnasked(_:_:)`` for another name
    /// - Source: draft-ietf-oauth-sd-jwt-vc-19 §5
    public static func place(of issuer: String) throws(NodeError) -> String {
        let name: WebAddress
        do {
            name = try WebAddress(issuer)
        } catch {
            throw .issuerUnasked(issuer, error)
        }
        let path = name.path == "/" ? "" : name.path
        return "https://\(name.host)\(name.port == 443 ? "" : ":\(name.port)")\(IssuerMetadata.wellKnown)\(path)"
    }

    /// The keys that an issuer publishes, at least one and at most 32.
    ///
    /// - Parameter issuer: the issuer's name, an `https` URL.
    /// - Throws: ``NodeError/issuer(_:_:)``, ``NodeError/issuerUnasked(_:_:)``
    /// - Source: draft-ietf-oauth-sd-jwt-vc-19 §5
    public static func fetch(_ issuer: String, web: NodeConfiguration.Web) async throws(NodeError) -> [IssuerKey] {
        try await fetch(issuer, at: place(of: issuer), web: web)
    }

    /// The keys that the metadata at a place names, which must be that issuer's.
    static func fetch(
        _ issuer: String, at url: String, web: NodeConfiguration.Web
    ) async throws(NodeError) -> [IssuerKey] {
        let client = WebClient(configuration: web)
        do {
            let document = try await client.get(
                WebAddress(url), accept: "application/json", maximum: IssuerMetadata.maximumSize)
            switch try IssuerMetadata(decoding: document, of: issuer).keys {
            case .here(let keys): return keys
            case .at(let place):
                let set = try await client.get(
                    WebAddress(place), accept: "application/jwk-set+json", maximum: IssuerMetadata.maximumSize)
                return try IssuerMetadata.keys(decoding: set)
            }
        } catch let fault as IssuerMetadata.Fault {
            throw .issuer(issuer, fault)
        } catch let error as WebError {
            throw .issuerUnasked(issuer, error)
        } catch {
            throw NodeError(error)
        }
    }
}
