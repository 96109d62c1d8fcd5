/* Evidence: headers of changes of validators, and a last header, each signed by the validators before it. docs/receipt.md. */
#include "internal.h"

enum {
	SIGNATURE_SIZE = 74, /* validator (2) || time (8) || signature (64) */
	BLOCK_SIZE = 68      /* hash (32) || parts total (4) || parts hash (32) */
};

/* Headers, commits and sets as they lie in the file. */
typedef struct {
	uint64_t block_version, app_version, height, time;
	const uint8_t *last_block; /* NULL at height 1 */
	const uint8_t *last_commit, *data, *next_validators, *consensus, *app, *last_results, *evidence, *proposer;
} header;

typedef struct {
	uint64_t round;
	const uint8_t *parts; /* total (4) || hash (32) */
	size_t count;
	const uint8_t *signatures;
} commit;

typedef struct {
	const uint8_t *set;
	size_t validators;
} set;

static void read_header(du_reader *r, header *h, const uint8_t *app_hash)
{
	h->block_version = du_number(r, 8);
	h->app_version = du_number(r, 8);
	h->height = du_u63(r);
	if (h->height == 0)
		r->failed = true;
	h->time = du_u63(r);
	h->last_block = h->height == 1 ? NULL : du_take(r, BLOCK_SIZE);
	h->last_commit = du_take(r, 32);
	h->data = du_take(r, 32);
	h->next_validators = du_take(r, 32);
	h->consensus = du_take(r, 32);
	h->app = app_hash != NULL ? app_hash : du_take(r, 32);
	h->last_results = du_take(r, 32);
	h->evidence = du_take(r, 32);
	h->proposer = du_take(r, 20);
}

static void read_commit(du_reader *r, commit *c)
{
	du_reader times;
	size_t i;
	c->round = du_number(r, 4);
	if (c->round > INT32_MAX)
		r->failed = true;
	c->parts = du_take(r, 36);
	c->count = (size_t)du_number(r, 2);
	times = *r;
	c->signatures = du_take(r, c->count * SIGNATURE_SIZE);
	for (i = 0; !r->failed && i < c->count; i++) {
		du_take(&times, 2);
		du_u63(&times);
		du_take(&times, 64);
		r->failed = times.failed;
	}
}

static void read_set(du_reader *r, set *s)
{
	size_t i;
	s->validators = (size_t)du_number(r, 2);
	s->set = du_take(r, s->validators * DURE_VALIDATOR_SIZE);
	for (i = 0; !r->failed && i < s->validators; i++)
		r->failed = du_read64(s->set + i * DURE_VALIDATOR_SIZE + 32) > INT64_MAX;
}

void du_evidence_read(du_reader *r, uint64_t *height, uint64_t *time)
{
	static const uint8_t any_app_hash[32];
	unsigned changes = (unsigned)du_number(r, 2);
	header h;
	commit c;
	set s;
	for (; changes > 0 && !r->failed; changes--) {
		read_header(r, &h, NULL);
		read_commit(r, &c);
		read_set(r, &s);
	}
	read_header(r, &h, any_app_hash);
	read_commit(r, &c);
	*height = h.height;
	*time = h.time;
}

/* Parts total and hash, as CometBFT's PartSetHeader. */
static void put_parts(du_writer *w, const uint8_t parts[36])
{
	uint8_t buffer[48];
	du_writer p = {buffer, 0};
	du_put_field(&p, 0x08, (uint32_t)parts[0] << 24 | (uint32_t)parts[1] << 16 | (uint32_t)parts[2] << 8 | parts[3]);
	du_put_bytes(&p, 0x12, parts + 4, 32);
	du_put_bytes(w, 0x12, p.at, p.size);
}

static void add_hash(du_tree *t, const uint8_t hash[32])
{
	uint8_t buffer[34];
	du_writer w = {buffer, 0};
	du_put_bytes(&w, 0x0a, hash, 32);
	du_tree_add(t, w.at, w.size);
}

