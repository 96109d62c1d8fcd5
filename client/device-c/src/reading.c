/* Readings: COSE_Sign1 with one SenML record, in deterministic CBOR. docs/reading.md. */
#include "internal.h"

/* Major types of CBOR (RFC 8949, section 3.1). */
enum { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG };

enum {
	ALG = 1,
	BOOT = -70001,
	SEQUENCE = -70002,
	NAME = 0,
	UNIT = 1,
	VALUE = 2,
	TIME = 6,
	DECIMAL_FRACTION = 4,
	COSE_SIGN1 = 18,
	MAX_DECIMALS = 9,
	MAX_SIGNED = 288 /* of the Sig_structure */
};

#define MIN_TIME (INT64_C(268435456) * 1000) /* SenML's first absolute time, milliseconds */

/* ---- reading ---- */

/* Reads the head of an item in its shortest form. A reader that failed gives zeros. */
static unsigned head(du_reader *r, uint64_t *argument)
{
	unsigned first = (unsigned)du_number(r, 1), info = first & 31, size;
	*argument = info;
	if (info < 24 || r->failed)
		return first >> 5;
	size = 1u << ((info - 24) & 3);
	*argument = info > 27 ? 0 : du_number(r, size);
	if (info > 27 || (size == 1 ? *argument < 24 : *argument >> 4 * size == 0))
		r->failed = true;
	return first >> 5;
}

static uint64_t want(du_reader *r, unsigned major)
{
	uint64_t argument;
	if (head(r, &argument) != major)
		r->failed = true;
	return r->failed ? 0 : argument;
}

static void exactly(du_reader *r, unsigned major, uint64_t argument)
{
	if (want(r, major) != argument)
		r->failed = true;
}

static int64_t integer(du_reader *r)
{
	uint64_t n;
	unsigned major = head(r, &n);
	if (major > NEGATIVE || n > INT64_MAX)
		r->failed = true;
	if (r->failed)
		return 0;
	return major == NEGATIVE ? -1 - (int64_t)n : (int64_t)n;
}

static void key(du_reader *r, int64_t want_key)
{
	if (integer(r) != want_key)
		r->failed = true;
}

static du_bytes string(du_reader *r, unsigned major, size_t least, size_t most)
{
	du_bytes s = {NULL, 0};
	uint64_t n = want(r, major);
	if (n < least || n > most)
		r->failed = true;
	if (r->failed)
		return s;
	s.at = du_take(r, (size_t)n);
	s.size = s.at == NULL ? 0 : (size_t)n;
	return s;
}

/* Reads an integer, or a decimal fraction with an exponent from -9 to 0, and says which. */
static bool number(du_reader *r, int64_t *mantissa, int *exponent)
{
	bool fraction = !r->failed && r->left > 0 && r->at[0] >> 5 == TAG;
	int64_t e = 0;
	if (fraction) {
		exactly(r, TAG, DECIMAL_FRACTION);
		exactly(r, ARRAY, 2);
		e = integer(r);
		if (e < -MAX_DECIMALS || e > 0)
			r->failed = true;
	}
	*mantissa = integer(r);
	*exponent = r->failed ? 0 : (int)e;
	return fraction;
}

static uint64_t count(du_reader *r)
{
	uint64_t n = want(r, UNSIGNED);
	if (n == 0 || n > INT64_MAX)
		r->failed = true;
	return n;
}

static bool feed_ok(const char *s, size_t size)
{
	size_t i;
	if (size == 0 || size > DURE_MAX_FEED || s[0] < 'a' || s[0] > 'z')
		return false;
	for (i = 0; i < size; i++) {
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '.' || s[i] == '-'))
			return false;
	}
	return true;
}

/* Whether text is UTF-8: shortest forms, no surrogates, at most U+10FFFF. */
static bool utf8_ok(const uint8_t *s, size_t size)
{
	size_t i = 0;
	while (i < size) {
		uint8_t first = s[i++];
		unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1, k;
		uint32_t rune = first & (0x3fu >> more);
		if (first < 0x80)
			continue;
		if (first < 0xc2 || first > 0xf4 || more > size - i)
			return false;
		for (k = 0; k < more; k++, i++) {
			if (s[i] >> 6 != 2)
				return false;
			rune = rune << 6 | (s[i] & 0x3f);
		}
		if ((more == 2 && (rune < 0x800 || (rune >= 0xd800 && rune < 0xe000))) || (more == 3 && (rune < 0x10000 || rune > 0x10ffff)))
			return false;
	}
	return true;
}

static void read_protected(du_reader *r, dure_reading *out)
{
	int64_t alg;
	exactly(r, MAP, 3);
	key(r, ALG);
	alg = integer(r);
	if (alg != DURE_EDDSA && alg != DURE_ES256)
		r->failed = true;
	out->alg = alg == DURE_EDDSA ? DURE_EDDSA : DURE_ES256;
	key(r, BOOT);
	out->boot = count(r);
	key(r, SEQUENCE);
	out->sequence = count(r);
	if (r->left > 0)
		r->failed = true;
}

