/*
 * dure.h: Dure for devices. Signs and checks readings, verifies receipts, verifies and cosigns checkpoints, offline.
 *
 * The formats are docs/reading.md, docs/receipt.md and docs/checkpoint.md of the repository. Nothing here allocates, recurses, keeps
 * state between calls, reads a clock or asks for randomness: memory, time and keys are the caller's, and signatures are
 * deterministic. So every function may be called from several threads at once, on memory of their own.
 *
 * Sizes are bytes. Integers of formats are big-endian. A pointer may be NULL only where it says so.
 */
#ifndef DURE_H
#define DURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The largest files that are taken. The formats allow 1 MiB and 2 MiB; a device sets what it has memory and time for. */
#ifndef DURE_MAX_RECEIPT
#define DURE_MAX_RECEIPT 8192
#endif
#ifndef DURE_MAX_CHECKPOINT
#define DURE_MAX_CHECKPOINT 16384
#endif

enum {
	DURE_MAX_NETWORK = 49,  /* a network id, without the ending NUL */
	DURE_MAX_READING = 1024, /* a signed reading of anybody's */
	DURE_READING_SIZE = 256, /* enough for any that is made here */
	DURE_MAX_FEED = 32,
	DURE_MAX_UNIT = 16,
	DURE_VALIDATOR_SIZE = 40, /* Ed25519 key (32) || power (8) */
	DURE_MAX_NAME = 255       /* the name of a witness */
};

/* What a function found. The text of each but the last group is the code that docs and the Go verifier give for it. */
typedef enum {
	DURE_OK = 0,

	DURE_PROOF_MALFORMED,       /* proof.malformed: the file is cut short, has a number out of range, or bytes left over */
	DURE_PROOF_BAD_PATH,        /* proof.bad_path: the path does not fit the log */
	DURE_PROOF_BEFORE_ANCHOR,   /* proof.before_anchor: ask a node for the file again, from the anchor's height */
	DURE_PROOF_OUT_OF_ORDER,    /* proof.out_of_order: headers do not go up in height and time */
	DURE_PROOF_WRONG_HEADER,    /* proof.wrong_header: another header at the height of the pinned checkpoint */
	DURE_PROOF_BAD_SIGNER,      /* proof.bad_signer: a signature by nobody, or counted twice */
	DURE_PROOF_BAD_SIGNATURE,   /* proof.bad_signature: damaged or forged */
	DURE_PROOF_TOO_LITTLE_POWER, /* proof.too_little_power: not more than two thirds signed */
	DURE_PROOF_BAD_VALIDATORS,  /* proof.bad_validators: a set is empty, not in order, has a key twice or a power out of range */
	DURE_PROOF_WRONG_VALIDATORS, /* proof.wrong_validators: not the new set that was signed */
	DURE_PROOF_NO_CHANGE,       /* proof.no_change: a change of validators changes nothing */

	DURE_RECEIPT_TOO_LARGE,           /* receipt.too_large: more than DURE_MAX_RECEIPT */
	DURE_RECEIPT_NOT_A_RECEIPT,       /* receipt.not_a_receipt */
	DURE_RECEIPT_UNSUPPORTED_VERSION, /* receipt.unsupported_version: version 3, of validators who sign with ML-DSA-65, which this library does not check, or a newer one */
	DURE_RECEIPT_BAD_OUTCOME,         /* receipt.bad_outcome: not one that a history can hold, or of a later block than the header's */
	DURE_RECEIPT_WRONG_TRANSACTION,   /* receipt.wrong_transaction: not the one that the outcome is about */
	DURE_RECEIPT_WRONG_NETWORK,       /* receipt.wrong_network: not the anchor's */

	DURE_CHECKPOINT_TOO_LARGE,            /* checkpoint.too_large: more than DURE_MAX_CHECKPOINT */
	DURE_CHECKPOINT_NOT_A_CHECKPOINT,     /* checkpoint.not_a_checkpoint */
	DURE_CHECKPOINT_UNSUPPORTED_VERSION,  /* checkpoint.unsupported_version: of validators who sign with ML-DSA-65, which this library does not check */
	DURE_CHECKPOINT_MALFORMED,            /* checkpoint.malformed */
	DURE_CHECKPOINT_WRONG_NETWORK,        /* checkpoint.wrong_network: not the anchor's */
	DURE_CHECKPOINT_WRONG_HEADER,         /* checkpoint.wrong_header: text and header do not agree */
	DURE_CHECKPOINT_WRONG_VALIDATORS,     /* checkpoint.wrong_validators: the text names others than those who signed */
	DURE_CHECKPOINT_BAD_COSIGNATURE,      /* checkpoint.bad_cosignature: by a known witness, and not good */
	DURE_CHECKPOINT_TOO_FEW_COSIGNATURES, /* checkpoint.too_few_cosignatures */
	DURE_CHECKPOINT_BAD_POLICY,           /* checkpoint.bad_policy: a witness without proper name, a key twice, or a threshold that cannot be met */
	DURE_CHECKPOINT_BAD_WITNESS,          /* checkpoint.bad_witness: no name to cosign with */

	DURE_READING_MALFORMED,     /* reading.malformed: not in the format, or not its one encoding */
	DURE_READING_TOO_LARGE,     /* reading.too_large: more than DURE_MAX_READING */
	DURE_READING_BAD_KEY,       /* reading.bad_key: no key of a kind that signs readings, or its secure element failed */
	DURE_READING_BAD_VALUE,     /* reading.bad_value: more than 9 digits after the point, or an exponent above 0 */
	DURE_READING_BAD_SIGNATURE, /* reading.bad_signature: not by this key for this network, device and start */

	DURE_DEVICE_BAD_ARGUMENT,     /* device.bad_argument: a call that no file or key can make right, such as no network id */
	DURE_DEVICE_TOO_LITTLE_MEMORY /* device.too_little_memory: the buffer given is too small */
} dure_code;

