/* Signing keys of devices. Each carries its function, so that a linker can leave out those of kinds that are not used. */
#include "internal.h"

static bool sign_ed25519(const dure_key *key, const uint8_t *message, size_t size, uint8_t signature[64])
{
	du_bytes all = {message, size};
	du_ed25519_sign(signature, key->secret, key->public_key, &all, 1);
	return true;
}

void dure_key_ed25519(dure_key *key, const uint8_t seed[32])
{
	memset(key, 0, sizeof *key);
	key->alg = DURE_EDDSA;
	key->sign = sign_ed25519;
	memcpy(key->secret, seed, 32);
	du_ed25519_public(key->public_key, seed);
}

static bool sign_p256(const dure_key *key, const uint8_t *message, size_t size, uint8_t signature[64])
{
	uint8_t digest[32];
	du_bytes all = {message, size};
	du_sha256(digest, &all, 1);
	return du_p256_sign(signature, key->secret, digest) && du_p256_low(signature);
}

dure_code dure_key_p256(dure_key *key, const uint8_t scalar[32])
{
	memset(key, 0, sizeof *key);
	if (!du_p256_public(key->public_key, scalar))
		return DURE_READING_BAD_KEY;
	key->alg = DURE_ES256;
	key->sign = sign_p256;
	memcpy(key->secret, scalar, 32);
	return DURE_OK;
}

static bool sign_element(const dure_key *key, const uint8_t *message, size_t size, uint8_t signature[64])
{
	uint8_t digest[32];
	du_bytes all = {message, size};
	du_sha256(digest, &all, 1);
	return key->element(key->context, digest, signature) == 0 && du_p256_low(signature);
}

void dure_key_element(dure_key *key, dure_element element, void *context)
{
	memset(key, 0, sizeof *key);
	key->alg = DURE_ES256;
	key->sign = sign_element;
	key->element = element;
	key->context = context;
}
