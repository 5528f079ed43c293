/*
 * One relationship between two nodes: delivery by relays, the ratchet's commits, vaults and relays that go back, rejoin.
 *
 * README.md says what this models and what not, which properties hold, and how it is run. `n` is a node, 0 or 1, and
 * 1 - n its peer; node 0 has the lower identity id. Relay n holds the queue that node n receives by. Beside what models
 * it stands the place in the specification, or the file of the node that does it.
 */

/* ---- What may happen: each scenario of Scripts/model sets these ---- */

#ifndef MESSAGES
#define MESSAGES 1       /* records that each person signs at whatever time it is possible */
#endif
#ifndef SPEAKERS
#define SPEAKERS 2       /* whether both persons speak, or only that of node 0 */
#endif
#ifndef LAST_MESSAGES
#define LAST_MESSAGES 1  /* and signs when faults are over and nothing is under way: loss shows by what follows it */
#endif
#ifndef CRASHES
#define CRASHES 0        /* how often a node or a relay is killed */
#endif
#ifndef VAULTS_BACK
#define VAULTS_BACK 0    /* how many nodes start once from an older copy of their vault */
#endif
#ifndef RELAYS_BACK
#define RELAYS_BACK 0    /* how many relays start once from an older copy of their store */
#endif
#ifndef RELAYS_LOST
#define RELAYS_LOST 0    /* how often a relay starts with an empty store */
#endif
#ifndef ASKS
#define ASKS 0           /* how often a person asks for a new epoch */
#endif
#ifndef DAYS
#define DAYS 0           /* days that may pass without an answer before all is well */
#endif

/* ---- Bounds of tables, all asserted: no run meets one unseen ---- */

#define RECORDS 6        /* records that one node signs, + 1 */
#ifndef ENVELOPES
#define ENVELOPES 20     /* envelopes that one node makes, + 1 */
#endif
#define OUTBOX 10        /* envelopes in an outbox */
#define STORED 12        /* envelopes in a queue */
#define EPOCHS 14        /* epochs, the handshake's included */

#define NONE 255
#define UNOPENED_LIMIT 2 /* Spec/04 §4.9 has four: the same rule with fewer messages */
#define KEPT_RESUMES 4   /* Spec/04 §4.8 */

mtype = { RECORD, RETURNED, TURN, REJOIN, REJOINED };
mtype = {
    UNKNOWN_TAGS, RECORD_MISSING, UNANSWERABLE,                              /* limited to one rejoin an hour */
    OWN_STORE_WENT_BACK, QUEUE_WENT_BACK, QUEUE_DIFFERS, NO_ANSWER, PERSON   /* not limited */
};
mtype = { LIVE, FROZEN_BY_PEER, FROZEN_BY_OWN };
mtype = { UNPROBED, OPEN, REPLY_DUE };
mtype = { DETACHED, CURSOR_DUE, READY, REJOIN_DUE, ACK_DUE };

/* ---- What is written once and never changes: records and envelopes ---- */

/* A record (Spec/05 §5.1). Its id stands for its hash, so the id of the latest names a whole direction of a ledger. */
typedef Record {
    byte number;
    byte previous;       /* the record before it in its direction */
    byte seen;           /* the latest record of the peer's when it was signed */
    bool isAccepted      /* whether the peer has committed it */
}
Record records[2 * RECORDS];  /* id 0 is the start of a ledger */

#define record(n, id) records[(n) * RECORDS + (id)]

/* An envelope or a rejoin (Spec/04 §4.4, §4.8). */
typedef Envelope {
    mtype kind;
    byte channel;        /* whose keys seal it: the channel, its sender, and */
    byte counter;        /* its index in the sender's chain */
    byte salt;           /* with which it makes the nonce */
    bool hasLeft;        /* whether a relay ever stored it */
    byte own;            /* RECORD: the record. RETURNED: own records up to this. Rejoins: the own head */
    byte peer;           /* RETURNED: the peer's records up to this. Rejoins: the peer's head */
    byte firstOwn;       /* RETURNED: from this number on, 0 for none. REJOIN: the epoch */
    byte firstPeer;      /* RETURNED: from this number on, 0 for none. REJOIN: the resumed epoch or NONE */
    byte secret;         /* Rejoins: the resume secret in the new root, 0 for none */
    byte names           /* REJOIN: instead of which rejoin of the peer, 0 for none. REJOINED: which rejoin it answers */
}
Envelope envelopes[2 * ENVELOPES];

#define envelope(n, id) envelopes[(n) * ENVELOPES + (id)]
#define epochOf(n, id) envelope(n, id).firstOwn
#define resumedOf(n, id) envelope(n, id).firstPeer

/* Channels and resume secrets are named after the answer, or the rejoin, that made them; the handshake made 1. */
#define channelOf(n, id) (2 + (n) * ENVELOPES + (id))
#define secretOf(n, id) (2 + (n) * ENVELOPES + (id))
#define otherSecret(n, id) (128 + (n) * ENVELOPES + (id))

/* ---- Durable state ---- */

