/* Cosignatures of outside witnesses, in checkpoints and receipts. docs/checkpoint.md. */
#include "internal.h"

static void put_decimal(du_writer *w, uint64_t v)
{
	uint8_t digits[20];
	size_t count = 0;
	do {
		digits[count++] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	while (count > 0)
		du_put8(w, digits[--count]);
}

static void put_hash(du_writer *w, const uint8_t hash[32])
{
	du_base64_encode((char *)w->at + w->size, hash, 32);
	w->size += 44;
}

static void put_word(du_writer *w, const char *word)
{
	du_put(w, word, strlen(word));
}

/* Hands a line on to be hashed, and begins the next. */
static void end_line(du_writer *w, br_sha512_context *c)
{
	du_put8(w, '\n');
	br_sha512_update(c, w->at, w->size);
	w->size = 0;
}

/* Hashes the text of a checkpoint that is nowhere in memory, a line at a time. */
static void hash_text(br_sha512_context *c, const du_note *n)
{
	uint8_t line[80]; /* the longest is a validator's: 10, a power of up to 19 digits, a space, 44 and the newline */
	du_writer w = {line, 0};
	size_t i;
	put_word(&w, n->network);
	end_line(&w, c);
	put_decimal(&w, n->log_size);
	end_line(&w, c);
	put_hash(&w, n->log_root);
	end_line(&w, c);
	put_word(&w, "height ");
	put_decimal(&w, n->height);
	end_line(&w, c);
	put_word(&w, "time ");
	put_decimal(&w, n->time);
	end_line(&w, c);
	put_word(&w, "header ");
	put_hash(&w, n->header);
	end_line(&w, c);
	put_word(&w, "state ");
	put_hash(&w, n->state);
	end_line(&w, c);
	for (i = 0; i < n->validators; i++) {
		const uint8_t *v = n->set + i * DURE_VALIDATOR_SIZE;
		put_word(&w, "validator ");
		put_decimal(&w, du_read64(v + 32));
		du_put8(&w, ' ');
		put_hash(&w, v);
		end_line(&w, c);
	}
}

size_t du_time_line(uint8_t *out, uint64_t time)
{
	du_writer w = {out, 0};
	put_word(&w, "cosignature/v1\ntime ");
	put_decimal(&w, time);
	du_put8(&w, '\n');
	return w.size;
}

/* SHA-512(signature[:32] || key || message), in a function of its own so that its memory is free again when points are multiplied. */
static void hash_message(uint8_t out[64], const dure_witness *w, const uint8_t *bytes, const du_note *n)
{
	br_sha512_context c;
	uint8_t head[DU_TIME_LINE];
	br_sha512_init(&c);
	br_sha512_update(&c, bytes + 8, 32);
	br_sha512_update(&c, w->key, 32);
	br_sha512_update(&c, head, du_time_line(head, du_read64(bytes)));
	if (n->text.size > 0)
		br_sha512_update(&c, n->text.at, n->text.size);
	else
		hash_text(&c, n);
	br_sha512_out(&c, out);
}

static bool verify(const dure_witness *w, const uint8_t *bytes, const du_note *n)
{
	uint8_t h[64];
	if (bytes == NULL || du_read64(bytes) > INT64_MAX || strcmp(w->name, n->network) == 0)
		return false;
	hash_message(h, w, bytes, n);
	return du_ed25519_holds(DU_RFC8032, w->key, bytes + 8, h);
}

void du_witness_id(uint8_t out[4], const char *name, const uint8_t key[32])
{
	uint8_t type_and_key[33];
	du_bytes n = {(const uint8_t *)name, strlen(name)};
	type_and_key[0] = 4;
	memcpy(type_and_key + 1, key, 32);
	du_key_id(out, n, type_and_key, sizeof type_and_key);
}

dure_code du_search_begin(du_search *s, const dure_policy *p, int64_t *times)
{
	size_t i, j;
	s->policy = p;
	s->times = times;
	s->found = 0;
	for (i = 0; i < p->count; i++) {
		if (!du_name_ok((const uint8_t *)p->witnesses[i].name, du_length(p->witnesses[i].name, DURE_MAX_NAME)))
			return DURE_CHECKPOINT_BAD_POLICY;
		for (j = 0; j < i; j++) {
			if (memcmp(p->witnesses[i].key, p->witnesses[j].key, 32) == 0)
				return DURE_CHECKPOINT_BAD_POLICY;
		}
		if (times != NULL)
			times[i] = -1;
	}
	return p->threshold <= p->count ? DURE_OK : DURE_CHECKPOINT_BAD_POLICY;
}

dure_code du_search_take(du_search *s, const du_cosignature *c, const du_note *n)
{
	size_t i;
	for (i = 0; i < s->policy->count; i++) {
		const dure_witness *w = &s->policy->witnesses[i];
		uint8_t id[4];
		if (strlen(w->name) != c->name.size || memcmp(w->name, c->name.at, c->name.size) != 0)
			continue;
		du_witness_id(id, w->name, w->key);
		if (memcmp(id, c->key_id, 4) != 0)
			continue;
		if (!verify(w, c->bytes, n))
			return DURE_CHECKPOINT_BAD_COSIGNATURE;
		s->found++;
		if (s->times != NULL)
			s->times[i] = (int64_t)du_read64(c->bytes);
	}
	return DURE_OK;
}

dure_code du_search_end(const du_search *s)
{
	return s->found >= s->policy->threshold ? DURE_OK : DURE_CHECKPOINT_TOO_FEW_COSIGNATURES;
}
