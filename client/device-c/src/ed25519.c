/*
 * Ed25519 (RFC 8032) on the group arithmetic of libsodium and the SHA-512 of BearSSL. libsodium's own signing is not used, for two reasons:
 * messages come here in parts, so that nobody needs memory to join them; and its verification is stricter than that of
 * CometBFT (ZIP-215), so that a validator with a strange key could make two honest verifiers disagree.
 */
#include "internal.h"
#include "private/ed25519_ref10.h"

/* What libsodium's group arithmetic needs of the rest of libsodium. */
int sodium_is_zero(const unsigned char *n, const size_t nlen);

int sodium_is_zero(const unsigned char *n, const size_t nlen)
{
	unsigned d = 0;
	size_t i;
	for (i = 0; i < nlen; i++)
		d |= n[i];
	return (int)(1 & ((d - 1) >> 8));
}

/* Writes zeros in a way that a compiler cannot leave out. */
void du_wipe(void *p, size_t n)
{
	volatile uint8_t *b = p;
	while (n-- > 0)
		*b++ = 0;
}

/* SHA-512(head || parts). */
static void digest(uint8_t out[64], const uint8_t *head, size_t head_size, const du_bytes *parts, size_t count)
{
	br_sha512_context c;
	size_t i;
	br_sha512_init(&c);
	br_sha512_update(&c, head, head_size);
	for (i = 0; i < count; i++)
		br_sha512_update(&c, parts[i].at, parts[i].size);
	br_sha512_out(&c, out);
	du_wipe(&c, sizeof c);
}

/* The secret scalar and, behind it, the prefix of nonces. */
static void expand(uint8_t out[64], const uint8_t seed[32])
{
	br_sha512_context c;
	br_sha512_init(&c);
	br_sha512_update(&c, seed, 32);
	br_sha512_out(&c, out);
	out[0] &= 248;
	out[31] = (uint8_t)((out[31] & 127) | 64);
	du_wipe(&c, sizeof c);
}

/* Whether 8 times the difference of two points is nothing. Both are encoded; computed is good, given may be no point. */
static bool same_but_for_torsion(const uint8_t computed[32], const uint8_t given[32])
{
	static const uint8_t nothing[32] = {1};
	ge25519_p3 a, b;
	ge25519_cached c;
	ge25519_p1p1 sum;
	uint8_t bytes[32];
	int i;
	if (ge25519_frombytes_negate_vartime(&a, computed) != 0 || ge25519_frombytes_negate_vartime(&b, given) != 0)
		return false;
	ge25519_p3_to_cached(&c, &b);
	ge25519_sub(&sum, &a, &c);
	ge25519_p1p1_to_p3(&a, &sum);
	for (i = 0; i < 3; i++) {
		ge25519_p3_to_cached(&c, &a);
		ge25519_add(&sum, &a, &c);
		ge25519_p1p1_to_p3(&a, &sum);
	}
	ge25519_p3_tobytes(bytes, &a);
	return memcmp(bytes, nothing, 32) == 0;
}

bool du_ed25519_verify(du_rule rule, const uint8_t key[32], const uint8_t signature[64], const du_bytes *parts, size_t count)
{
	uint8_t head[64], h[64];
	memcpy(head, signature, 32);
	memcpy(head + 32, key, 32);
	digest(h, head, 64, parts, count);
	return du_ed25519_holds(rule, key, signature, h);
}

bool du_ed25519_holds(du_rule rule, const uint8_t key[32], const uint8_t signature[64], uint8_t h[64])
{
	uint8_t computed[32];
	ge25519_p3 a;
	ge25519_p2 r;
	if (!sc25519_is_canonical(signature + 32) || ge25519_frombytes_negate_vartime(&a, key) != 0)
		return false;
	sc25519_reduce(h);
	ge25519_double_scalarmult_vartime(&r, h, &a, signature + 32);
	ge25519_tobytes(computed, &r);
	if (memcmp(computed, signature, 32) == 0)
		return true; /* as every honest signature */
	return rule == DU_ZIP215 && same_but_for_torsion(computed, signature);
}

void du_ed25519_public(uint8_t key[32], const uint8_t seed[32])
{
	uint8_t secret[64];
	ge25519_p3 a;
	expand(secret, seed);
	ge25519_scalarmult_base(&a, secret);
	ge25519_p3_tobytes(key, &a);
	du_wipe(secret, sizeof secret);
	du_wipe(&a, sizeof a);
}

void du_ed25519_sign(uint8_t signature[64], const uint8_t seed[32], const uint8_t key[32], const du_bytes *parts, size_t count)
{
	uint8_t secret[64], nonce[64], head[64], h[64];
	ge25519_p3 r;
	expand(secret, seed);
	digest(nonce, secret + 32, 32, parts, count);
	sc25519_reduce(nonce);
	ge25519_scalarmult_base(&r, nonce);
	ge25519_p3_tobytes(head, &r);
	memcpy(head + 32, key, 32);
	digest(h, head, 64, parts, count);
	sc25519_reduce(h);
	memcpy(signature, head, 32);
	sc25519_muladd(signature + 32, h, secret, nonce);
	du_wipe(secret, sizeof secret);
	du_wipe(nonce, sizeof nonce);
	du_wipe(&r, sizeof r);
}
