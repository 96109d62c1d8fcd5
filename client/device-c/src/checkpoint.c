/* Checkpoints: a text that a header signs, evidence for the header, and cosignatures. docs/checkpoint.md. */
#include "internal.h"

enum { COSIGNATURE_SIZE = 8 + 64 }; /* unix seconds, Ed25519 */

/* A checkpoint file taken apart. */
typedef struct {
	du_note note;
	du_bytes evidence; /* behind the set, in work */
	uint8_t app_hash[32];
} opened;

/* Reads a file to the last byte. It verifies no signature and no hash. */
static dure_code open_file(opened *o, const uint8_t *file, size_t size, uint8_t *work, size_t work_size)
{
	du_note *n = &o->note;
	uint64_t height, time;
	du_signature s;
	du_bytes lines;
	size_t used;
	TRY(du_note_read(n, file, size, work, work_size));
	TRY(du_signatures_check(n));
	lines = n->lines;
	du_signature_next(&lines, &s);
	used = n->validators * DURE_VALIDATOR_SIZE;
	if (s.size > work_size - used)
		return DURE_DEVICE_TOO_LITTLE_MEMORY;
	o->evidence.at = work + used;
	o->evidence.size = du_base64_decode(s.base64, 4, work + used, s.size);
	TRY(du_evidence_read(o->evidence, &height, &time));
	if (height != n->height || time != n->time)
		return DURE_CHECKPOINT_MALFORMED;
	du_app_hash(o->app_hash, n->state, n->log_size, n->log_root);
	return DURE_OK;
}

/* The file's validators and header, as what to verify from next. */
static void make_anchor(dure_anchor *a, const du_note *n, const uint8_t *set)
{
	memcpy(a->network, n->network, sizeof a->network);
	a->height = n->height;
	a->pinned = true;
	memcpy(a->header, n->header, 32);
	a->set = set;
	a->validators = n->validators;
}

static dure_code check_policy(const dure_policy *p)
{
	size_t i, j;
	for (i = 0; i < p->count; i++) {
		if (!du_name_ok((const uint8_t *)p->witnesses[i].name, du_length(p->witnesses[i].name, DURE_MAX_NAME)))
			return DURE_CHECKPOINT_BAD_POLICY;
		for (j = 0; j < i; j++) {
			if (memcmp(p->witnesses[i].key, p->witnesses[j].key, 32) == 0)
				return DURE_CHECKPOINT_BAD_POLICY;
		}
	}
	return p->threshold <= p->count ? DURE_OK : DURE_CHECKPOINT_BAD_POLICY;
}

static void witness_id(uint8_t out[4], const char *name, const uint8_t key[32])
{
	uint8_t type_and_key[33];
	du_bytes n = {(const uint8_t *)name, strlen(name)};
	type_and_key[0] = 4;
	memcpy(type_and_key + 1, key, 32);
	du_key_id(out, n, type_and_key, sizeof type_and_key);
}

/* What cosignature/v1 signs is this line and the text. It needs 42 bytes. */
static size_t time_line(char *out, uint64_t time)
{
	static const char head[] = "cosignature/v1\ntime ";
	char digits[20];
	size_t n = sizeof head - 1, count = 0;
	memcpy(out, head, n);
	do {
		digits[count++] = (char)('0' + time % 10);
		time /= 10;
	} while (time > 0);
	while (count > 0)
		out[n++] = digits[--count];
	out[n++] = '\n';
	return n;
}

static bool verify_cosignature(const du_signature *s, const dure_witness *w, du_bytes text)
{
	uint8_t cosignature[COSIGNATURE_SIZE];
	char head[42];
	du_bytes parts[2];
	if (s->size != COSIGNATURE_SIZE)
		return false;
	du_base64_decode(s->base64, 4, cosignature, sizeof cosignature);
	if (du_read64(cosignature) > INT64_MAX)
		return false;
	parts[0].at = (const uint8_t *)head;
	parts[0].size = time_line(head, du_read64(cosignature));
	parts[1] = text;
	return du_ed25519_verify(DU_RFC8032, w->key, cosignature + 8, parts, 2);
}

