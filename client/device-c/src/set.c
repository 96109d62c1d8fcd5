/* Sets of validators: key (32) || power (8) each, one after the other. docs/receipt.md. */
#include "internal.h"

#define MAX_TOTAL ((UINT64_C(1) << 60) - 1) /* of all powers, so that three times it fits in 64 bits */

/* Whether the validator at a comes before the one at b: more power, or the smaller address. */
static bool before(const uint8_t *a, const uint8_t *b)
{
	uint64_t power_a = du_read64(a + 32), power_b = du_read64(b + 32);
	uint8_t address_a[32], address_b[32];
	du_bytes key_a = {a, 32}, key_b = {b, 32};
	if (power_a != power_b)
		return power_a > power_b;
	du_sha256(address_a, &key_a, 1);
	du_sha256(address_b, &key_b, 1);
	return memcmp(address_a, address_b, 20) < 0;
}

dure_code du_set_check(const uint8_t *set, size_t validators, uint64_t *total)
{
	size_t i, j;
	*total = 0;
	if (validators == 0)
		return DURE_PROOF_BAD_VALIDATORS;
	for (i = 0; i < validators; i++) {
		const uint8_t *v = set + i * DURE_VALIDATOR_SIZE;
		uint64_t power = du_read64(v + 32);
		for (j = 0; j < i; j++) {
			if (memcmp(set + j * DURE_VALIDATOR_SIZE, v, 32) == 0)
				return DURE_PROOF_BAD_VALIDATORS;
		}
		if (power == 0 || power > MAX_TOTAL - *total)
			return DURE_PROOF_BAD_VALIDATORS;
		*total += power;
		if (i > 0 && before(v, v - DURE_VALIDATOR_SIZE))
			return DURE_PROOF_BAD_VALIDATORS;
	}
	return DURE_OK;
}

void du_set_hash(uint8_t out[32], const uint8_t *set, size_t validators)
{
	uint8_t buffer[48];
	du_tree t;
	size_t i;
	t.leaves = 0;
	for (i = 0; i < validators; i++) {
		const uint8_t *v = set + i * DURE_VALIDATOR_SIZE;
		du_writer w = {buffer, 0};
		du_put8(&w, 0x0a);
		du_put8(&w, 0x22);
		du_put_bytes(&w, 0x0a, v, 32);
		du_put_field(&w, 0x10, du_read64(v + 32));
		du_tree_add(&t, w.at, w.size);
	}
	du_tree_root(&t, out);
}

void du_set_sort(uint8_t *set, size_t validators)
{
	uint8_t v[DURE_VALIDATOR_SIZE];
	size_t i, j;
	for (i = 1; i < validators; i++) {
		memcpy(v, set + i * DURE_VALIDATOR_SIZE, sizeof v);
		for (j = i; j > 0 && before(v, set + (j - 1) * DURE_VALIDATOR_SIZE); j--)
			memcpy(set + j * DURE_VALIDATOR_SIZE, set + (j - 1) * DURE_VALIDATOR_SIZE, sizeof v);
		memcpy(set + j * DURE_VALIDATOR_SIZE, v, sizeof v);
	}
}

dure_code dure_anchor_genesis(dure_anchor *anchor, const char *network, uint8_t *set, size_t validators)
{
	uint64_t total;
	size_t n = du_length(network, DURE_MAX_NETWORK);
	memset(anchor, 0, sizeof *anchor);
	if (n == 0 || set == NULL || validators > 65535)
		return DURE_DEVICE_BAD_ARGUMENT;
	memcpy(anchor->network, network, n);
	anchor->height = 1;
	anchor->set = set;
	anchor->validators = validators;
	du_set_sort(set, validators);
	return du_set_check(set, validators, &total);
}
