// Who imports Handfast needs the identifiers, identities, the handshake and claims beside it, and the keys that they
// are made of.
@_exported public import HandfastChannel
@_exported public import HandfastClaims
@_exported public import HandfastCrypto
