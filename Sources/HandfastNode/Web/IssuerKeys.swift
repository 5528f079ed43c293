internal import Handfast
public import HandfastEncoding

/// Fetches the keys of issuers that publish them.
public enum IssuerKeys {
    /// The keys that an issuer publishes, as JSON Web Keys, at least one and at most 32.
    ///
    /// - Parameter issuer: the issuer's name, an `https` URL.
    /// - Throws: ``NodeError/issuer(_:_:)``, ``NodeError/issuerUnasked(_:_:)``
    /// - Source: draft-ietf-oauth-sd-jwt-vc-19 §5
    public static func fetch(_ issuer: String, web: NodeConfiguration.Web) async throws(NodeError) -> [CBORMap] {
        let client = WebClient(configuration: web)
        do {
            let name = try WebAddress(issuer)
            let path = name.path == "/" ? "" : name.path
            let place = try WebAddress(
                "https://\(name.host)\(name.port == 443 ? "" : ":\(name.port)")\(IssuerMetadata.wellKnown)\(path)")
            let document = try await client.get(
                place, accept: "application/json", maximum: IssuerMetadata.maximumSize)
            switch try IssuerMetadata(decoding: document, of: issuer).keys {
            case .here(let keys): return keys
            case .at(let url):
                let set = try await client.get(
                    WebAddress(url), accept: "application/jwk-set+json", maximum: IssuerMetadata.maximumSize)
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