/* A node's vault: every step changes it in one commit (Spec/08 §8.1). */
typedef Vault {
    mtype state;
    byte own;            /* the latest own record */
    byte peer;           /* the latest record of the peer's */
    byte awaited;        /* the own record that must come back before one is signed, 0 for none (Spec/05 §5.10) */
    byte ownFork;        /* the own record that it kept when it froze over its own */
    byte channel;        /* 0 while a rejoin waits */
    byte sent;           /* the index of the next envelope */
    byte opened;         /* the index after the last one that was opened */
    byte pending;        /* the own rejoin that waits for its answer, 0 for none */
    byte epoch;          /* from here on Spec/04 §4.9, as RejoinPolicy has it */
    mtype cause;
    byte insteadOf;
    byte resumeBound;    /* a later epoch is not resumed; EPOCHS where there is no bound, NONE where none is resumed */
    byte highestSeen;
    byte answered;       /* the peer's rejoin that was answered last */
    byte unopened;
    bool hasAsked;       /* whether less than an hour has passed since a limited cause led to a rejoin */
    byte resume[EPOCHS]; /* the resume secret of an epoch, 0 for none */
    byte cursor;         /* the last position whose effect is in this vault */
    byte confirmed;      /* the number of the queue below which everything is confirmed */
    byte digest;         /* the queue digest there */
    byte count;          /* envelopes in the outbox */
    byte outbox[OUTBOX]
}
Vault vault[2];

/* The store of a relay with one service of one queue (Spec/07 §7.2). A position is a number + 1.
 *
 * The id of the last envelope stands for the queue digest: an envelope is put only behind those before which it was
 * sealed, since number and digest were compared on the same connection. */
typedef Relay {
    bool isOpen;         /* whether the queue is known */
    byte next;           /* the number that it expects; also the last position */
    byte acknowledged;
    byte digest;
    byte stored[STORED]  /* the envelopes above what is acknowledged */
}
Relay relay[2];

/* Copies that were put aside, and how often one came back. */
Vault vaultCopy[2];
bool hasVaultCopy[2];
Relay relayCopy[2];
bool hasRelayCopy[2];
Vault emptyVault;
Relay emptyRelay;

/* ---- Volatile state ---- */

mtype lane[2];       /* n: the courier from node n to the relay of 1 - n (OutboxLane) */
mtype session[2]; /* n: the session of node n at its own relay (ServiceSession) */
byte delivered[2];        /* the last position that the relay gave to that session */
byte loads[2];            /* how often a node's state was loaded */

/* What only mutants have: something done that should have been one with, or after, a commit */
byte uncommitted[2];      /* n: an envelope that left, or was acknowledged, and that the vault does not know */
byte staged[2];           /* n: an envelope that relay n has answered, and not stored */
byte apart[2];            /* n: why a rejoin is still to follow an adoption */

/* ---- What only the properties know ---- */

byte sealedCount[2];      /* envelopes that were ever made, whatever became of the vault since */
byte signedCount[2];
bool isCalm;              /* no more faults */
byte crashes, vaultsBack, relaysBack, relaysLost, asks, days;
byte said[2], lastSaid[2];
bool vaultWentBack[2], relayWentBack[2];

/* ---- Scratch of a step; no part of any state ---- */

hidden byte i, j, k, e, r, a, b, m, found, seen, seenNumber, last, common, from, secret, distance;
hidden byte resentFrom, resentTo, returnedFrom;
hidden byte isOld, isNew, stands, takesOwn;
hidden byte verdict;
#define GAP 1             /* refused, and a cause to rejoin */
#define REFUSED 2
#define NEXT 3

/* ==== Records: Spec/05 ==== */

/* found = the record of that number in a direction that ends in `head`; 0 if there is none. */
inline find(d, head, wanted)
{
    found = head;
    do
    :: record(d, found).number > wanted -> found = record(d, found).previous
    :: else -> break
    od;
    if
    :: record(d, found).number != wanted -> found = 0
    :: else
    fi
}

/* verdict on a record that should follow `head` in its direction, where the other direction ends in `other`: §5.2, 3 to 5 */
inline judge(d, entry, head, other)
{
    seen = record(d, entry).seen;
    seenNumber = record(1 - (d), seen).number;
    if
    :: record(d, entry).number != record(d, head).number + 1 || record(d, entry).previous != head -> verdict = GAP
    :: else ->
        if
        :: seenNumber < record(1 - (d), record(d, head).seen).number -> verdict = REFUSED
        :: seenNumber > record(1 - (d), other).number -> verdict = GAP
        :: else ->
            find(1 - (d), other, seenNumber);
            if
            :: seenNumber == record(1 - (d), record(d, head).seen).number -> found = record(d, head).seen
            :: else
            fi;
            if
            :: found == seen -> verdict = NEXT
            :: else -> verdict = GAP
            fi
        fi
    fi
}

/* A record of the peer's: the table of §5.2. */
inline takePeers(n, entry)
{
    if
    :: vault[n].state != LIVE
    :: vault[n].state == LIVE && record(1 - (n), entry).number <= record(1 - (n), vault[n].peer).number ->
        find(1 - (n), vault[n].peer, record(1 - (n), entry).number);
        if
        :: found == entry
        :: else ->
            printf("node %d: freezes, the peer's record %d contradicts %d\n", n, entry, found);
            vault[n].state = FROZEN_BY_PEER
        fi
    :: else ->
        judge(1 - (n), entry, vault[n].peer, vault[n].own);
        if
        :: verdict == NEXT ->
            /* Read once, unless this vault forgot it. */
            assert(!record(1 - (n), entry).isAccepted || vaultWentBack[n]);
            printf("node %d: reads record %d of the peer\n", n, entry);
            record(1 - (n), entry).isAccepted = true;
            vault[n].peer = entry
        :: verdict == GAP -> want(n, RECORD_MISSING)
        :: else
        fi
    fi
}