/* dure_text is the code as docs write it, such as "receipt.not_a_receipt"; "ok" for DURE_OK. Never NULL. */
const char *dure_text(dure_code code);

/* ------------------------------------------------------------------ whom to trust ------ */

/*
 * What a verifier trusts to begin with: the validators of one height of one network, and of a checkpoint also the header.
 * Made by dure_anchor_genesis, dure_anchor_checkpoint or dure_checkpoint_verify. It points to the caller's set, which must
 * stay as it is for as long as the anchor is used.
 */
typedef struct {
	char network[DURE_MAX_NETWORK + 1];
	uint64_t height; /* what to ask a node for receipts and checkpoints from; 1 for genesis */
	bool pinned;     /* whether header is known: of a checkpoint */
	uint8_t header[32];
	const uint8_t *set; /* validators * DURE_VALIDATOR_SIZE bytes, largest power first, then by address */
	size_t validators;
} dure_anchor;

/*
 * Trusts the validators of genesis. network is the id that `dure status` shows; set has for each member with power the
 * validatorKey (32 bytes) and the power (8 bytes, big-endian), in any order, and is put in order in place.
 * Errors: proof.bad_validators, device.bad_argument.
 */
dure_code dure_anchor_genesis(dure_anchor *anchor, const char *network, uint8_t *set, size_t validators);

/* Somebody outside who cosigns checkpoints, as in name+keyid+base64(04 || key). */
typedef struct {
	const char *name; /* 1 to 255 printable ASCII characters, no space, no plus sign */
	uint8_t key[32];  /* Ed25519 */
} dure_witness;

/* Whose cosignatures a checkpoint or receipt needs: at least threshold of the witnesses'. */
typedef struct {
	const dure_witness *witnesses;
	size_t count;
	size_t threshold;
} dure_policy;

/*
 * Trusts a checkpoint file as it is: because the firmware pins it, or because the policy's witnesses have cosigned it. policy may be NULL: none is asked.
 * work is memory to take the file apart in; as many bytes as the file has are always enough. The anchor's set is at its
 * beginning: validators * DURE_VALIDATOR_SIZE bytes of work must stay as they are, the rest is free afterwards.
 * Errors: checkpoint.*, proof.malformed, proof.bad_validators, proof.bad_signer, proof.bad_signature, proof.too_little_power,
 * device.too_little_memory.
 */
