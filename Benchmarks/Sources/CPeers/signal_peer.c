// libsignal-protocol-c on OpenSSL, with stores that keep records in memory. It leaves the cipher to its user, so there are
// two: the plain way through HMAC and EVP with a context a call, and the tuned one with the fastest that OpenSSL has.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "CPeers.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <signal/key_helper.h>
#include <signal/protocol.h>
#include <signal/session_builder.h>
#include <signal/session_cipher.h>
#include <signal/session_pre_key.h>
#include <signal/signal_protocol.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

// The crypto provider.

static int fill_random(uint8_t *bytes, size_t count, void *unused) {
    (void)unused;
    randombytes_buf(bytes, count);
    return 0;
}

typedef struct {
    SHA256_CTX inner, outer;
} hmac_state;

static int hmac_init(void **context, const uint8_t *key, size_t count, void *unused) {
    (void)unused;
    uint8_t block[64] = {0}, pad[64];
    hmac_state *state = malloc(sizeof *state);
    if (!state) return SG_ERR_NOMEM;
    if (count > sizeof block) SHA256(key, count, block);
    else if (count) memcpy(block, key, count);
    for (size_t i = 0; i < sizeof pad; i++) pad[i] = block[i] ^ 0x36;
    SHA256_Init(&state->inner);
    SHA256_Update(&state->inner, pad, sizeof pad);
    for (size_t i = 0; i < sizeof pad; i++) pad[i] = block[i] ^ 0x5c;
    SHA256_Init(&state->outer);
    SHA256_Update(&state->outer, pad, sizeof pad);
    *context = state;
    return 0;
}

static int hmac_update(void *context, const uint8_t *bytes, size_t count, void *unused) {
    (void)unused;
    SHA256_Update(&((hmac_state *)context)->inner, bytes, count);
    return 0;
}

static int hmac_final(void *context, signal_buffer **output, void *unused) {
    (void)unused;
    hmac_state *state = context;
    uint8_t digest[32];
    SHA256_Final(digest, &state->inner);
    SHA256_Update(&state->outer, digest, sizeof digest);
    SHA256_Final(digest, &state->outer);
    *output = signal_buffer_create(digest, sizeof digest);
    return *output ? 0 : SG_ERR_NOMEM;
}

static int plain_hmac_init(void **context, const uint8_t *key, size_t count, void *unused) {
    (void)unused;
    *context = HMAC_CTX_new();
    return *context && HMAC_Init_ex(*context, key, (int)count, EVP_sha256(), NULL) ? 0 : SG_ERR_NOMEM;
}

static int plain_hmac_update(void *context, const uint8_t *bytes, size_t count, void *unused) {
    (void)unused;
    return HMAC_Update(context, bytes, count) ? 0 : SG_ERR_UNKNOWN;
}

static int plain_hmac_final(void *context, signal_buffer **output, void *unused) {
    (void)unused;
    uint8_t digest[32];
    if (!HMAC_Final(context, digest, NULL)) return SG_ERR_UNKNOWN;
    *output = signal_buffer_create(digest, sizeof digest);
    return *output ? 0 : SG_ERR_NOMEM;
}

static void plain_hmac_release(void *context, void *unused) {
    (void)unused;
    HMAC_CTX_free(context);
}

static void release(void *context, void *unused) {
    (void)unused;
    free(context);
}

static int sha512_init(void **context, void *unused) {
    (void)unused;
    *context = malloc(sizeof(SHA512_CTX));
    return *context && SHA512_Init(*context) ? 0 : SG_ERR_NOMEM;
}

static int sha512_update(void *context, const uint8_t *bytes, size_t count, void *unused) {
    (void)unused;
    return SHA512_Update(context, bytes, count) ? 0 : SG_ERR_UNKNOWN;
}

static int sha512_final(void *context, signal_buffer **output, void *unused) {
    (void)unused;
    uint8_t digest[64];
    SHA512_Final(digest, context);
    SHA512_Init(context);
    *output = signal_buffer_create(digest, sizeof digest);
    return *output ? 0 : SG_ERR_NOMEM;
}

/// What the tuned provider makes once; OpenSSL 3 looks an algorithm up by its name otherwise, message by message.
typedef struct {
    EVP_CIPHER *cbc;
    EVP_CIPHER_CTX *context;
} tuned_aes;