/* An own record that came back: the table of §5.10. */
inline takeOwn(n, entry)
{
    if
    :: vault[n].state != LIVE || entry == vault[n].own
    :: else ->
        b = vault[n].own;
        isOld = record(n, entry).number <= record(n, b).number;
        if
        :: isOld -> find(n, b, record(n, entry).number)
        :: else -> found = 0
        fi;
        if
        :: isOld && found == entry
        :: isOld && found != entry &&
            record(n, entry).number <= record(n, record(1 - (n), vault[n].peer).seen).number ->
            printf("node %d: freezes, its records %d and %d contradict each other\n", n, entry, found);
            vault[n].state = FROZEN_BY_OWN;
            vault[n].ownFork = found;
            vault[n].awaited = 0
        :: else ->
            if
            :: isOld && found != entry -> b = record(n, found).previous
            :: else
            fi;
            judge(n, entry, b, vault[n].peer);
            if
            :: verdict == NEXT ->
                do
                :: vault[n].own != b ->
                    /* Nothing that was promised becomes void, unless this vault forgot what it had said. */
                    assert(vaultWentBack[n]);
                    printf("node %d: its record %d is void\n", n, vault[n].own);
                    vault[n].own = record(n, vault[n].own).previous
                :: else -> break
                od;
                printf("node %d: its record %d is back\n", n, entry);
                vault[n].own = entry;
                if
                :: vault[n].awaited == entry -> vault[n].awaited = 0
                :: else
                fi
            :: verdict == GAP -> want(n, RECORD_MISSING)
            :: else
            fi
        fi
    fi
}

/* ==== Sealing: Spec/04 §4.2, §4.4 ==== */

#ifdef MUTANT_SALT_STORED
#define SALT(n) 1
#else
#define SALT(n) (1 + loads[n]) /* drawn anew whenever state is loaded, and never stored */
#endif

/* e = a new envelope of node n in its outbox, not sealed by the ratchet */
inline post(n, what)
{
    sealedCount[n]++;
    e = sealedCount[n];
    assert(e < ENVELOPES && vault[n].count < OUTBOX);
    envelope(n, e).kind = what;
    vault[n].outbox[vault[n].count] = e;
    vault[n].count++
}

/* e = a new envelope of node n under the next key of its chain */
inline seal(n, what)
{
    assert(vault[n].channel != 0 && vault[n].pending == 0);
    post(n, what);
    envelope(n, e).channel = vault[n].channel;
    envelope(n, e).counter = vault[n].sent;
    envelope(n, e).salt = SALT(n);
    vault[n].sent++;
    printf("node %d: seals %e %d, channel %d, index %d\n", n, what, e, envelope(n, e).channel, envelope(n, e).counter);
    /* No (key, nonce) is used twice. */
    k = 1;
    do
    :: k < e ->
        assert(envelope(n, k).channel != envelope(n, e).channel || envelope(n, k).counter != envelope(n, e).counter
            || envelope(n, k).salt != envelope(n, e).salt);
        k++
    :: else -> break
    od;
    k = 0
}

/* ==== Rejoin: Spec/04 §4.8, §4.9, as RejoinPolicy and Relationship+Rejoining have it ==== */

#define isLimited(why) (why == UNKNOWN_TAGS || why == RECORD_MISSING || why == UNANSWERABLE)
#define waitingEpoch(n) (vault[n].pending == 0 -> 0 : epochOf(n, vault[n].pending))

inline want(n, why)
{
    if
    :: isLimited(why) && (vault[n].cause != 0 || vault[n].pending != 0)
    :: else -> vault[n].cause = why
    fi
}

inline settle(n)
{
    vault[n].cause = 0;
    vault[n].insteadOf = 0;
    vault[n].resumeBound = EPOCHS;
    vault[n].unopened = 0
}

/* Posts a rejoin for the epoch after the latest, and erases the channel, in the commit of whatever led to it. */
inline ask(n)
{
    /* No epoch begins where nothing but processes ended. */
    assert(vaultsBack + relaysBack + relaysLost + asks > 0);
    last = vault[n].epoch;
    if
    :: waitingEpoch(n) > last -> last = waitingEpoch(n)
    :: else
    fi;
    if
    :: vault[n].highestSeen > last -> last = vault[n].highestSeen
    :: else
    fi;
    assert(last + 1 < EPOCHS);
    from = NONE;
    if
    :: vault[n].resumeBound != NONE ->
        k = 0;
        do
        :: k <= last && k <= vault[n].resumeBound ->
            if
            :: vault[n].resume[k] != 0 -> from = k
            :: else
            fi;
            k++
        :: else -> break
        od
    :: else
    fi;
    post(n, REJOIN);
    epochOf(n, e) = last + 1;
    resumedOf(n, e) = from;
    if
    :: from != NONE -> envelope(n, e).secret = vault[n].resume[from]
    :: else
    fi;
    envelope(n, e).names = vault[n].insteadOf;
    envelope(n, e).own = vault[n].own;
    envelope(n, e).peer = vault[n].peer;
    if
    :: vault[n].cause != 0 && isLimited(vault[n].cause) -> vault[n].hasAsked = true
    :: else
    fi;
    printf("node %d: asks by rejoin %d for epoch %d, resuming %d: %e\n", n, e, last + 1, from, vault[n].cause);
    vault[n].pending = e;
    vault[n].channel = 0;
    vault[n].sent = 0;
    vault[n].opened = 0;
    settle(n)
}

#define mayRejoin(n) (vault[n].state == LIVE)

/* A store went back, or a person asks: no limit holds. */
inline rejoin(n, why)
{
    if
#ifdef MUTANT_GOES_ON_IN_THE_OLD_EPOCH
    :: why == PERSON -> want(n, why); ask(n)
#else
    :: mayRejoin(n) -> want(n, why); ask(n)
#endif
    :: else
    fi
}

#define isDue(n) \
    (mayRejoin(n) && vault[n].cause != 0 && (!isLimited(vault[n].cause) || !vault[n].hasAsked))

inline askIfDue(n)
{
    if
    :: isDue(n) -> ask(n)
    :: else
    fi
}