/* Verifies the lines of the policy's witnesses and counts them; lines by others are ignored, as signed notes ask. */
static dure_code verify_cosignatures(const du_note *n, const dure_policy *p, uint32_t *cosigned)
{
	du_bytes lines = n->lines;
	du_signature s;
	size_t i;
	*cosigned = 0;
	if (p == NULL)
		return DURE_OK;
	TRY(check_policy(p));
	du_signature_next(&lines, &s); /* the network's own */
	while (du_signature_next(&lines, &s)) {
		for (i = 0; i < p->count; i++) {
			const dure_witness *w = &p->witnesses[i];
			uint8_t id[4];
			if (strlen(w->name) != s.name.size || memcmp(w->name, s.name.at, s.name.size) != 0)
				continue;
			witness_id(id, w->name, w->key);
			if (memcmp(id, s.key_id, 4) != 0)
				continue;
			if (!verify_cosignature(&s, w, n->text))
				return DURE_CHECKPOINT_BAD_COSIGNATURE;
			++*cosigned;
		}
	}
	return *cosigned >= p->threshold ? DURE_OK : DURE_CHECKPOINT_TOO_FEW_COSIGNATURES;
}

dure_code dure_anchor_checkpoint(dure_anchor *anchor, const uint8_t *file, size_t size, const dure_policy *policy, uint8_t *work, size_t work_size)
{
	opened o;
	uint32_t cosigned;
	memset(anchor, 0, sizeof *anchor);
	TRY(open_file(&o, file, size, work, work_size));
	TRY(verify_cosignatures(&o.note, policy, &cosigned));
	make_anchor(anchor, &o.note, work);
	return du_evidence_last(anchor, o.evidence, o.app_hash, anchor->header);
}

dure_code dure_checkpoint_verify(const dure_anchor *anchor, const uint8_t *file, size_t size, const dure_policy *policy,
                                 uint8_t *work, size_t work_size, dure_checkpoint *checkpoint)
{
	opened o;
	du_trail trail;
	uint64_t total;
	uint8_t hash[32];
	memset(checkpoint, 0, sizeof *checkpoint);
	TRY(open_file(&o, file, size, work, work_size));
	if (strcmp(o.note.network, anchor->network) != 0)
		return DURE_CHECKPOINT_WRONG_NETWORK;
	TRY(verify_cosignatures(&o.note, policy, &checkpoint->cosigned));
	TRY(du_evidence_follow(anchor, o.evidence, o.app_hash, &trail));
	if (memcmp(trail.grounds.header, o.note.header, 32) != 0)
		return DURE_CHECKPOINT_WRONG_HEADER;
	TRY(du_set_check(work, o.note.validators, &total));
	du_set_hash(hash, work, o.note.validators);
	if (memcmp(hash, trail.set_hash, 32) != 0)
		return DURE_CHECKPOINT_WRONG_VALIDATORS;
	checkpoint->grounds = trail.grounds;
	checkpoint->log_size = o.note.log_size;
	memcpy(checkpoint->log_root, o.note.log_root, 32);
	memcpy(checkpoint->state, o.note.state, 32);
	checkpoint->text = o.note.text.at;
	checkpoint->text_size = o.note.text.size;
	make_anchor(&checkpoint->anchor, &o.note, work);
	return DURE_OK;
}

dure_code dure_checkpoint_cosign(const dure_checkpoint *checkpoint, const char *name, const uint8_t seed[32], uint64_t time,
                                 char *line, size_t capacity, size_t *length)
{
	size_t n = du_length(name, DURE_MAX_NAME);
	uint8_t key[32], signature[4 + COSIGNATURE_SIZE];
	char head[42];
	du_bytes parts[2];
	du_writer w = {(uint8_t *)line, 0};
	if (!du_name_ok((const uint8_t *)name, n) || strcmp(name, checkpoint->anchor.network) == 0 || time > INT64_MAX)
		return DURE_CHECKPOINT_BAD_WITNESS;
	if (capacity < n + 110)
		return DURE_DEVICE_TOO_LITTLE_MEMORY;
	parts[0].at = (const uint8_t *)head;
	parts[0].size = time_line(head, time);
	parts[1].at = checkpoint->text;
	parts[1].size = checkpoint->text_size;
	du_ed25519_public(key, seed);
	witness_id(signature, name, key);
	du_write64(signature + 4, time);
	du_ed25519_sign(signature + 12, seed, key, parts, 2);
	du_put(&w, "\xe2\x80\x94 ", 4);
	du_put(&w, name, n);
	du_put8(&w, ' ');
	du_base64_encode(line + w.size, signature, sizeof signature);
	w.size += (sizeof signature + 2) / 3 * 4;
	du_put8(&w, '\n');
	*length = w.size;
	return DURE_OK;
}
