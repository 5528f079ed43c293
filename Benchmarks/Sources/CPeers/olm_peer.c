#include "CPeers.h"

#include <olm/olm.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct peer_session {
    OlmSession *ends[2];
};

enum { key_count = 43 };

/// Finds the value of the first `"curve25519":"…"` at or after `name` in libolm's JSON.
static const char *curve_key(const char *json, const char *name) {
    const char *found = strstr(json, name);
    return found ? found + strlen(name) : NULL;
}

static OlmAccount *create_account(void) {
    uint8_t random[4096];
    OlmAccount *account = olm_account(malloc(olm_account_size()));
    size_t count = olm_create_account_random_length(account);
    randombytes_buf(random, sizeof random);
    if (count > sizeof random || olm_create_account(account, random, count) == olm_error()) return NULL;
    return account;
}

/// Sends one message that makes the session at the other end, or an answer.
static int greet(peer_session *pair, int from, OlmAccount *receiver) {
    uint8_t message[1024], copy[1024], plaintext[1024];
    size_t type = olm_encrypt_message_type(pair->ends[from]);
    ptrdiff_t count = olm_peer_seal(pair, from, (const uint8_t *)"hello", 5, message, sizeof message);
    if (count < 0) return -1;
    memcpy(copy, message, (size_t)count);
    OlmSession *other = pair->ends[1 - from];
    if (receiver && olm_create_inbound_session(other, receiver, copy, (size_t)count) == olm_error()) return -1;
    return olm_decrypt(other, type, message, (size_t)count, plaintext, sizeof plaintext) == olm_error() ? -1 : 0;
}

peer_session *olm_peer_create(void) {
    uint8_t random[4096];
    char identity[1024] = {0}, once[1024] = {0};
    OlmAccount *alice = create_account(), *bob = create_account();
    peer_session *pair = calloc(1, sizeof *pair);
    if (!alice || !bob || !pair) return NULL;
    for (int end = 0; end < 2; end++) pair->ends[end] = olm_session(malloc(olm_session_size()));

    randombytes_buf(random, sizeof random);
    size_t count = olm_account_generate_one_time_keys_random_length(bob, 1);
    if (count > sizeof random || olm_account_generate_one_time_keys(bob, 1, random, count) == olm_error()) return NULL;
    if (olm_account_identity_keys(bob, identity, sizeof identity - 1) == olm_error()) return NULL;
    if (olm_account_one_time_keys(bob, once, sizeof once - 1) == olm_error()) return NULL;
    const char *identity_key = curve_key(identity, "\"curve25519\":\""), *once_key = curve_key(once, "{\"AAAAAQ\":\"");
    if (!identity_key || !once_key) return NULL;

    randombytes_buf(random, sizeof random);
    count = olm_create_outbound_session_random_length(pair->ends[0]);
    if (count > sizeof random) return NULL;
    if (olm_create_outbound_session(
            pair->ends[0], alice, identity_key, key_count, once_key, key_count, random, count) == olm_error())
        return NULL;
    if (greet(pair, 0, bob) || greet(pair, 1, NULL)) return NULL;
    olm_clear_account(alice);
    olm_clear_account(bob);
    free(alice);
    free(bob);
    return pair;
}

ptrdiff_t olm_peer_seal(
    peer_session *pair, int from, const uint8_t *plaintext, size_t count, uint8_t *message, size_t capacity) {
    uint8_t random[64];
    OlmSession *session = pair->ends[from];
    size_t needed = olm_encrypt_random_length(session), length = olm_encrypt_message_length(session, count);
    if (needed > sizeof random || length > capacity) return -1;
    if (needed) randombytes_buf(random, needed);
    size_t written = olm_encrypt(session, plaintext, count, random, needed, message, length);
    return written == olm_error() ? -1 : (ptrdiff_t)written;
}

ptrdiff_t olm_peer_open(
    peer_session *pair, int at, uint8_t *message, size_t count, uint8_t *plaintext, size_t capacity) {
    size_t written =
        olm_decrypt(pair->ends[at], OLM_MESSAGE_TYPE_MESSAGE, message, count, plaintext, capacity);
    return written == olm_error() ? -1 : (ptrdiff_t)written;
}
