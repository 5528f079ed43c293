public import HandfastChannel

/// What a node is told at its start; everything else it finds in its vault.
public struct NodeConfiguration: Hashable, Sendable {
    /// Where a relay of this node's own listens.
    public struct Listen: Hashable, Sendable {
        /// The interface's address or name.
        public var host: String
        /// The TCP port; 0 takes a free one.
        public var port: UInt16
        /// The host that invitations and addresses name; the interface's address when `nil`.
        public var advertisedHost: String?

        /// A place to listen at.
        public init(host: String = "127.0.0.1", port: UInt16 = RelayAddress.defaultPort, advertisedHost: String? = nil)
        {
            self.host = host
            self.port = port
            self.advertisedHost = advertisedHost
        }
    }

    /// The relay at which this node receives; `nil` when it serves its own (``listen``).
    public var relay: RelayAddress?
    /// Further relays at which it receives, in order of preference, at most 3: a peer uses them where ``relay`` cannot be
    /// reached.
    public var alternatives: [RelayAddress] = []
    /// Where this node serves a relay, or `nil`.
    public var listen: Listen?
    /// The name by which the node introduces itself in every new relationship; at most 200 bytes.
    public var name: String?
    /// Whether relays at private and loopback addresses, named by a peer, are connected to.
    ///
    /// `nil` decides by the own relay: a node whose own relay has such an address is in such a network itself.
    public var allowsPrivateAddresses: Bool?
    /// Sizes and times of delivery.
    public var delivery: Delivery

    /// Where attachments lie and which are taken.
    public var attachments: Attachments
    /// What is fetched and served over HTTPS.
    public var web: Web

    /// The file that names the issuers whose word is taken for claims; `nil` to take nobody's.
    public var issuersFile: String?

    /// Files beside the vault that a backup keeps, too, by their paths; those that do not exist are left out.
    public var backupFiles: [String] = []

    /// A configuration; a node needs a relay to meet anybody.
    public init(
        relay: RelayAddress? = nil, listen: Listen? = nil, name: String? = nil, allowsPrivateAddresses: Bool? = nil,
        delivery: Delivery = Delivery(), attachments: Attachments = Attachments(), web: Web = Web()
    ) {
        self.relay = relay
        self.listen = listen
        self.name = name
        self.allowsPrivateAddresses = allowsPrivateAddresses
        self.delivery = delivery
        self.attachments = attachments
        self.web = web
    }

    /// What is fetched and served over HTTPS: the key logs of domains.
    public struct Web: Hashable, Sendable {
        /// Where a name is reached, whatever the name service says.
        public struct Route: Hashable, Sendable {
            /// The address or name to connect to; the certificate is still that of the name that was asked for.
            public var host: String
            /// The TCP port.
            public var port: UInt16

            /// A place to connect to.
            public init(host: String, port: UInt16) {
                self.host = host
                self.port = port
            }
        }

        /// A file of certificates (PEM) that are trusted beside those of the system, or `nil`.
        public var roots: String?
        /// Where names are reached, whatever the name service says; names in lower case.
        public var routes: [String: Route] = [:]
        /// Whether names that lead to private addresses are asked.
        public var allowsPrivateAddresses = false

        /// The system's certificates and name service.
        public init() {}
    }

    /// Sizes and times of delivery. The defaults suit a person's node and a vendor's alike.
    public struct Delivery: Hashable, Sendable {
        /// The first pause after a failed attempt; it doubles from there.
        public var firstPause: Duration = .milliseconds(250)
        /// The longest pause between attempts to reach a relay.
        public var longestPause: Duration = .seconds(300)
        /// The first pause before the same hello is knocked again.
        public var knockPause: Duration = .seconds(60)
        /// A relay of a peer that cannot be reached for so long is given up for another of its addresses.
        public var failOverPause: Duration = .seconds(2)
        /// The longest pause before it is seen whether a peer's preferred relay is back.
        public var returnPause: Duration = .seconds(60)
        /// How often the own relays are asked whether they hold what they do not deliver.
        public var watchPause: Duration = .seconds(120)
        /// The most envelopes in one put of one queue, 1…256.
        public var batch: Int = 256
        /// The most puts under way on one connection, 1…64.
        public var window: Int = 4
        /// So many bytes of envelopes that wait are taken over to another address at once; a relay keeps no more in a queue.
        var redirectedBytes: Int = 64 << 20
        /// The most relationships whose channels are kept in memory, at least 1.
        public var loadedRelationships: Int = 1_024

        /// The defaults.
        public init() {}
    }

    /// Where attachments lie and which are taken without a person's word.
    public struct Attachments: Hashable, Sendable {
        /// The folder in which their sealed files lie, in or beside the vault's; `nil` for a node that keeps none.
        public var folder: String?
        /// The largest file that is taken unasked, in bytes.
        public var acceptedBytes: UInt64 = 100 << 20
        /// Nothing is taken unasked with which all files together would take more, in bytes.
        public var totalBytes: UInt64 = 4 << 30

        /// The defaults, with files in a folder.
        public init(folder: String? = nil) {
            self.folder = folder
        }
    }
}