static void hash_header(uint8_t out[32], const char *network, const uint8_t set_hash[32], const header *h)
{
	uint8_t buffer[96];
	du_writer w = {buffer, 0};
	du_tree t;
	t.leaves = 0;
	du_put_field(&w, 0x08, h->block_version);
	du_put_field(&w, 0x10, h->app_version);
	du_tree_add(&t, w.at, w.size);
	w.size = 0;
	du_put_bytes(&w, 0x0a, network, strlen(network));
	du_tree_add(&t, w.at, w.size);
	w.size = 0;
	du_put_field(&w, 0x08, h->height);
	du_tree_add(&t, w.at, w.size);
	w.size = 0;
	du_put_time(&w, h->time);
	du_tree_add(&t, w.at, w.size);
	w.size = 0;
	if (h->last_block != NULL) {
		du_put_bytes(&w, 0x0a, h->last_block, 32);
		put_parts(&w, h->last_block + 32);
	} else {
		du_put_bytes(&w, 0x12, "", 0);
	}
	du_tree_add(&t, w.at, w.size);
	add_hash(&t, h->last_commit);
	add_hash(&t, h->data);
	add_hash(&t, set_hash);
	add_hash(&t, h->next_validators);
	add_hash(&t, h->consensus);
	add_hash(&t, h->app);
	add_hash(&t, h->last_results);
	add_hash(&t, h->evidence);
	w.size = 0;
	du_put_bytes(&w, 0x0a, h->proposer, 20);
	du_tree_add(&t, w.at, w.size);
	du_tree_root(&t, out);
}

static void put_little(du_writer *w, uint8_t tag, uint64_t v)
{
	unsigned i;
	du_put8(w, tag);
	for (i = 0; i < 8; i++, v >>= 8)
		du_put8(w, (uint8_t)v);
}

/* Whether signature is a precommit of the key for the header with this hash and height. */
static bool verify_vote(const char *network, const uint8_t hash[32], uint64_t height, const commit *c, const uint8_t *signature, const uint8_t key[32])
{
	uint8_t vote[240], block[96], time[16], prefix[2];
	du_writer v = {vote, 0}, b = {block, 0}, t = {time, 0}, p = {prefix, 0};
	du_bytes parts[2];
	du_put_bytes(&b, 0x0a, hash, 32);
	put_parts(&b, c->parts);
	du_put_time(&t, du_read64(signature + 2));
	du_put_field(&v, 0x08, 2);
	put_little(&v, 0x11, height);
	if (c->round != 0)
		put_little(&v, 0x19, c->round);
	du_put_bytes(&v, 0x22, b.at, b.size);
	du_put_bytes(&v, 0x2a, t.at, t.size);
	du_put_bytes(&v, 0x32, network, strlen(network));
	du_put_varint(&p, v.size);
	parts[0].at = p.at;
	parts[0].size = p.size;
	parts[1].at = v.at;
	parts[1].size = v.size;
	return du_ed25519_verify(DU_ZIP215, key, signature + 10, parts, 2);
}

/* Verifies a header's commit by a set whose form is good, and fills in who signed. grounds->header and height are the header's. */
static dure_code verify_commit(const char *network, const set *s, const commit *c, dure_grounds *g)
{
	size_t i, next = 0;
	g->signatures = 0;
	g->power = 0;
	for (i = 0; i < c->count; i++) {
		const uint8_t *signature = c->signatures + i * SIGNATURE_SIZE;
		size_t index = (size_t)signature[0] << 8 | signature[1];
		const uint8_t *signer = s->set + index * DURE_VALIDATOR_SIZE;
		/* In ascending order, so that nobody counts twice. */
		if (index < next || index >= s->validators)
			return DURE_PROOF_BAD_SIGNER;
		next = index + 1;
		if (!verify_vote(network, g->header, g->height, c, signature, signer))
			return DURE_PROOF_BAD_SIGNATURE;
		g->signatures++;
		g->power += du_read64(signer + 32);
	}
	/* Totals are below 2^60, so three times them fits. */
	return 3 * g->power > 2 * g->total_power ? DURE_OK : DURE_PROOF_TOO_LITTLE_POWER;
}