static void read_payload(du_reader *r, dure_reading *out)
{
	du_bytes s;
	int exponent;
	bool fraction;
	exactly(r, ARRAY, 1);
	exactly(r, MAP, 4);
	key(r, NAME);
	s = string(r, TEXT, 1, DURE_MAX_FEED);
	if (!feed_ok((const char *)s.at, s.size))
		r->failed = true;
	else
		memcpy(out->feed, s.at, s.size);
	key(r, UNIT);
	s = string(r, TEXT, 1, DURE_MAX_UNIT);
	if (!utf8_ok(s.at, s.size))
		r->failed = true;
	else if (s.size > 0)
		memcpy(out->unit, s.at, s.size);
	key(r, VALUE);
	fraction = number(r, &out->mantissa, &out->exponent);
	if (fraction && (out->exponent == 0 || out->mantissa % 10 == 0))
		r->failed = true;
	key(r, TIME);
	fraction = number(r, &out->time, &exponent);
	if (fraction ? exponent != -3 || out->time % 1000 == 0 : out->time > INT64_MAX / 1000)
		r->failed = true;
	else if (!fraction && out->time > 0)
		out->time *= 1000;
	if (out->time < MIN_TIME || r->left > 0)
		r->failed = true;
}

/* Parses, and gives the two parts that are signed. */
static dure_code parse(const uint8_t *message, size_t size, dure_reading *reading, du_bytes *protected_header, du_bytes *payload)
{
	du_reader r = {message, size, false}, part = {NULL, 0, false};
	du_bytes signature;
	memset(reading, 0, sizeof *reading);
	if (size > DURE_MAX_READING)
		return DURE_READING_TOO_LARGE;
	exactly(&r, TAG, COSE_SIGN1);
	exactly(&r, ARRAY, 4);
	*protected_header = string(&r, BYTES, 0, DURE_MAX_READING);
	exactly(&r, MAP, 0);
	*payload = string(&r, BYTES, 0, DURE_MAX_READING);
	signature = string(&r, BYTES, 64, 64);
	if (r.failed || r.left > 0)
		return DURE_READING_MALFORMED;
	memcpy(reading->signature, signature.at, 64);
	part.at = protected_header->at;
	part.left = protected_header->size;
	read_protected(&part, reading);
	if (part.failed)
		return DURE_READING_MALFORMED;
	part.at = payload->at;
	part.left = payload->size;
	read_payload(&part, reading);
	return part.failed ? DURE_READING_MALFORMED : DURE_OK;
}

dure_code dure_reading_parse(const uint8_t *message, size_t size, dure_reading *reading)
{
	du_bytes protected_header, payload;
	return parse(message, size, reading, &protected_header, &payload);
}

/* ---- writing ---- */

static void put_head(du_writer *w, unsigned major, uint64_t argument)
{
	unsigned size = argument < 24 ? 0 : argument <= UINT8_MAX ? 1 : argument <= UINT16_MAX ? 2 : argument <= UINT32_MAX ? 4 : 8;
	unsigned info = size == 0 ? (unsigned)argument : size == 1 ? 24 : size == 2 ? 25 : size == 4 ? 26 : 27;
	du_put8(w, (uint8_t)(major << 5 | info));
	while (size-- > 0)
		du_put8(w, (uint8_t)(argument >> 8 * size));
}

static void put_integer(du_writer *w, int64_t n)
{
	if (n < 0)
		put_head(w, NEGATIVE, (uint64_t)(-1 - n));
	else
		put_head(w, UNSIGNED, (uint64_t)n);
}

static void put_string(du_writer *w, unsigned major, const void *s, size_t size)
{
	put_head(w, major, size);
	du_put(w, s, size);
}

static void put_number(du_writer *w, int64_t mantissa, int exponent)
{
	if (exponent != 0) {
		put_head(w, TAG, DECIMAL_FRACTION);
		put_head(w, ARRAY, 2);
		put_integer(w, exponent);
	}
	put_integer(w, mantissa);
}

/* At most 36 bytes. */
static void put_protected(du_writer *w, const dure_reading *r)
{
	put_head(w, MAP, 3);
	put_integer(w, ALG);
	put_integer(w, r->alg);
	put_integer(w, BOOT);
	put_head(w, UNSIGNED, r->boot);
	put_integer(w, SEQUENCE);
	put_head(w, UNSIGNED, r->sequence);
}

/* At most 88 bytes. */
static void put_payload(du_writer *w, const dure_reading *r)
{
	put_head(w, ARRAY, 1);
	put_head(w, MAP, 4);
	put_integer(w, NAME);
	put_string(w, TEXT, r->feed, strlen(r->feed));
	put_integer(w, UNIT);
	put_string(w, TEXT, r->unit, strlen(r->unit));
	put_integer(w, VALUE);
	put_number(w, r->mantissa, r->exponent);
	put_integer(w, TIME);
	if (r->time % 1000 == 0)
		put_number(w, r->time / 1000, 0);
	else
		put_number(w, r->time, -3);
}