/* Keeps the resume secret of an epoch that begins, and those of the three before. */
inline remember(n, epoch, what)
{
    k = epoch;
    do
    :: k < EPOCHS -> vault[n].resume[k] = 0; k++
    :: else -> break
    od;
    vault[n].resume[epoch] = what;
    k = 0;
    do
    :: k < EPOCHS && KEPT_RESUMES + k <= epoch -> vault[n].resume[k] = 0; k++
    :: else -> break
    od
}

/* Compares both sides' heads, and seals what the peer lacks: §5.10, 1 to 3. */
inline reconcile(n, theirOwn, theirPeer)
{
    resentFrom = 0;
    returnedFrom = 0;
    resentTo = vault[n].own;
    if
    :: vault[n].state == FROZEN_BY_OWN ->
        resentTo = vault[n].ownFork;
        resentFrom = record(n, resentTo).number
    :: else ->
        /* Their latest record that is held alike, of those 0, 1, 3, 7, … before their head. */
        common = 0;
        distance = 0;
        last = record(1 - (n), theirOwn).number;
        do
        :: distance < last ->
            find(1 - (n), theirOwn, last - distance);
            a = found;
            find(1 - (n), vault[n].peer, last - distance);
            if
            :: found == a -> common = last - distance; break
            :: else -> distance = 2 * distance + 1
            fi
        :: else -> break
        od;
        if
        :: common < record(1 - (n), vault[n].peer).number -> returnedFrom = common + 1
        :: else
        fi;
        find(n, vault[n].own, record(n, theirPeer).number);
        if
        :: found == theirPeer ->
            vault[n].awaited = 0;
            if
            :: record(n, theirPeer).number < record(n, vault[n].own).number ->
                resentFrom = record(n, theirPeer).number + 1
            :: else
            fi
        :: else -> vault[n].awaited = theirPeer
        fi
    fi;
    if
    :: resentFrom + returnedFrom > 0 ->
        seal(n, RETURNED);
        envelope(n, e).own = resentTo;
        envelope(n, e).firstOwn = resentFrom;
        envelope(n, e).peer = vault[n].peer;
        envelope(n, e).firstPeer = returnedFrom
    :: else
    fi
}

/* Takes records of both directions in an order in which each follows those that it has seen: §5.10. */
inline takeReturned(n, id)
{
    m = 1 - n;
    i = envelope(m, id).firstOwn;
    j = envelope(m, id).firstPeer;
    do
    :: i == 0 && j == 0 -> break
    :: else ->
        /* a = their next, r = ours */
        find(m, envelope(m, id).own, i);
        a = (i == 0 -> 0 : found);
        find(n, envelope(m, id).peer, j);
        r = (j == 0 -> 0 : found);
        takesOwn = (r != 0 && (a == 0 || record(m, record(n, r).seen).number < record(m, a).number));
        if
        :: takesOwn ->
            if
            :: r == envelope(m, id).peer -> j = 0
            :: else -> j++
            fi;
            takeOwn(n, r)
        :: else ->
            if
            :: a == envelope(m, id).own -> i = 0
            :: else -> i++
            fi;
            takePeers(n, a)
        fi
    od
}

/* A rejoin that is not answered leads to one of ours that replaces it. */
inline replace(n, id, bound)
{
    if
    :: vault[n].cause == 0 -> vault[n].cause = UNANSWERABLE
    :: else
    fi;
    printf("node %d: does not answer rejoin %d\n", n, id);
    vault[n].insteadOf = id;
    vault[n].resumeBound = bound
}

/* Judges a rejoin of the peer's, and answers it: §4.9, 1 to 4. isNew = whether it was answered */
inline answer(n, id)
{
    m = 1 - n;
    stands = (vault[n].pending == 0 || envelope(m, id).names == vault[n].pending
        || epochOf(m, id) > waitingEpoch(n) || (epochOf(m, id) == waitingEpoch(n) && n == 1));
    if
    :: id == vault[n].answered || !stands -> printf("node %d: leaves rejoin %d\n", n, id)
    :: else ->
        if
        :: epochOf(m, id) > vault[n].highestSeen -> vault[n].highestSeen = epochOf(m, id)
        :: else
        fi;
        from = resumedOf(m, id);
        secret = 0;
        if
        :: from != NONE -> secret = vault[n].resume[from]
        :: else
        fi;
        if
        :: epochOf(m, id) <= vault[n].epoch || (from != NONE && secret == 0) -> replace(n, id, from)
        :: else ->
            isNew = true;
            vault[n].epoch = epochOf(m, id);
            vault[n].answered = id;
            vault[n].pending = 0;
            settle(n);
            /* The root differs where the two remember another secret of that epoch. */
            if
            :: secret == envelope(m, id).secret -> remember(n, epochOf(m, id), secretOf(m, id))
            :: else -> remember(n, epochOf(m, id), otherSecret(m, id))
            fi;
            post(n, REJOINED);
            vault[n].channel = channelOf(n, e);
            vault[n].sent = 1;
            vault[n].opened = 0;
            envelope(n, e).channel = vault[n].channel;
            envelope(n, e).salt = SALT(n);
            envelope(n, e).secret = secret;
            envelope(n, e).names = id;
            envelope(n, e).own = vault[n].own;
            envelope(n, e).peer = vault[n].peer;
            printf("node %d: answers rejoin %d by %d, epoch %d\n", n, id, e, vault[n].epoch);
            reconcile(n, envelope(m, id).own, envelope(m, id).peer)
        fi
    fi
}

