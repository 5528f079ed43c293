// Who imports Handfast needs the identifiers, identities and the handshake beside it.
@_exported public import HandfastChannel
