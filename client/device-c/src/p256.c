/* ECDSA on P-256 by BearSSL, with its arithmetic that takes the same time for every secret on a Cortex-M0 as on an M4. */
#include "internal.h"

static const uint8_t order[32] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

bool du_p256_low(uint8_t signature[64])
{
	uint8_t other[32];
	unsigned borrow = 0, nonzero = 0, i;
	for (i = 32; i-- > 0;) {
		unsigned d = (unsigned)order[i] - signature[32 + i] - borrow;
		borrow = d >> 8 & 1;
		nonzero |= signature[32 + i];
		other[i] = (uint8_t)d;
	}
	if (borrow || nonzero == 0 || memcmp(other, (uint8_t[32]){0}, 32) == 0)
		return false;
	if (memcmp(other, signature + 32, 32) < 0)
		memcpy(signature + 32, other, 32);
	return true;
}

#ifndef DURE_NO_P256

#include "bearssl_ec.h"

bool du_p256_verify(const uint8_t key[64], const uint8_t digest[32], const uint8_t signature[64])
{
	uint8_t point[65], low[64];
	br_ec_public_key public_key;
	memcpy(low, signature, 64);
	if (!du_p256_low(low) || memcmp(low, signature, 64) != 0)
		return false;
	point[0] = 4;
	memcpy(point + 1, key, 64);
	public_key.curve = BR_EC_secp256r1;
	public_key.q = point;
	public_key.qlen = sizeof point;
	return br_ecdsa_i15_vrfy_raw(&br_ec_p256_m15, digest, 32, &public_key, signature, 64) == 1;
}

bool du_p256_sign(uint8_t signature[64], const uint8_t scalar[32], const uint8_t digest[32])
{
	br_ec_private_key key;
	key.curve = BR_EC_secp256r1;
	key.x = (unsigned char *)scalar; /* BearSSL only reads it */
	key.xlen = 32;
	return br_ecdsa_i15_sign_raw(&br_ec_p256_m15, &br_sha256_vtable, digest, &key, signature) == 64;
}

bool du_p256_public(uint8_t key[64], const uint8_t scalar[32])
{
	uint8_t point[65];
	unsigned borrow = 0, nonzero = 0, i;
	for (i = 32; i-- > 0;) {
		borrow = ((unsigned)scalar[i] - order[i] - borrow) >> 8 & 1;
		nonzero |= scalar[i];
	}
	if (!borrow || nonzero == 0 || br_ec_p256_m15.mulgen(point, scalar, 32, BR_EC_secp256r1) != sizeof point)
		return false;
	memcpy(key, point + 1, 64);
	return true;
}

#else

/* Without P-256 no key of it is good, and no signature. */
bool du_p256_verify(const uint8_t key[64], const uint8_t digest[32], const uint8_t signature[64])
{
	(void)key, (void)digest, (void)signature;
	return false;
}

bool du_p256_sign(uint8_t signature[64], const uint8_t scalar[32], const uint8_t digest[32])
{
	(void)signature, (void)scalar, (void)digest;
	return false;
}

bool du_p256_public(uint8_t key[64], const uint8_t scalar[32])
{
	(void)key, (void)scalar;
	return false;
}

#endif