/* The answer to our rejoin: its epoch stands. */
inline begin(n, id)
{
    m = 1 - n;
    isNew = true;
    vault[n].epoch = waitingEpoch(n);
    remember(n, waitingEpoch(n), secretOf(n, vault[n].pending));
    vault[n].pending = 0;
    settle(n);
    vault[n].channel = envelope(m, id).channel;
    vault[n].sent = 0;
    vault[n].opened = 1;
    printf("node %d: its rejoin is answered by %d, epoch %d\n", n, id, vault[n].epoch);
    reconcile(n, envelope(m, id).own, envelope(m, id).peer);
    if
    :: resentFrom + returnedFrom == 0 -> seal(n, TURN)
    :: else
    fi
}

/* ==== Opening: Spec/04 §4.7, Keeper+Receiving ==== */

/* Opens what came by queue n. isNew = whether it had an effect */
inline open(n, id, isKnown)
{
    m = 1 - n;
    isNew = false;
    if
    :: envelope(m, id).kind == REJOIN ->
        if
        :: vault[n].state != FROZEN_BY_PEER -> answer(n, id)
        :: else
        fi
    :: else ->
        if
        :: vault[n].state != LIVE
        :: vault[n].state == LIVE && vault[n].pending != 0 ->
            if
            :: envelope(m, id).kind == REJOINED && envelope(m, id).names == vault[n].pending &&
                envelope(m, id).secret == envelope(n, vault[n].pending).secret -> begin(n, id)
            :: else
            fi
        :: else ->
            if
            :: envelope(m, id).channel == vault[n].channel && envelope(m, id).counter >= vault[n].opened ->
                /* Read in order, and nothing left out, unless a store went back. */
                assert(envelope(m, id).counter == vault[n].opened || relayWentBack[n] || vaultWentBack[0]
                    || vaultWentBack[1]);
                isNew = true;
                vault[n].unopened = 0;
                vault[n].opened = envelope(m, id).counter + 1;
                if
                :: envelope(m, id).kind == RECORD -> takePeers(n, envelope(m, id).own)
                :: envelope(m, id).kind == RETURNED -> takeReturned(n, id)
                :: else
                fi
            :: else ->
                if
                :: !isKnown ->
                    printf("node %d: cannot open %d\n", n, id);
                    vault[n].unopened++;
                    if
                    :: vault[n].unopened >= UNOPENED_LIMIT ->
                        vault[n].unopened = UNOPENED_LIMIT;
                        want(n, UNKNOWN_TAGS)
                    :: else
                    fi
                :: else
                fi
            fi
        fi
    fi
}

/* ==== Who acts ==== */

/* What a crash may part is otherwise done at once: what others do meanwhile would commute with it. */
#define isFree \
    (uncommitted[0] + uncommitted[1] + apart[0] + apart[1] == 0 && \
        lane[0] != REPLY_DUE && lane[1] != REPLY_DUE && (session[0] == READY || session[0] == DETACHED) && \
        (session[1] == READY || session[1] == DETACHED))

#define isQuiet(n) \
    (session[n] == READY && delivered[n] == relay[n].next && vault[n].count == 0 && !(lane[n] == UNPROBED \
        && vault[n].pending != 0) && lane[n] != REPLY_DUE)
#define nothingIsUnderWay (isQuiet(0) && isQuiet(1))

#ifdef MUTANT_SIGNS_WHILE_AWAITING
#define maySign(n) (n < SPEAKERS && vault[n].state == LIVE && vault[n].pending == 0)
#else
#define maySign(n) (n < SPEAKERS && vault[n].state == LIVE && vault[n].pending == 0 && vault[n].awaited == 0)
#endif

/* Signs a record and seals it: record, state and envelope in one commit (Keeper+Sending). */
inline say(n)
{
    signedCount[n]++;
    r = signedCount[n];
    assert(r < RECORDS);
    record(n, r).number = record(n, vault[n].own).number + 1;
    record(n, r).previous = vault[n].own;
    record(n, r).seen = vault[n].peer;
    vault[n].own = r;
    seal(n, RECORD);
    envelope(n, e).own = r
}

/* The relay of 1 - n stores an envelope. */
inline store(n, id)
{
    /* Nothing leaves under a used key (Spec/07 §7.2); where vault and queue both went back, nobody can tell (§4.4). */
    k = 1;
    do
    :: k <= sealedCount[n] ->
        assert(k == id || !envelope(n, k).hasLeft || envelope(n, k).channel == 0
            || envelope(n, k).channel != envelope(n, id).channel
            || envelope(n, k).counter != envelope(n, id).counter || (vaultWentBack[n] && relayWentBack[1 - n]));
        k++
    :: else -> break
    od;
    k = 0;
    envelope(n, id).hasLeft = true;
    assert(relay[1 - n].next - relay[1 - n].acknowledged < STORED);
    relay[1 - n].stored[relay[1 - n].next - relay[1 - n].acknowledged] = id;
    relay[1 - n].next++;
    relay[1 - n].digest = id;
    printf("relay %d: stores %e %d at position %d\n", 1 - n, envelope(n, id).kind, id, relay[1 - n].next)
}

#ifdef MUTANT_PUTS_BEFORE_COMMIT
/* As `say`, but the envelope leaves first. */
inline putThenCommit(n)
{
    signedCount[n]++;
    r = signedCount[n];
    record(n, r).number = record(n, vault[n].own).number + 1;
    record(n, r).previous = vault[n].own;
    record(n, r).seen = vault[n].peer;
    seal(n, RECORD);
    envelope(n, e).own = r;
    vault[n].sent--;
    vault[n].count--;
    vault[n].outbox[vault[n].count] = 0;
    store(n, e);
    uncommitted[n] = e
}

inline commitWhatLeft(n)
{
    vault[n].own = envelope(n, uncommitted[n]).own;
    vault[n].sent++;
    vault[n].confirmed++;
    vault[n].digest = uncommitted[n];
    uncommitted[n] = 0
}
#endif