/* Verifies one header by the set of the moment: at or above lowest, and when there was one before, later than that. */
static dure_code step(const dure_anchor *a, const set *s, const header *h, const commit *c, uint64_t lowest, bool first, du_trail *t)
{
	dure_grounds *g = &t->grounds;
	uint64_t before = g->time;
	if (h->height < a->height)
		return DURE_PROOF_BEFORE_ANCHOR;
	if (h->height < lowest || (!first && h->time <= before))
		return DURE_PROOF_OUT_OF_ORDER;
	g->height = h->height;
	g->time = h->time;
	hash_header(g->header, a->network, t->set_hash, h);
	if (a->pinned && h->height == a->height && memcmp(g->header, a->header, 32) != 0)
		return DURE_PROOF_WRONG_HEADER;
	return verify_commit(a->network, s, c, g);
}

/* Makes s, whose form is checked here, the set of the moment. */
static dure_code enter_set(const set *s, du_trail *t)
{
	TRY(du_set_check(s->set, s->validators, &t->grounds.total_power));
	du_set_hash(t->set_hash, s->set, s->validators);
	t->set = s->set;
	t->grounds.validators = (uint32_t)s->validators;
	return DURE_OK;
}

dure_code du_evidence_follow(const dure_anchor *anchor, du_bytes evidence, const uint8_t app_hash[32], du_trail *trail)
{
	du_reader r = {evidence.at, evidence.size, false};
	uint64_t lowest = anchor->height;
	set now = {anchor->set, anchor->validators};
	dure_grounds *g = &trail->grounds;
	header h;
	commit c;
	unsigned changes = (unsigned)du_number(&r, 2);
	memset(trail, 0, sizeof *trail);
	TRY(enter_set(&now, trail));
	for (; g->changes < changes; g->changes++) {
		uint8_t old[32];
		read_header(&r, &h, NULL);
		read_commit(&r, &c);
		TRY(step(anchor, &now, &h, &c, lowest, g->changes == 0, trail));
		memcpy(old, trail->set_hash, 32);
		read_set(&r, &now);
		TRY(enter_set(&now, trail));
		if (memcmp(trail->set_hash, h.next_validators, 32) != 0)
			return DURE_PROOF_WRONG_VALIDATORS;
		if (memcmp(trail->set_hash, old, 32) == 0)
			return DURE_PROOF_NO_CHANGE;
		lowest = h.height + 1;
	}
	read_header(&r, &h, app_hash);
	read_commit(&r, &c);
	return step(anchor, &now, &h, &c, lowest, g->changes == 0, trail);
}

dure_code du_evidence_last(const dure_anchor *anchor, du_bytes evidence, const uint8_t app_hash[32], const uint8_t hash[32])
{
	du_reader r = {evidence.at, evidence.size, false};
	set now = {anchor->set, anchor->validators}, skipped;
	unsigned changes = (unsigned)du_number(&r, 2);
	du_trail t;
	header h;
	commit c;
	memset(&t, 0, sizeof t);
	TRY(enter_set(&now, &t));
	for (; changes > 0; changes--) {
		read_header(&r, &h, NULL);
		read_commit(&r, &c);
		read_set(&r, &skipped);
	}
	read_header(&r, &h, app_hash);
	read_commit(&r, &c);
	t.grounds.height = h.height;
	hash_header(t.grounds.header, anchor->network, t.set_hash, &h);
	if (memcmp(t.grounds.header, hash, 32) != 0)
		return DURE_CHECKPOINT_WRONG_HEADER;
	return verify_commit(anchor->network, &now, &c, &t.grounds);
}

void du_app_hash(uint8_t out[32], const uint8_t state[32], uint64_t log_size, const uint8_t log_root[32])
{
	uint8_t size[8], history[32];
	du_bytes parts[3];
	du_write64(size, log_size);
	parts[0].at = (const uint8_t *)"dure/history/v1\n";
	parts[0].size = 16;
	parts[1].at = size;
	parts[1].size = 8;
	parts[2].at = log_root;
	parts[2].size = 32;
	du_sha256(history, parts, 3);
	parts[0].at = state;
	parts[0].size = 32;
	parts[1].at = history;
	parts[1].size = 32;
	du_sha256(out, parts, 2);
}