static int run_aes(
    signal_buffer **output, int cipher, const uint8_t *key, const uint8_t *iv, const uint8_t *input, size_t count,
    int encrypts, const tuned_aes *tuned) {
    if (cipher != SG_CIPHER_AES_CBC_PKCS5 || count > INT32_MAX - 16) return SG_ERR_INVAL;
    uint8_t *bytes = malloc(count + 16);
    int first = 0, last = 0;
    EVP_CIPHER_CTX *aes = tuned ? tuned->context : EVP_CIPHER_CTX_new();
    if (!bytes || !aes) return SG_ERR_NOMEM;
    int worked = EVP_CipherInit_ex2(aes, tuned ? tuned->cbc : EVP_aes_256_cbc(), key, iv, encrypts, NULL)
        && EVP_CipherUpdate(aes, bytes, &first, input, (int)count) && EVP_CipherFinal_ex(aes, bytes + first, &last);
    *output = worked ? signal_buffer_create(bytes, (size_t)(first + last)) : NULL;
    free(bytes);
    if (!tuned) EVP_CIPHER_CTX_free(aes);
    return *output ? 0 : SG_ERR_UNKNOWN;
}

static int encrypt(
    signal_buffer **output, int cipher, const uint8_t *key, size_t key_count, const uint8_t *iv, size_t iv_count,
    const uint8_t *plaintext, size_t count, void *tuned) {
    if (key_count != 32 || iv_count != 16) return SG_ERR_INVAL;
    return run_aes(output, cipher, key, iv, plaintext, count, 1, tuned);
}

static int decrypt(
    signal_buffer **output, int cipher, const uint8_t *key, size_t key_count, const uint8_t *iv, size_t iv_count,
    const uint8_t *ciphertext, size_t count, void *tuned) {
    if (key_count != 32 || iv_count != 16) return SG_ERR_INVAL;
    return run_aes(output, cipher, key, iv, ciphertext, count, 0, tuned);
}

// One end: its keys, and one record of each kind.

typedef struct {
    signal_buffer *session, *pre_key, *signed_pre_key, *public_key, *private_key;
    uint32_t registration;
    signal_protocol_address address;
    signal_protocol_store_context *store;
    session_cipher *cipher;
} end_state;

struct peer_session {
    signal_context *context;
    end_state ends[2];
};

static int copy_out(signal_buffer **out, const signal_buffer *kept) {
    *out = signal_buffer_copy(kept);
    return *out ? 0 : SG_ERR_NOMEM;
}

static int keep(signal_buffer **kept, const uint8_t *bytes, size_t count) {
    signal_buffer_free(*kept);
    *kept = signal_buffer_create(bytes, count);
    return *kept ? 0 : SG_ERR_NOMEM;
}

static int load_session(signal_buffer **record, signal_buffer **user, const signal_protocol_address *from, void *end) {
    (void)user, (void)from;
    end_state *state = end;
    if (!state->session) return 0;
    return copy_out(record, state->session) ? SG_ERR_NOMEM : 1;
}

static int store_session(
    const signal_protocol_address *from, uint8_t *record, size_t count, uint8_t *user, size_t user_count, void *end) {
    (void)from, (void)user, (void)user_count;
    return keep(&((end_state *)end)->session, record, count);
}

static int contains_session(const signal_protocol_address *from, void *end) {
    (void)from;
    return ((end_state *)end)->session != NULL;
}

static int load_pre_key(signal_buffer **record, uint32_t id, void *end) {
    (void)id;
    return ((end_state *)end)->pre_key ? copy_out(record, ((end_state *)end)->pre_key) : SG_ERR_INVALID_KEY_ID;
}

static int contains_key(uint32_t id, void *end) {
    (void)id, (void)end;
    return 1;
}

static int remove_key(uint32_t id, void *end) {
    (void)id, (void)end;
    return 0;
}

static int load_signed_pre_key(signal_buffer **record, uint32_t id, void *end) {
    (void)id;
    return copy_out(record, ((end_state *)end)->signed_pre_key);
}

