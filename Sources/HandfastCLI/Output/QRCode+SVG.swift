extension QRCode {
    /// The code as an SVG image, black on white, 4 pixels a module.
    var svg: String {
        let side = width + 2 * Self.quietZone
        var path = ""
        for y in 0..<width {
            for x in 0..<width where isDark(x, y) {
                path += "M\(x + Self.quietZone) \(y + Self.quietZone)h1v1h-1z"
            }
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" width="\(4 * side)" height="\(4 * side)" \
            viewBox="0 0 \(side) \(side)" role="img" aria-label="QR code of \(name)" shape-rendering="crispEdges">
            <rect width="\(side)" height="\(side)" fill="#fff"/>
            <path d="\(path)" fill="#000"/>
            </svg>

            """
    }
}
