internal import HandfastNode

/// Where domains are asked instead of what the name service says: `DOMAIN=HOST:PORT`, parted by commas.
struct WebRoutes {
    let routes: [String: NodeConfiguration.Web.Route]

    /// Reads the written form; `nil` when it is none.
    init?(_ text: String) {
        var routes: [String: NodeConfiguration.Web.Route] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
            guard sides.count == 2, !sides[0].isEmpty, let place = Endpoint(sides[1]), place.port > 0 else {
                return nil
            }
            routes[sides[0].lowercased()] = .init(host: place.host, port: place.port)
        }
        self.routes = routes
    }
}