dure_code dure_anchor_checkpoint(dure_anchor *anchor, const uint8_t *file, size_t size, const dure_policy *policy, uint8_t *work, size_t work_size);

/* ------------------------------------------------------------------ receipts ----------- */

/* The header that a verified file ends at, and who signed it. Say to the user what a verification rests on. */
typedef struct {
	uint64_t height;
	uint64_t time;      /* unix nanoseconds */
	uint8_t header[32]; /* its hash */
	uint32_t changes;   /* of validators since the anchor */
	uint32_t signatures, validators;
	uint64_t power, total_power; /* that signed, and of all */
} dure_grounds;

/* A receipt that holds. Pointers lead into the file. */
typedef struct {
	dure_grounds grounds;
	uint8_t id[32];
	uint8_t tx_hash[32];
	bool ok;           /* every action happened; otherwise a rule refused the transaction and nothing of it remains */
	uint64_t sequence; /* leaf of the history log */
	uint64_t height;   /* block that executed it */
	int64_t time;      /* of that block, unix milliseconds */
	const uint8_t *transaction; /* NULL if left out */
	size_t transaction_size;
	const uint8_t *outcome; /* a serialised dure.ledger.v1.Outcome */
	size_t outcome_size;
	uint32_t cosigned; /* by how many of the policy's witnesses; 0 of dure_receipt_verify, which asks for none */
} dure_receipt;

/*
 * Verifies a receipt file of version 1 or 2 from the anchor, whoever has cosigned it. On an error, receipt holds nothing to use.
 * Errors: receipt.*, proof.*.
 */
dure_code dure_receipt_verify(const dure_anchor *anchor, const uint8_t *file, size_t size, dure_receipt *receipt);

/*
 * Verifies a receipt file from the anchor, and that the policy's witnesses have cosigned the checkpoint of its last header. times has room for one
 * number for each of the policy's witnesses: when it signed, in unix seconds, or -1 for a witness who did not. It may be NULL. Say to the
 * user who has signed and when, or that nobody has: with a threshold of 0 a receipt holds without. Files of version 1 have no cosignatures;
 * those of strangers are ignored. On an error, receipt and times hold nothing to use.
 * Errors: receipt.*, proof.*, checkpoint.bad_policy, checkpoint.bad_cosignature, checkpoint.too_few_cosignatures.
 */
dure_code dure_receipt_verify_witnessed(const dure_anchor *anchor, const uint8_t *file, size_t size, const dure_policy *policy,
                                        int64_t *times, dure_receipt *receipt);

/* ------------------------------------------------------------------ checkpoints -------- */

/* A checkpoint that holds. text leads into the file, the anchor's set into work. */
typedef struct {
	dure_grounds grounds;
	uint64_t log_size;   /* outcomes in the history log */
	uint8_t log_root[32];
	uint8_t state[32];   /* root of the state */
	uint32_t cosigned;   /* by how many of the policy's witnesses */
	const uint8_t *text; /* what cosignatures sign */
	size_t text_size;
	dure_anchor anchor;  /* to verify from next */
} dure_checkpoint;

/*
 * Verifies a checkpoint file from the anchor, and that the policy's witnesses have cosigned it; policy may be NULL. work is as for
 * dure_anchor_checkpoint, and must be other memory than that of the anchor's set.
 * Errors: checkpoint.*, proof.*, device.too_little_memory.
 */
dure_code dure_checkpoint_verify(const dure_anchor *anchor, const uint8_t *file, size_t size, const dure_policy *policy,
                                 uint8_t *work, size_t work_size, dure_checkpoint *checkpoint);

/*
 * Cosigns a checkpoint (C2SP cosignature/v1) at a time in unix seconds, below 2^63. line becomes a signature line with its newline, to append to the
 * file, without a NUL; it needs strlen(name) + 110 bytes. seed is the Ed25519 secret key (RFC 8032).
 *
 * Cosign only what dure_checkpoint_verify took from the last checkpoint you cosigned, and keep its anchor: the line says that you saw no
 * second history.
 * Errors: checkpoint.bad_witness if name cannot be one or is the network's, device.too_little_memory.
 */