/* The person at node n. */
proctype Person(byte n)
{
end:
    do
#ifdef MUTANT_PUTS_BEFORE_COMMIT
    :: d_step {
        said[n] < MESSAGES && isFree && maySign(n) && lane[n] == OPEN && vault[n].count == 0 ->
        said[n]++;
        putThenCommit(n)
    }
    :: d_step { uncommitted[n] != 0 -> commitWhatLeft(n) }
#else
    :: d_step { said[n] < MESSAGES && isFree && maySign(n) -> said[n]++; say(n) }
#endif
    :: d_step { asks < ASKS && isFree && mayRejoin(n) -> asks++; rejoin(n, PERSON) }
    :: d_step {
        isCalm && nothingIsUnderWay && lastSaid[n] < LAST_MESSAGES && maySign(n) -> lastSaid[n]++; say(n)
    }
    od
}

/* found = the queue digest at a number from `confirmed` to the end of the outbox */
inline digestAt(n, number)
{
    if
    :: number == vault[n].confirmed -> found = vault[n].digest
    :: else -> found = vault[n].outbox[number - vault[n].confirmed - 1]
    fi
}

/* The relay holds everything below `upTo`: the outbox forgets it. */
inline confirm(n, upTo)
{
    digestAt(n, upTo);
    vault[n].digest = found;
    do
    :: vault[n].confirmed < upTo ->
        k = 1;
        do
        :: k < vault[n].count -> vault[n].outbox[k - 1] = vault[n].outbox[k]; k++
        :: else -> break
        od;
        vault[n].count--;
        vault[n].outbox[vault[n].count] = 0;
        vault[n].confirmed++
    :: else -> break
    od;
    k = 0
}

/* Takes over what the relay holds, and asks, in one commit (Spec/07 §7.2, Keeper+Outbox). */
inline adopt(n, why)
{
    printf("node %d: adopts %d instead of %d to %d\n", n, relay[1 - n].next, vault[n].confirmed,
        vault[n].confirmed + vault[n].count);
    vault[n].confirmed = relay[1 - n].next;
    vault[n].digest = relay[1 - n].digest;
    do
    :: vault[n].count > 0 -> vault[n].count--; vault[n].outbox[vault[n].count] = 0
    :: else -> break
    od;
#ifdef MUTANT_ADOPTS_APART
    vault[n].cause = 0;
    apart[n] = why
#else
    rejoin(n, why)
#endif
}

#ifdef MUTANT_COMPARES_NUMBERS_ONLY
#define COMPARES_DIGESTS false
#else
#define COMPARES_DIGESTS true
#endif

/* On a new connection, before anything is put: compares number and digest (OutboxLane.probed). */
inline probe(n)
{
    b = relay[1 - n].next;
    if
    :: b > vault[n].confirmed + vault[n].count -> adopt(n, OWN_STORE_WENT_BACK)
    :: b < vault[n].confirmed -> adopt(n, QUEUE_WENT_BACK)
    :: else ->
        digestAt(n, b);
        if
        :: found != relay[1 - n].digest && COMPARES_DIGESTS -> adopt(n, QUEUE_DIFFERS)
        :: else -> confirm(n, b); lane[n] = OPEN
        fi
    fi
}

/* Brings the outbox of node n to the relay of its peer. */
proctype Courier(byte n)
{
end:
    do
    :: d_step {
        /* A lane that waits for an answer asks although it has nothing to put. A queue that is unknown is waited for. */
        lane[n] == UNPROBED && isFree && relay[1 - n].isOpen && (vault[n].count > 0 || vault[n].pending != 0) -> probe(n)
    }
#ifdef MUTANT_RELAY_ANSWERS_BEFORE_COMMIT
    :: d_step {
        lane[n] == OPEN && isFree && vault[n].count > 0 && staged[1 - n] == 0 ->
        staged[1 - n] = vault[n].outbox[0];
        printf("relay %d: answers %d\n", 1 - n, staged[1 - n]);
        b = vault[n].confirmed + 1;
        confirm(n, b)
    }
    :: d_step { staged[1 - n] != 0 -> store(n, staged[1 - n]); staged[1 - n] = 0 }
#else
    :: d_step {
        /* What the outbox holds is stored whole, in one commit of the relay, before it answers (Spec/07 §7.4). */
        lane[n] == OPEN && isFree && vault[n].count > 0 ->
        assert(relay[1 - n].isOpen && relay[1 - n].next == vault[n].confirmed);
        j = 0;
        do
        :: j < vault[n].count -> store(n, vault[n].outbox[j]); j++
        :: else -> break
        od;
        lane[n] = REPLY_DUE
    }
    :: d_step { lane[n] == REPLY_DUE -> confirm(n, relay[1 - n].next); lane[n] = OPEN }
#endif
#ifdef MUTANT_ADOPTS_APART
    :: d_step { apart[n] != 0 -> rejoin(n, apart[n]); apart[n] = 0 }
#endif
    od
}

/* The relay forgets what its owner has. */
inline acknowledge(n)
{
    do
    :: relay[n].acknowledged < delivered[n] ->
        k = 1;
        do
        :: k < relay[n].next - relay[n].acknowledged -> relay[n].stored[k - 1] = relay[n].stored[k]; k++
        :: else -> break
        od;
        relay[n].stored[k - 1] = 0;
        relay[n].acknowledged++
    :: else -> break
    od;
    k = 0
}

/* A relay at which nothing was acknowledged may be new, or have lost its store before. */
#ifdef MUTANT_REOPENS_ONLY_WHAT_WENT_BACK
#define reopens(n) false
#else
#define reopens(n) (relay[n].acknowledged == 0)
#endif