static int identity_keys(signal_buffer **public_key, signal_buffer **private_key, void *end) {
    end_state *state = end;
    return copy_out(public_key, state->public_key) || copy_out(private_key, state->private_key) ? SG_ERR_NOMEM : 0;
}

static int registration_id(void *end, uint32_t *id) {
    *id = ((end_state *)end)->registration;
    return 0;
}

static int save_identity(const signal_protocol_address *from, uint8_t *key, size_t count, void *end) {
    (void)from, (void)key, (void)count, (void)end;
    return 0;
}

static int trust(const signal_protocol_address *from, uint8_t *key, size_t count, void *end) {
    (void)from, (void)key, (void)count, (void)end;
    return 1;
}

/// Gives an end its identity, its stores and its cipher.
static int prepare(end_state *end, int number, signal_context *context, ratchet_identity_key_pair **identity) {
    end->registration = (uint32_t)number + 1;
    end->address = (signal_protocol_address){.name = "peer", .name_len = 4, .device_id = 1};
    if (signal_protocol_key_helper_generate_identity_key_pair(identity, context)
        || ec_public_key_serialize(&end->public_key, ratchet_identity_key_pair_get_public(*identity))
        || ec_private_key_serialize(&end->private_key, ratchet_identity_key_pair_get_private(*identity))
        || signal_protocol_store_context_create(&end->store, context))
        return -1;
    signal_protocol_session_store sessions = {
        .load_session_func = load_session, .store_session_func = store_session,
        .contains_session_func = contains_session, .user_data = end};
    signal_protocol_pre_key_store pre_keys = {
        .load_pre_key = load_pre_key, .contains_pre_key = contains_key, .remove_pre_key = remove_key,
        .user_data = end};
    signal_protocol_signed_pre_key_store signed_pre_keys = {
        .load_signed_pre_key = load_signed_pre_key, .contains_signed_pre_key = contains_key,
        .remove_signed_pre_key = remove_key, .user_data = end};
    signal_protocol_identity_key_store identities = {
        .get_identity_key_pair = identity_keys, .get_local_registration_id = registration_id,
        .save_identity = save_identity, .is_trusted_identity = trust, .user_data = end};
    return signal_protocol_store_context_set_session_store(end->store, &sessions)
        || signal_protocol_store_context_set_pre_key_store(end->store, &pre_keys)
        || signal_protocol_store_context_set_signed_pre_key_store(end->store, &signed_pre_keys)
        || signal_protocol_store_context_set_identity_key_store(end->store, &identities)
        || session_cipher_create(&end->cipher, end->store, &end->address, context);
}

/// Publishes pre-keys of one end and begins the session at the other.
static int begin(peer_session *pair, ratchet_identity_key_pair *identity) {
    end_state *inviter = &pair->ends[1], *invitee = &pair->ends[0];
    signal_protocol_key_helper_pre_key_list_node *list = NULL;
    session_signed_pre_key *signed_key = NULL;
    session_pre_key_bundle *bundle = NULL;
    session_builder *builder = NULL;
    if (signal_protocol_key_helper_generate_pre_keys(&list, 1, 1, pair->context)
        || signal_protocol_key_helper_generate_signed_pre_key(&signed_key, identity, 1, 0, pair->context))
        return -1;
    session_pre_key *key = signal_protocol_key_helper_key_list_element(list);
    if (session_pre_key_serialize(&inviter->pre_key, key)
        || session_signed_pre_key_serialize(&inviter->signed_pre_key, signed_key)
        || session_pre_key_bundle_create(
            &bundle, inviter->registration, 1, 1, ec_key_pair_get_public(session_pre_key_get_key_pair(key)), 1,
            ec_key_pair_get_public(session_signed_pre_key_get_key_pair(signed_key)),
            session_signed_pre_key_get_signature(signed_key), session_signed_pre_key_get_signature_len(signed_key),
            ratchet_identity_key_pair_get_public(identity))
        || session_builder_create(&builder, invitee->store, &invitee->address, pair->context))
        return -1;
    int failed = session_builder_process_pre_key_bundle(builder, bundle);
    session_builder_free(builder);
    SIGNAL_UNREF(bundle);
    SIGNAL_UNREF(signed_key);
    signal_protocol_key_helper_key_list_free(list);
    return failed;
}

