/*
 * check: does what requests ask, and prints one line for each. The tests in Go talk to it; on an emulated board it reads a file of them.
 *
 *	check [FILE]
 *
 * A request is an operation (1 byte), a count of fields (1 byte), and for each field its length (4 bytes, big-endian) and bytes. Every field
 * is copied into memory of exactly its size, so that the address sanitizer sees any byte read too many. See main for the operations.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dure.h"
#include "internal.h"

enum { MAX_FIELDS = 16 };

typedef struct {
	uint8_t *at;
	size_t size;
} field;

static field fields[MAX_FIELDS];
static unsigned count;

static void die(const char *why)
{
	fprintf(stderr, "check: %s\n", why);
	exit(2);
}

static void *memory(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);
	if (p == NULL)
		die("no memory");
	return p;
}

/* A field as a C string. It lasts until the next request but one. */
static const char *string(unsigned i)
{
	static char text[MAX_FIELDS][512];
	if (fields[i].size >= sizeof text[i])
		die("a text is too long");
	memcpy(text[i], fields[i].at, fields[i].size);
	text[i][fields[i].size] = 0;
	return text[i];
}

static int64_t number(unsigned i)
{
	return strtoll(string(i), NULL, 10);
}

static void hex(const char *name, const uint8_t *b, size_t n)
{
	printf(" %s=", name);
	while (n-- > 0)
		printf("%02x", *b++);
}

static void ground(const dure_grounds *g)
{
	hex("header", g->header, 32);
	printf(" height=%lu changes=%lu power=%lu", (unsigned long)g->height, (unsigned long)g->changes, (unsigned long)g->power);
}

/* Fields 0 to 2: network and set of genesis, or a checkpoint to pin. The anchor keeps pointing to work. */
static dure_code anchor(dure_anchor *a, uint8_t **work)
{
	if (fields[2].size == 0) {
		*work = memory(fields[1].size);
		memcpy(*work, fields[1].at, fields[1].size);
		return dure_anchor_genesis(a, string(0), *work, fields[1].size / DURE_VALIDATOR_SIZE);
	}
	*work = memory(fields[2].size);
	return dure_anchor_checkpoint(a, fields[2].at, fields[2].size, NULL, *work, fields[2].size);
}

/* From field 4 on: a threshold, then names and keys of witnesses, which go into w. */
static dure_policy policy(dure_witness w[MAX_FIELDS / 2])
{
	dure_policy p = {w, (count - 5) / 2, (size_t)number(4)};
	unsigned i;
	for (i = 0; i < p.count; i++) {
		w[i].name = string(5 + 2 * i);
		memcpy(w[i].key, fields[6 + 2 * i].at, 32);
	}
	return p;
}

/* Fields 0 to 2: an anchor; 3: a receipt; then a policy, or nothing. Prints the times of those of its witnesses who signed. */
static void receipt(void)
{
	dure_witness w[MAX_FIELDS / 2];
	dure_policy p = {w, 0, 0};
	dure_anchor a;
	dure_receipt r;
	uint8_t *work;
	int64_t *times;
	size_t i;
	dure_code code = anchor(&a, &work);
	if (count > 4)
		p = policy(w);
	times = memory(p.count * sizeof *times);
	if (code == DURE_OK && count > 4)
		code = dure_receipt_verify_witnessed(&a, fields[3].at, fields[3].size, &p, times, &r);
	else if (code == DURE_OK)
		code = dure_receipt_verify(&a, fields[3].at, fields[3].size, &r);
	printf("%s", dure_text(code));
	if (code == DURE_OK) {
		hex("id", r.id, 32);
		ground(&r.grounds);
		printf(" cosigned=%lu", (unsigned long)r.cosigned);
		for (i = 0; i < p.count; i++) {
			if (times[i] >= 0)
				printf(" %s=%lld", w[i].name, (long long)times[i]);
		}
	}
	free(times);
	free(work);
}

/* Fields 0 to 2: an anchor; 3: a checkpoint; then a policy. 'c' verifies, 'o' cosigns too: as witness.example. */
static void checkpoint(char op)
{
	dure_witness w[MAX_FIELDS / 2];
	dure_policy p = policy(w);
	dure_anchor a;
	dure_checkpoint c;
	uint8_t *set, *work = memory(fields[3].size), seed[32] = {7};
	char line[200];
	size_t n;
	dure_code code = anchor(&a, &set);
	if (code == DURE_OK)
		code = dure_checkpoint_verify(&a, fields[3].at, fields[3].size, &p, work, fields[3].size, &c);
	printf("%s", dure_text(code));
	if (code == DURE_OK && op == 'o') {
		code = dure_checkpoint_cosign(&c, "witness.example", seed, 1772400000, line, sizeof line, &n);
		printf(" %s", code == DURE_OK ? "" : dure_text(code));
		fwrite(line, 1, n - 1, stdout); /* without its newline */
	} else if (code == DURE_OK) {
		ground(&c.grounds);
		printf(" cosigned=%lu", (unsigned long)c.cosigned);
	}
	free(set);
	free(work);
}

