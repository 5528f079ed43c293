// Who imports Handfast needs the identifiers, identities and the handshake beside it, and the keys that they are made of.
@_exported public import HandfastChannel
@_exported public import HandfastCrypto