static bool writable(const dure_reading *r)
{
	size_t unit = du_length(r->unit, DURE_MAX_UNIT);
	return r->boot > 0 && r->boot <= INT64_MAX && r->sequence > 0 && r->sequence <= INT64_MAX &&
	       feed_ok(r->feed, du_length(r->feed, DURE_MAX_FEED)) && unit > 0 && utf8_ok((const uint8_t *)r->unit, unit) &&
	       r->exponent <= 0 && r->exponent >= -MAX_DECIMALS && (r->exponent == 0 || r->mantissa % 10 != 0) && r->time >= MIN_TIME;
}

dure_code dure_reading_value(dure_reading *reading, int64_t mantissa, int exponent)
{
	if (mantissa == 0)
		exponent = 0;
	for (; exponent < 0 && mantissa % 10 == 0; exponent++)
		mantissa /= 10;
	if (exponent > 0 || exponent < -MAX_DECIMALS)
		return DURE_READING_BAD_VALUE;
	reading->mantissa = mantissa;
	reading->exponent = exponent;
	return DURE_OK;
}

/* ---- signatures ---- */

/* Writes the Sig_structure of RFC 9052, section 4.4; network is not empty. */
static void put_signed(du_writer *w, const char *network, const uint8_t device[20], uint64_t boot, du_bytes protected_header, du_bytes payload)
{
	size_t n = strlen(network);
	uint8_t start[8];
	du_write64(start, boot);
	put_head(w, ARRAY, 4);
	put_string(w, TEXT, "Signature1", 10);
	put_string(w, BYTES, protected_header.at, protected_header.size);
	put_head(w, BYTES, 16 + n + 1 + 20 + 8);
	du_put(w, "dure/reading/v1\n", 16);
	du_put(w, network, n);
	du_put8(w, '\n');
	du_put(w, device, 20);
	du_put(w, start, 8);
	put_string(w, BYTES, payload.at, payload.size);
}

dure_code dure_reading_verify(const uint8_t *message, size_t size, const char *network, const uint8_t device[20],
                              dure_alg alg, const uint8_t *public_key, dure_reading *reading)
{
	uint8_t buffer[MAX_SIGNED], digest[32];
	du_writer w = {buffer, 0};
	du_bytes protected_header, payload, all;
	bool good;
	if (du_length(network, DURE_MAX_NETWORK) == 0 || public_key == NULL)
		return DURE_DEVICE_BAD_ARGUMENT;
	TRY(parse(message, size, reading, &protected_header, &payload));
	if (reading->alg != alg)
		return DURE_READING_BAD_SIGNATURE;
	put_signed(&w, network, device, reading->boot, protected_header, payload);
	all.at = buffer;
	all.size = w.size;
	if (alg == DURE_EDDSA) {
		good = du_ed25519_verify(DU_ZIP215, public_key, reading->signature, &all, 1);
	} else {
		du_sha256(digest, &all, 1);
		good = du_p256_verify(public_key, digest, reading->signature);
	}
	return good ? DURE_OK : DURE_READING_BAD_SIGNATURE;
}

dure_code dure_reading_sign(dure_reading *reading, const char *network, const uint8_t device[20], const dure_key *key,
                            uint8_t *message, size_t capacity, size_t *size)
{
	uint8_t head_buffer[40], body[96], buffer[MAX_SIGNED];
	du_writer h = {head_buffer, 0}, b = {body, 0}, w = {buffer, 0}, out = {message, 0};
	du_bytes protected_header, payload;
	if (du_length(network, DURE_MAX_NETWORK) == 0)
		return DURE_DEVICE_BAD_ARGUMENT;
	if (key->sign == NULL)
		return DURE_READING_BAD_KEY;
	reading->alg = key->alg;
	if (!writable(reading))
		return DURE_READING_MALFORMED;
	put_protected(&h, reading);
	put_payload(&b, reading);
	protected_header.at = h.at;
	protected_header.size = h.size;
	payload.at = b.at;
	payload.size = b.size;
	/* Tag, array, two strings with heads of 2 bytes at most, empty map, signature. */
	if (capacity < 2 + 2 + h.size + 1 + 2 + b.size + 2 + 64)
		return DURE_DEVICE_TOO_LITTLE_MEMORY;
	put_signed(&w, network, device, reading->boot, protected_header, payload);
	if (!key->sign(key, w.at, w.size, reading->signature))
		return DURE_READING_BAD_KEY;
	put_head(&out, TAG, COSE_SIGN1);
	put_head(&out, ARRAY, 4);
	put_string(&out, BYTES, h.at, h.size);
	put_head(&out, MAP, 0);
	put_string(&out, BYTES, b.at, b.size);
	put_string(&out, BYTES, reading->signature, 64);
	*size = out.size;
	return DURE_OK;
}
