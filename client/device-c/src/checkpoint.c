/* Checkpoints: a text that a header signs, evidence for the header, and cosignatures. docs/checkpoint.md. */
#include "internal.h"

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
	du_reader r;
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
	r.at = o->evidence.at;
	r.left = o->evidence.size;
	r.failed = false;
	du_evidence_read(&r, &height, &time);
	if (r.failed || r.left > 0)
		return DURE_PROOF_MALFORMED;
	if (height != n->height || time != n->time)
		return DURE_CHECKPOINT_MALFORMED;
	du_app_hash(o->app_hash, n->state, n->log_size, n->log_root);
	return DURE_OK;
}

/* The file's validators and header, as what to verify from next. */
static void make_anchor(dure_anchor *a, const du_note *n)
{
	memcpy(a->network, n->network, sizeof a->network);
	a->height = n->height;
	a->pinned = true;
	memcpy(a->header, n->header, 32);
	a->set = n->set;
	a->validators = n->validators;
}

/* Verifies the lines of the policy's witnesses and counts them; lines by others are ignored, as signed notes ask. */
static dure_code verify_cosignatures(const du_note *n, const dure_policy *p, uint32_t *cosigned)
{
	uint8_t bytes[DU_COSIGNATURE_SIZE];
	du_bytes lines = n->lines;
	du_signature s;
	du_search search;
	*cosigned = 0;
	if (p == NULL)
		return DURE_OK;
	TRY(du_search_begin(&search, p, NULL));
	du_signature_next(&lines, &s); /* the network's own */
	while (du_signature_next(&lines, &s)) {
		du_cosignature c = {s.name, s.key_id, NULL};
		if (s.size == sizeof bytes) {
			du_base64_decode(s.base64, 4, bytes, sizeof bytes);
			c.bytes = bytes;
		}
		TRY(du_search_take(&search, &c, n));
	}
	*cosigned = search.found;
	return du_search_end(&search);
}

dure_code dure_anchor_checkpoint(dure_anchor *anchor, const uint8_t *file, size_t size, const dure_policy *policy, uint8_t *work, size_t work_size)
{
	opened o;
	uint32_t cosigned;
	memset(anchor, 0, sizeof *anchor);
	TRY(open_file(&o, file, size, work, work_size));
	TRY(verify_cosignatures(&o.note, policy, &cosigned));
	make_anchor(anchor, &o.note);
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
	make_anchor(&checkpoint->anchor, &o.note);
	return DURE_OK;
}

dure_code dure_checkpoint_cosign(const dure_checkpoint *checkpoint, const char *name, const uint8_t seed[32], uint64_t time,
                                 char *line, size_t capacity, size_t *length)
{
	size_t n = du_length(name, DURE_MAX_NAME);
	uint8_t key[32], head[DU_TIME_LINE], signature[4 + DU_COSIGNATURE_SIZE];
	du_bytes parts[2];
	du_writer w = {(uint8_t *)line, 0};
	if (!du_name_ok((const uint8_t *)name, n) || strcmp(name, checkpoint->anchor.network) == 0 || time > INT64_MAX)
		return DURE_CHECKPOINT_BAD_WITNESS;
	if (capacity < n + 110)
		return DURE_DEVICE_TOO_LITTLE_MEMORY;
	parts[0].at = head;
	parts[0].size = du_time_line(head, time);
	parts[1].at = checkpoint->text;
	parts[1].size = checkpoint->text_size;
	du_ed25519_public(key, seed);
	du_witness_id(signature, name, key);
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