/* What the owner finds when it attaches (Spec/07 §7.3, ServiceSession.serve, Keeper+Rollback). */
inline attach(n)
{
    delivered[n] = relay[n].acknowledged;
    printf("node %d: attaches with cursor %d, acknowledged %d, last %d\n", n, vault[n].cursor, relay[n].acknowledged,
        relay[n].next);
    if
    :: relay[n].next < vault[n].cursor || reopens(n) -> relay[n].isOpen = true
    :: else
    fi;
    if
    :: relay[n].acknowledged > vault[n].cursor ->
        rejoin(n, OWN_STORE_WENT_BACK);
        session[n] = CURSOR_DUE
    :: relay[n].next < vault[n].cursor ->
        rejoin(n, QUEUE_WENT_BACK);
        session[n] = CURSOR_DUE
    :: else -> session[n] = READY
    fi
}

#ifdef MUTANT_LEAVES_KNOWN_POSITIONS_UNREAD
#define OPENS_WHAT_IS_KNOWN false
#else
#define OPENS_WHAT_IS_KNOWN true
#endif

/* Receives for node n at its own relay. */
proctype Session(byte n)
{
end:
    do
    :: d_step { session[n] == DETACHED && isFree -> attach(n) }
    :: d_step {
        session[n] == CURSOR_DUE ->
        vault[n].cursor = delivered[n];
        if
        :: delivered[n] > relay[n].acknowledged -> session[n] = ACK_DUE
        :: else -> session[n] = READY
        fi
    }
#ifdef MUTANT_ACKNOWLEDGES_BEFORE_COMMIT
    :: d_step {
        session[n] == READY && isFree && delivered[n] < relay[n].next ->
        delivered[n]++;
        uncommitted[n] = relay[n].stored[0];
        acknowledge(n)
    }
    :: d_step {
        uncommitted[n] != 0 ->
        open(n, uncommitted[n], (delivered[n] <= vault[n].cursor));
        askIfDue(n);
        vault[n].cursor = delivered[n];
        uncommitted[n] = 0
    }
#else
    :: d_step {
        /* States, records and cursor in one commit (Spec/08 §8.1, Keeper+Receiving). */
        session[n] == READY && isFree && delivered[n] < relay[n].next ->
        delivered[n]++;
        printf("node %d: receives %d at position %d, cursor %d\n", n, relay[n].stored[0], delivered[n], vault[n].cursor);
        isNew = false;
        if
        :: delivered[n] <= vault[n].cursor && !OPENS_WHAT_IS_KNOWN
        :: else -> open(n, relay[n].stored[0], (delivered[n] <= vault[n].cursor)); askIfDue(n)
        fi;
        if
        :: delivered[n] <= vault[n].cursor && isNew -> session[n] = REJOIN_DUE
        :: else ->
            if
            :: delivered[n] > vault[n].cursor -> vault[n].cursor = delivered[n]
            :: else
            fi;
            session[n] = ACK_DUE
        fi
    }
#endif
    :: d_step {
        /* A position that was committed before came with something new: the relay was taken back. */
        session[n] == REJOIN_DUE ->
        rejoin(n, QUEUE_WENT_BACK);
        session[n] = CURSOR_DUE
    }
    :: d_step {
        session[n] == ACK_DUE ->
        /* Nothing is acknowledged that is not in the vault. */
        assert(delivered[n] <= vault[n].cursor);
        printf("node %d: acknowledges %d\n", n, delivered[n]);
        acknowledge(n);
        session[n] = READY
    }
    od
}

/* What time alone brings, once nothing is under way: first an hour, then a day (RejoinPolicy.isDue). */
#define waitsForAnHour(n) (mayRejoin(n) && vault[n].cause != 0)
#define waitsForADay(n) (mayRejoin(n) && (vault[n].pending != 0 || vault[n].awaited != 0))

proctype Clock(byte n)
{
end:
    do
    :: d_step { nothingIsUnderWay && waitsForAnHour(n) -> vault[n].hasAsked = false; ask(n) }
    :: d_step {
        nothingIsUnderWay && isCalm && !waitsForAnHour(0) && !waitsForAnHour(1) && waitsForADay(n) && days < DAYS ->
        days++;
        ask(n)
    }
    od
}

/* ==== What goes wrong ==== */

/* Volatile state is gone, and is made anew from the vault. */
inline start(n)
{
    lane[n] = UNPROBED;
    session[n] = DETACHED;
    delivered[n] = 0;
    loads[n]++;
    uncommitted[n] = 0;
    apart[n] = 0;
    printf("node %d: starts\n", n)
}

/* A relay starts anew, or loses its connections. */
inline disconnect(n)
{
    lane[1 - n] = UNPROBED;
    session[n] = DETACHED;
    delivered[n] = 0;
    staged[n] = 0;
    printf("relay %d: starts\n", n)
}

inline copyVault(to, source)
{
    to.state = source.state; to.own = source.own; to.peer = source.peer; to.awaited = source.awaited;
    to.ownFork = source.ownFork; to.channel = source.channel; to.sent = source.sent; to.opened = source.opened;
    to.pending = source.pending; to.epoch = source.epoch; to.cause = source.cause; to.insteadOf = source.insteadOf;
    to.resumeBound = source.resumeBound; to.highestSeen = source.highestSeen; to.answered = source.answered;
    to.unopened = source.unopened; to.hasAsked = source.hasAsked; to.cursor = source.cursor;
    to.confirmed = source.confirmed; to.digest = source.digest; to.count = source.count;
    k = 0;
    do
    :: k < EPOCHS -> to.resume[k] = source.resume[k]; k++
    :: else -> break
    od;
    k = 0;
    do
    :: k < OUTBOX -> to.outbox[k] = source.outbox[k]; k++
    :: else -> break
    od;
    k = 0
}

