/* What the files of the library share. Names begin with du_; none of them is for callers. */
#ifndef DURE_INTERNAL_H
#define DURE_INTERNAL_H

#include <string.h>

#include "bearssl_hash.h"
#include "dure.h"

/* Every function that can fail returns a code, and its caller leaves at the first that is not DURE_OK. */
#define TRY(call)                       \
	do {                                \
		dure_code try_code = (call);    \
		if (try_code != DURE_OK)        \
			return try_code;            \
	} while (0)

/* ---- bytes.c: a reader of fixed fields, and bytes of protobuf messages ---- */

/* A run of bytes that somebody else owns. */
typedef struct {
	const uint8_t *at;
	size_t size;
} du_bytes;

/* Takes fields off the front. The first failure sticks; later reads give zeros, or NULL for bytes. */
typedef struct {
	const uint8_t *at;
	size_t left;
	bool failed;
} du_reader;

const uint8_t *du_take(du_reader *r, size_t n);
uint64_t du_number(du_reader *r, unsigned size); /* big-endian, of size 1 to 8 */
uint64_t du_u63(du_reader *r);                   /* 8 bytes, below 2^63 */
uint64_t du_read64(const uint8_t *p);
void du_write64(uint8_t *p, uint64_t v);

/* Appends to memory that is known to be large enough. */
typedef struct {
	uint8_t *at;
	size_t size;
} du_writer;

void du_put(du_writer *w, const void *bytes, size_t n);
void du_put8(du_writer *w, uint8_t v);
void du_put_varint(du_writer *w, uint64_t v);
void du_put_field(du_writer *w, uint8_t tag, uint64_t v);             /* left out when v is 0 */
void du_put_bytes(du_writer *w, uint8_t tag, const void *b, size_t n); /* tag, length, bytes */
void du_put_time(du_writer *w, uint64_t nanoseconds);                  /* google.protobuf.Timestamp */

/* The length of a network id or other name, 0 if it is NULL, empty or longer than most. */
size_t du_length(const char *s, size_t most);

/* ---- hash.c ---- */

void du_sha256(uint8_t out[32], const du_bytes *parts, size_t count);
void du_leaf(uint8_t out[32], const void *data, size_t size);                              /* RFC 6962 */
void du_children(uint8_t out[32], const uint8_t left[32], const uint8_t right[32]);        /* RFC 6962 */

/* The RFC 6962 root of leaves that come one after the other, up to 2^16 of them. */
typedef struct {
	uint8_t node[17][32];
	uint32_t leaves;
} du_tree;

void du_tree_add(du_tree *t, const void *data, size_t size); /* t->leaves begins at 0 */
void du_tree_root(du_tree *t, uint8_t out[32]);               /* of at least one leaf; ends the tree */

/* ---- ed25519.c ---- */

/* Which signatures hold: what CometBFT takes, or what RFC 8032 has with its equation without cofactor. */
typedef enum { DU_ZIP215, DU_RFC8032 } du_rule;

/* The message is the parts, one after the other. */
bool du_ed25519_verify(du_rule rule, const uint8_t key[32], const uint8_t signature[64], const du_bytes *parts, size_t count);
/* The same of a message that lies nowhere in one piece: h is SHA-512(signature[:32] || key || message), and is written over. */
bool du_ed25519_holds(du_rule rule, const uint8_t key[32], const uint8_t signature[64], uint8_t h[64]);
void du_ed25519_public(uint8_t key[32], const uint8_t seed[32]);
void du_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const uint8_t key[32], const du_bytes *parts, size_t count);
void du_wipe(void *p, size_t n);

/* ---- p256.c ---- */

bool du_p256_verify(const uint8_t key[64], const uint8_t digest[32], const uint8_t signature[64]);
bool du_p256_public(uint8_t key[64], const uint8_t scalar[32]); /* false if the scalar is 0 or not below the order */
bool du_p256_sign(uint8_t signature[64], const uint8_t scalar[32], const uint8_t digest[32]); /* any s */
bool du_p256_low(uint8_t signature[64]); /* makes s the smaller one; false if s is 0 or not below the order */

/* ---- evidence.c ---- */

/* What following evidence from an anchor found. */
typedef struct {
	dure_grounds grounds;
	const uint8_t *set;   /* that signed the last header */
	uint8_t set_hash[32]; /* its hash */
} du_trail;