dure_code dure_checkpoint_cosign(const dure_checkpoint *checkpoint, const char *name, const uint8_t seed[32], uint64_t time,
                                 char *line, size_t capacity, size_t *length);

/* ------------------------------------------------------------------ readings ----------- */

/* COSE's numbers of what devices sign with. */
typedef enum {
	DURE_EDDSA = -8, /* Ed25519 */
	DURE_ES256 = -7  /* ECDSA P-256 with SHA-256 */
} dure_alg;

/*
 * Signs a SHA-256 digest with the P-256 key of a secure element: r and s, 32 bytes each. 0 for success. Either s will do.
 */
typedef int (*dure_element)(void *context, const uint8_t digest[32], uint8_t signature[64]);

/*
 * A device's signing key. Made by one of the three functions below, and only what the chosen ones need takes flash. secret: keep it out of logs and
 * wipe it when done.
 */
typedef struct dure_key dure_key;
struct dure_key {
	dure_alg alg;
	uint8_t secret[32];
	uint8_t public_key[64]; /* Ed25519: the first 32 bytes; P-256: x || y; a secure element's: not set */
	dure_element element;   /* NULL for a key in memory */
	void *context;
	bool (*sign)(const dure_key *key, const uint8_t *message, size_t size, uint8_t signature[64]); /* false if it cannot */
};

/* An Ed25519 key of its 32 secret bytes (RFC 8032). */
void dure_key_ed25519(dure_key *key, const uint8_t seed[32]);

/* A P-256 key of its scalar. Signatures are RFC 6979's. Error: reading.bad_key: zero, or not below the order; or built with DURE_NO_P256. */
dure_code dure_key_p256(dure_key *key, const uint8_t scalar[32]);

/* A P-256 key in a secure element. Works with DURE_NO_P256 too. */
void dure_key_element(dure_key *key, dure_element element, void *context);

/* One measured value. */
typedef struct {
	dure_alg alg;                    /* set by signing and parsing */
	uint64_t boot, sequence;         /* starts of the device, readings since that start; from 1, below 2^63 */
	char feed[DURE_MAX_FEED + 1];    /* [a-z][a-z0-9.-]* */
	char unit[DURE_MAX_UNIT + 1];    /* 1 to 16 bytes of UTF-8, as SenML writes it; a NUL within, which the format allows, ends it here */
	int64_t mantissa;                /* the value is mantissa * 10^exponent; see dure_reading_value */
	int exponent;                    /* -9 to 0; with one below 0 the mantissa does not end in 0 */
	int64_t time;                    /* unix milliseconds, from 2^28 seconds on */
	uint8_t signature[64];           /* set by signing and parsing */
} dure_reading;

/*
 * Sets the value to mantissa * 10^exponent, dropping zeros: 1250, -2 is 12.5.
 * Error: reading.bad_value: the exponent is above 0, or below -9 for want of zeros to drop.
 */
dure_code dure_reading_value(dure_reading *reading, int64_t mantissa, int exponent);

/*
 * Signs a reading for a network and a device (the address of its account), and writes the message; DURE_READING_SIZE bytes are always enough.
 * Keep boot where it survives a restart and count it up before the first reading of a start: no two readings may have the same boot and
 * sequence.
 * Errors: reading.malformed for a reading that cannot be written, reading.bad_key, device.bad_argument, device.too_little_memory.
 */
dure_code dure_reading_sign(dure_reading *reading, const char *network, const uint8_t device[20], const dure_key *key,
                            uint8_t *message, size_t capacity, size_t *size);

/*
 * Reads a message and checks everything but the signature.
 * Errors: reading.malformed, reading.too_large.
 */
dure_code dure_reading_parse(const uint8_t *message, size_t size, dure_reading *reading);

/*
 * Parses a message and checks its signature, for a network and a device, by a key of the kind alg: 32 bytes of Ed25519, or x || y of P-256.
 * Errors: reading.malformed, reading.too_large, reading.bad_signature; device.bad_argument for no network id.
 */
dure_code dure_reading_verify(const uint8_t *message, size_t size, const char *network, const uint8_t device[20],
                              dure_alg alg, const uint8_t *public_key, dure_reading *reading);

#ifdef __cplusplus
}
#endif

#endif