/// The first message, which makes the session at the other end, and an answer to it.
static int greet(peer_session *pair) {
    ciphertext_message *first = NULL;
    pre_key_signal_message *received = NULL;
    signal_buffer *plaintext = NULL;
    uint8_t message[1024], opened[1024];
    if (session_cipher_encrypt(pair->ends[0].cipher, (const uint8_t *)"hello", 5, &first)) return -1;
    signal_buffer *bytes = ciphertext_message_get_serialized(first);
    if (pre_key_signal_message_deserialize(
            &received, signal_buffer_data(bytes), signal_buffer_len(bytes), pair->context)
        || session_cipher_decrypt_pre_key_signal_message(pair->ends[1].cipher, received, NULL, &plaintext))
        return -1;
    SIGNAL_UNREF(first);
    SIGNAL_UNREF(received);
    signal_buffer_free(plaintext);
    ptrdiff_t count = signal_peer_seal(pair, 1, (const uint8_t *)"hello", 5, message, sizeof message);
    return count < 0 || signal_peer_open(pair, 0, message, (size_t)count, opened, sizeof opened) != 5;
}

static peer_session *create(tuned_aes *tuned) {
    signal_crypto_provider provider = {
        .random_func = fill_random,
        .hmac_sha256_init_func = tuned ? hmac_init : plain_hmac_init,
        .hmac_sha256_update_func = tuned ? hmac_update : plain_hmac_update,
        .hmac_sha256_final_func = tuned ? hmac_final : plain_hmac_final,
        .hmac_sha256_cleanup_func = tuned ? release : plain_hmac_release,
        .sha512_digest_init_func = sha512_init, .sha512_digest_update_func = sha512_update,
        .sha512_digest_final_func = sha512_final, .sha512_digest_cleanup_func = release,
        .encrypt_func = encrypt, .decrypt_func = decrypt, .user_data = tuned};
    ratchet_identity_key_pair *identities[2] = {NULL, NULL};
    peer_session *pair = calloc(1, sizeof *pair);
    if (!pair || signal_context_create(&pair->context, NULL)
        || signal_context_set_crypto_provider(pair->context, &provider))
        return NULL;
    for (int end = 0; end < 2; end++)
        if (prepare(&pair->ends[end], end, pair->context, &identities[end])) return NULL;
    if (begin(pair, identities[1]) || greet(pair)) return NULL;
    for (int end = 0; end < 2; end++) SIGNAL_UNREF(identities[end]);
    return pair;
}

peer_session *signal_peer_create(void) { return create(NULL); }

peer_session *signal_peer_create_tuned(void) {
    static tuned_aes tuned;
    if (!tuned.cbc) tuned.cbc = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (!tuned.context) tuned.context = EVP_CIPHER_CTX_new();
    return tuned.cbc && tuned.context ? create(&tuned) : NULL;
}

ptrdiff_t signal_peer_seal(
    peer_session *pair, int from, const uint8_t *plaintext, size_t count, uint8_t *message, size_t capacity) {
    ciphertext_message *sealed = NULL;
    if (session_cipher_encrypt(pair->ends[from].cipher, plaintext, count, &sealed)) return -1;
    signal_buffer *bytes = ciphertext_message_get_serialized(sealed);
    size_t length = signal_buffer_len(bytes);
    if (length <= capacity) memcpy(message, signal_buffer_data(bytes), length);
    SIGNAL_UNREF(sealed);
    return length <= capacity ? (ptrdiff_t)length : -1;
}

ptrdiff_t signal_peer_open(
    peer_session *pair, int at, uint8_t *message, size_t count, uint8_t *plaintext, size_t capacity) {
    signal_message *received = NULL;
    signal_buffer *opened = NULL;
    if (signal_message_deserialize(&received, message, count, pair->context)) return -1;
    int failed = session_cipher_decrypt_signal_message(pair->ends[at].cipher, received, NULL, &opened);
    SIGNAL_UNREF(received);
    if (failed) return -1;
    size_t length = signal_buffer_len(opened);
    if (length <= capacity) memcpy(plaintext, signal_buffer_data(opened), length);
    signal_buffer_free(opened);
    return length <= capacity ? (ptrdiff_t)length : -1;
}