/* Checks the layout of evidence and takes it off. Gives height and time of its last header. */
void du_evidence_read(du_reader *r, uint64_t *height, uint64_t *time);

/* Verifies evidence that du_evidence_read took; what follows it does not matter. app_hash is the last header's. */
dure_code du_evidence_follow(const dure_anchor *anchor, du_bytes evidence, const uint8_t app_hash[32], du_trail *trail);

/* Verifies only the last header, against its own hash in header, and its commit, by the anchor's set. */
dure_code du_evidence_last(const dure_anchor *anchor, du_bytes evidence, const uint8_t app_hash[32], const uint8_t header[32]);

/* Checks a set's form: order, powers, no key twice. total becomes its power. */
dure_code du_set_check(const uint8_t *set, size_t validators, uint64_t *total);
void du_set_hash(uint8_t out[32], const uint8_t *set, size_t validators);
void du_set_sort(uint8_t *set, size_t validators);

/* What a header says about the blocks before it. */
void du_app_hash(uint8_t out[32], const uint8_t state[32], uint64_t log_size, const uint8_t log_root[32]);

/* ---- note.c, base64.c: the parts of a checkpoint file ---- */

/* A line of text without its newline. */
typedef du_bytes du_line;

/* What the text of a checkpoint says. */
typedef struct {
	du_bytes text; /* with its last newline; without bytes, it is what the rest says */
	char network[DURE_MAX_NETWORK + 1];
	uint64_t log_size, height, time;
	uint8_t log_root[32], header[32], state[32];
	const uint8_t *set;
	size_t validators;
	du_bytes lines; /* the signature lines */
} du_note;

/* Reads the text; the validators go packed into set, which has room for capacity bytes. */
dure_code du_note_read(du_note *n, const uint8_t *file, size_t size, uint8_t *set, size_t capacity);

/* A signature line, taken apart. */
typedef struct {
	du_bytes name;
	du_bytes base64; /* of key id and signature */
	uint8_t key_id[4];
	size_t size; /* of the signature */
} du_signature;

/* Takes the next line off; false if it is not in the form of a signed note. */
bool du_signature_next(du_bytes *lines, du_signature *s);
dure_code du_signatures_check(const du_note *n);
bool du_line_next(du_bytes *lines, du_line *line);
bool du_name_ok(const uint8_t *name, size_t size);
void du_key_id(uint8_t out[4], du_bytes name, const void *type_and_key, size_t size);

/* The size of what canonical base64 stands for; false if it is not. */
bool du_base64_size(du_bytes text, size_t *size);
/* Decodes at most room bytes of text that du_base64_size took, leaving out the first skip. Returns how many it wrote. */
size_t du_base64_decode(du_bytes text, size_t skip, uint8_t *out, size_t room);
void du_base64_encode(char *out, const uint8_t *bytes, size_t size);

/* ---- cosignature.c ---- */

enum { DU_COSIGNATURE_SIZE = 8 + 64, DU_MAX_COSIGNATURES = 128 }; /* unix seconds, Ed25519 */

/* A cosignature by somebody, as it lies in a line or receipt. */
typedef struct {
	du_bytes name;
	const uint8_t *key_id; /* 4 */
	const uint8_t *bytes;  /* DU_COSIGNATURE_SIZE, or NULL for something of another size */
} du_cosignature;

/* Whose cosignatures are looked for, and which were found. */
typedef struct {
	const dure_policy *policy;
	int64_t *times; /* for each witness, -1 until found; may be NULL */
	uint32_t found;
} du_search;

/* Begins a search, ends it, and between them takes a cosignature on what the note says: by a stranger, or a good one by a witness. */
dure_code du_search_begin(du_search *s, const dure_policy *policy, int64_t *times);
dure_code du_search_take(du_search *s, const du_cosignature *c, const du_note *n);
dure_code du_search_end(const du_search *s);

void du_witness_id(uint8_t out[4], const char *name, const uint8_t key[32]);
/* The first two lines of what cosignature/v1 signs; the text follows. It needs DU_TIME_LINE bytes. */
enum { DU_TIME_LINE = 42 };
size_t du_time_line(uint8_t *out, uint64_t time);

#endif