static int element(void *scalar, const uint8_t digest[32], uint8_t signature[64])
{
	return du_p256_sign(signature, scalar, digest) ? 0 : -1;
}

/* Field 0: e, p or s for the kind of key (s: P-256 in a secure element); 1: its 32 bytes. */
static dure_code make_key(dure_key *key)
{
	if (fields[0].at[0] == 'p')
		return dure_key_p256(key, fields[1].at);
	if (fields[0].at[0] == 's')
		dure_key_element(key, element, fields[1].at);
	else
		dure_key_ed25519(key, fields[1].at);
	return DURE_OK;
}

/* Fields 0 and 1: a key; then network, device, boot, sequence, feed, unit, mantissa, exponent, time. Prints the message and the public key. */
static void sign(void)
{
	dure_key key;
	dure_reading r;
	uint8_t message[DURE_READING_SIZE];
	size_t size = 0;
	dure_code code = make_key(&key);
	memset(&r, 0, sizeof r);
	if (fields[6].size > DURE_MAX_FEED || fields[7].size > DURE_MAX_UNIT)
		die("a feed or unit is too long");
	strcpy(r.feed, string(6));
	strcpy(r.unit, string(7));
	r.boot = (uint64_t)number(4);
	r.sequence = (uint64_t)number(5);
	r.time = number(10);
	if (code == DURE_OK)
		code = dure_reading_value(&r, number(8), (int)number(9));
	if (code == DURE_OK)
		code = dure_reading_sign(&r, string(2), fields[3].at, &key, message, sizeof message, &size);
	printf("%s", dure_text(code));
	if (code == DURE_OK) {
		hex("message", message, size);
		hex("key", key.public_key, key.alg == DURE_EDDSA ? 32 : 64);
	}
}

/* Field 0: e or p; 1: a public key, or nothing to parse only; 2: network; 3: device; 4: a message. */
static void reading(void)
{
	dure_reading r;
	dure_code code = fields[1].size == 0
		? dure_reading_parse(fields[4].at, fields[4].size, &r)
		: dure_reading_verify(fields[4].at, fields[4].size, string(2), fields[3].at, fields[0].at[0] == 'e' ? DURE_EDDSA : DURE_ES256, fields[1].at, &r);
	printf("%s", dure_text(code));
	if (code == DURE_OK) {
		printf(" boot=%lld sequence=%lld feed=%s mantissa=%lld exponent=%d time=%lld", (long long)r.boot, (long long)r.sequence, r.feed,
		       (long long)r.mantissa, r.exponent, (long long)r.time);
		hex("unit", (const uint8_t *)r.unit, strlen(r.unit));
	}
}

/* Field 0: a key; 1: a signature; 2: a message. Prints what ZIP-215 and RFC 8032 say. */
static void ed25519(void)
{
	du_bytes m = {fields[2].at, fields[2].size};
	printf("%d %d", du_ed25519_verify(DU_ZIP215, fields[0].at, fields[1].at, &m, 1), du_ed25519_verify(DU_RFC8032, fields[0].at, fields[1].at, &m, 1));
}

static size_t bytes(FILE *in, unsigned n)
{
	uint8_t b[4];
	size_t v = 0;
	unsigned i;
	if (fread(b, 1, n, in) != n)
		die("a request is cut short");
	for (i = 0; i < n; i++)
		v = v << 8 | b[i];
	return v;
}

static void read_fields(FILE *in)
{
	unsigned i;
	count = (unsigned)bytes(in, 1);
	if (count > MAX_FIELDS)
		die("too many fields");
	for (i = 0; i < count; i++) {
		fields[i].size = bytes(in, 4);
		fields[i].at = memory(fields[i].size);
		if (fread(fields[i].at, 1, fields[i].size, in) != fields[i].size)
			die("a field is cut short");
	}
}

int main(int argc, char **argv)
{
	FILE *in = argc > 1 ? fopen(argv[1], "rb") : stdin;
	int op;
	if (in == NULL)
		die("cannot open the file");
	while ((op = fgetc(in)) != EOF) {
		read_fields(in);
		switch (op) {
		case 'r':
			receipt();
			break;
		case 'c':
		case 'o':
			checkpoint((char)op);
			break;
		case 's':
			sign();
			break;
		case 'm':
			reading();
			break;
		case 'e':
			ed25519();
			break;
		default:
			die("no such operation");
		}
		printf("\n");
		fflush(stdout);
		while (count > 0)
			free(fields[--count].at);
	}
	return 0;
}