inline copyRelay(to, source)
{
    to.isOpen = source.isOpen; to.next = source.next; to.acknowledged = source.acknowledged; to.digest = source.digest;
    k = 0;
    do
    :: k < STORED -> to.stored[k] = source.stored[k]; k++
    :: else -> break
    od;
    k = 0
}

inline takeVaultBack(n)
{
    copyVault(vault[n], vaultCopy[n]);
    copyVault(vaultCopy[n], emptyVault);
    hasVaultCopy[n] = false;
    vaultWentBack[n] = true;
    vaultsBack++;
    printf("node %d: its vault goes back\n", n);
    start(n)
}

inline takeRelayBack(n)
{
    copyRelay(relay[n], relayCopy[n]);
    copyRelay(relayCopy[n], emptyRelay);
    hasRelayCopy[n] = false;
    relayWentBack[n] = true;
    relaysBack++;
    printf("relay %d: its store goes back\n", n);
    disconnect(n)
}

inline lose(n)
{
    copyRelay(relay[n], emptyRelay);
    relayWentBack[n] = true;
    relaysLost++;
    printf("relay %d: its store is lost\n", n);
    disconnect(n)
}

#define keepsVault(n) \
    (vaultsBack + hasVaultCopy[0] + hasVaultCopy[1] < VAULTS_BACK && !hasVaultCopy[n] && !vaultWentBack[n])
#define keepsRelay(n) \
    (relaysBack + hasRelayCopy[0] + hasRelayCopy[1] < RELAYS_BACK && !hasRelayCopy[n] && !relayWentBack[n])

proctype Faults()
{
    do
    :: d_step { crashes < CRASHES -> crashes++; start(0) }
    :: d_step { crashes < CRASHES -> crashes++; start(1) }
    :: d_step { crashes < CRASHES -> crashes++; disconnect(0) }
    :: d_step { crashes < CRASHES -> crashes++; disconnect(1) }
    :: d_step { keepsVault(0) -> hasVaultCopy[0] = true; copyVault(vaultCopy[0], vault[0]) }
    :: d_step { keepsVault(1) -> hasVaultCopy[1] = true; copyVault(vaultCopy[1], vault[1]) }
    :: d_step { hasVaultCopy[0] -> takeVaultBack(0) }
    :: d_step { hasVaultCopy[1] -> takeVaultBack(1) }
    :: d_step { keepsRelay(0) -> hasRelayCopy[0] = true; copyRelay(relayCopy[0], relay[0]) }
    :: d_step { keepsRelay(1) -> hasRelayCopy[1] = true; copyRelay(relayCopy[1], relay[1]) }
    :: d_step { hasRelayCopy[0] -> takeRelayBack(0) }
    :: d_step { hasRelayCopy[1] -> takeRelayBack(1) }
    :: d_step { relaysLost < RELAYS_LOST -> lose(0) }
    :: d_step { relaysLost < RELAYS_LOST -> lose(1) }
    :: atomic {
        !hasVaultCopy[0] && !hasVaultCopy[1] && !hasRelayCopy[0] && !hasRelayCopy[1] -> isCalm = true; break
    }
    od
}

/* ==== What must hold in the end ==== */

/* Who went back together with the queue that would have told it said something else under the same number, and its
 * peer froze over that. Where both went back, each may have accepted what the other contradicts: both freeze. §5.10 */
#define isFrozen(n) (vault[n].state != LIVE)
#define mayBeFrozen(n) \
    (vault[n].state == FROZEN_BY_OWN -> vaultWentBack[0] && vaultWentBack[1] && isFrozen(1 - n) : \
        vault[n].state == LIVE || vault[1 - n].state == FROZEN_BY_OWN || (vaultWentBack[1 - n] && relayWentBack[n]))
#define isAtRest(n) \
    (vault[n].pending == 0 && vault[n].cause == 0 && vault[n].awaited == 0 && vault[n].count == 0 \
        && vault[n].own == vault[1 - n].peer && vault[n].channel == vault[1 - n].channel)

/* What node n signed is read, or was void and told, or is forgotten with a vault that went back. */
inline checkRecords(n)
{
    r = 1;
    do
    :: r <= signedCount[n] ->
        find(n, vault[n].own, record(n, r).number);
        if
        :: found == r
        :: else ->
            assert(vaultWentBack[n] && (!record(n, r).isAccepted || vaultWentBack[1 - n]))
        fi;
        r++
    :: else -> break
    od;
    r = 0
}

/* Nothing can happen any more. */
proctype Judge()
{
    timeout ->
    d_step {
        if
        :: isFrozen(0) || isFrozen(1) -> assert(mayBeFrozen(0) && mayBeFrozen(1))
        :: else ->
            assert(isAtRest(0) && isAtRest(1));
            checkRecords(0);
            checkRecords(1)
        fi
    }
}

/* Epoch 0 stands; hello and welcome were the first in the queues. */
inline prepare(n)
{
    vault[n].state = LIVE;
    vault[n].channel = 1;
    vault[n].resume[0] = 1;
    vault[n].resumeBound = EPOCHS;
    vault[n].cursor = 1;
    vault[n].confirmed = 1;
    relay[n].isOpen = true;
    relay[n].next = 1;
    relay[n].acknowledged = 1;
    lane[n] = OPEN;
    session[n] = READY;
    delivered[n] = 1
}

init {
    atomic {
        prepare(0);
        prepare(1);
        run Person(0); run Person(1);
        run Courier(0); run Courier(1);
        run Session(0); run Session(1);
        run Clock(0); run Clock(1);
        run Faults();
        run Judge()
    }
}
