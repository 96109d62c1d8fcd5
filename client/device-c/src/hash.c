#include "internal.h"

void du_sha256(uint8_t out[32], const du_bytes *parts, size_t count)
{
	br_sha256_context c;
	size_t i;
	br_sha256_init(&c);
	for (i = 0; i < count; i++)
		br_sha256_update(&c, parts[i].at, parts[i].size);
	br_sha256_out(&c, out);
}

void du_leaf(uint8_t out[32], const void *data, size_t size)
{
	static const uint8_t zero = 0;
	du_bytes parts[2];
	parts[0].at = &zero;
	parts[0].size = 1;
	parts[1].at = data;
	parts[1].size = size;
	du_sha256(out, parts, 2);
}

void du_children(uint8_t out[32], const uint8_t left[32], const uint8_t right[32])
{
	static const uint8_t one = 1;
	du_bytes parts[3];
	parts[0].at = &one;
	parts[0].size = 1;
	parts[1].at = left;
	parts[1].size = 32;
	parts[2].at = right;
	parts[2].size = 32;
	du_sha256(out, parts, 3);
}

/* node[k] is the root of a full tree of 2^k leaves wherever bit k of the count is set: as a binary counter that carries. */
void du_tree_add(du_tree *t, const void *data, size_t size)
{
	uint8_t carry[32];
	unsigned k;
	du_leaf(carry, data, size);
	for (k = 0; t->leaves >> k & 1; k++)
		du_children(carry, t->node[k], carry);
	memcpy(t->node[k], carry, 32);
	t->leaves++;
}

void du_tree_root(du_tree *t, uint8_t out[32])
{
	unsigned k = 0;
	while (!(t->leaves >> k & 1))
		k++;
	memcpy(out, t->node[k], 32);
	while (t->leaves >> ++k != 0) {
		if (t->leaves >> k & 1)
			du_children(out, t->node[k], out);
	}
}
