/* Receipts. docs/receipt.md has the layout and the steps; those here are in its order. */
#include "internal.h"

/* A receipt as it lies in the file. */
typedef struct {
	du_bytes network, transaction, outcome;
	uint64_t log_size;
	unsigned path_length;
	const uint8_t *path, *state;
	du_bytes evidence;   /* and what follows it */
	bool witnessed;      /* version 2: cosignatures follow */
	du_reader witnesses; /* at their number */
	uint8_t log_root[32];
} layout;

static du_bytes take_sized(du_reader *r)
{
	du_bytes b;
	uint64_t n = du_number(r, 4);
	if (n > r->left)
		r->failed = true;
	b.size = r->failed ? 0 : (size_t)n;
	b.at = du_take(r, b.size);
	return b;
}

/* Reads a receipt up to its evidence. */
static dure_code read_layout(const uint8_t *file, size_t size, layout *l)
{
	du_reader r = {file, size, false};
	const uint8_t *magic;
	uint64_t version;
	if (size > DURE_MAX_RECEIPT) /* with ML-DSA-65 all are: say which it is */
		return memcmp(file, "DURE\3", 5) == 0 ? DURE_RECEIPT_UNSUPPORTED_VERSION : DURE_RECEIPT_TOO_LARGE;
	magic = du_take(&r, 4);
	if (magic == NULL || memcmp(magic, "DURE", 4) != 0)
		return DURE_RECEIPT_NOT_A_RECEIPT;
	version = du_number(&r, 1);
	if (!r.failed && version != 1 && version != 2)
		return DURE_RECEIPT_UNSUPPORTED_VERSION;
	l->witnessed = version == 2;
	l->network.size = (size_t)du_number(&r, 1);
	if (l->network.size == 0 || l->network.size > DURE_MAX_NETWORK)
		r.failed = true;
	l->network.at = du_take(&r, l->network.size);
	l->transaction = take_sized(&r);
	l->outcome = take_sized(&r);
	l->log_size = du_number(&r, 8);
	l->path_length = (unsigned)du_number(&r, 1);
	if (l->path_length > 64)
		r.failed = true;
	l->path = du_take(&r, (size_t)l->path_length * 32);
	l->state = du_take(&r, 32);
	l->evidence.at = r.at;
	l->evidence.size = r.left;
	return r.failed ? DURE_PROOF_MALFORMED : DURE_OK;
}

/* A varint of at most 64 bits. */
static uint64_t take_varint(du_reader *r)
{
	uint64_t v = 0;
	unsigned shift;
	for (shift = 0; shift < 64; shift += 7) {
		uint64_t b = du_number(r, 1);
		if (shift == 63 && b > 1)
			break;
		v |= (b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	r->failed = true;
	return 0;
}

/* Reads an outcome's own fields; events and refusal are the caller's to read, and signed. Unknown fields are fine. */
static dure_code read_outcome(du_bytes outcome, dure_receipt *out)
{
	du_reader r = {outcome.at, outcome.size, false};
	const uint8_t *id = NULL, *tx_hash = NULL;
	uint64_t status = 0;
	while (r.left > 0 && !r.failed) {
		uint64_t tag = take_varint(&r), number = 0, n;
		const uint8_t *bytes = NULL;
		if (tag >> 3 == 0 || tag >> 3 > 536870911)
			return DURE_RECEIPT_BAD_OUTCOME;
		switch (tag & 7) {
		case 0:
			number = take_varint(&r);
			break;
		case 1:
			du_take(&r, 8);
			break;
		case 2:
			n = take_varint(&r);
			if (n > r.left)
				return DURE_RECEIPT_BAD_OUTCOME;
			bytes = du_take(&r, (size_t)n);
			if (tag == (1 << 3 | 2))
				id = n == 32 ? bytes : NULL;
			if (tag == (2 << 3 | 2))
				tx_hash = n == 32 ? bytes : NULL;
			break;
		case 5:
			du_take(&r, 4);
			break;
		default: /* groups, which no outcome has */
			return DURE_RECEIPT_BAD_OUTCOME;
		}
		if (tag == 3 << 3)
			out->sequence = number;
		if (tag == 4 << 3)
			out->height = number;
		if (tag == 6 << 3)
			out->time = (int64_t)number;
		if (tag == 7 << 3)
			status = number & UINT32_MAX;
	}
	if (r.failed || id == NULL || tx_hash == NULL || (status != 1 && status != 2))
		return DURE_RECEIPT_BAD_OUTCOME;
	memcpy(out->id, id, 32);
	memcpy(out->tx_hash, tx_hash, 32);
	out->ok = status == 1;
	return DURE_OK;
}

/* The log's root from a leaf's hash and its path, in place: RFC 9162, section 2.1.3.2. */
static dure_code climb(uint8_t hash[32], uint64_t index, const layout *l)
{
	uint64_t last = l->log_size - 1;
	unsigned i;
	if (index >= l->log_size)
		return DURE_PROOF_BAD_PATH;
	for (i = 0; i < l->path_length; i++) {
		const uint8_t *sibling = l->path + (size_t)i * 32;
		if (last == 0)
			return DURE_PROOF_BAD_PATH;
		if (index & 1 || index == last) {
			du_children(hash, sibling, hash);
			while (!(index & 1) && index != 0) {
				index >>= 1;
				last >>= 1;
			}
		} else {
			du_children(hash, hash, sibling);
		}
		index >>= 1;
		last >>= 1;
	}
	return last == 0 ? DURE_OK : DURE_PROOF_BAD_PATH;
}

static void take_cosignature(du_reader *r, du_cosignature *c)
{
	c->name.size = (size_t)du_number(r, 1);
	c->name.at = du_take(r, c->name.size);
	c->key_id = du_take(r, 4);
	c->bytes = du_take(r, DU_COSIGNATURE_SIZE);
	if (!r->failed)
		r->failed = !du_name_ok(c->name.at, c->name.size) || du_read64(c->bytes) > INT64_MAX;
}

/* Whether a comes before b: by name, then key id. */
static bool before(const du_cosignature *a, const du_cosignature *b)
{
	int order = memcmp(a->name.at, b->name.at, a->name.size < b->name.size ? a->name.size : b->name.size);
	if (order == 0 && a->name.size == b->name.size)
		order = memcmp(a->key_id, b->key_id, 4);
	else if (order == 0)
		return a->name.size < b->name.size;
	return order < 0;
}

static bool same(du_bytes name, du_bytes other)
{
	return name.size == other.size && memcmp(name.at, other.at, name.size) == 0;
}

/* Checks the form of the cosignatures and takes them off. */
static void read_cosignatures(du_reader *r, du_bytes network)
{
	unsigned count = (unsigned)du_number(r, 1);
	du_cosignature c, last = {{(const uint8_t *)"", 0}, NULL, NULL}; /* before all others */
	if (count == 0 || count > DU_MAX_COSIGNATURES)
		r->failed = true;
	for (; count > 0 && !r->failed; count--, last = c) {
		take_cosignature(r, &c);
		if (!r->failed)
			r->failed = same(c.name, network) || !before(&last, &c);
	}
}

/* Reads what follows the state root, to the last byte. */
static dure_code read_rest(layout *l)
{
	du_reader r = {l->evidence.at, l->evidence.size, false};
	uint64_t height, time;
	du_evidence_read(&r, &height, &time);
	l->witnesses = r;
	if (l->witnessed)
		read_cosignatures(&r, l->network);
	return r.failed || r.left > 0 ? DURE_PROOF_MALFORMED : DURE_OK;
}

/* All but who has cosigned. */
static dure_code verify(const dure_anchor *anchor, const uint8_t *file, size_t size, dure_receipt *receipt, layout *l, du_trail *trail)
{
	du_bytes network = {(const uint8_t *)anchor->network, strlen(anchor->network)};
	uint8_t hash[32];
	memset(receipt, 0, sizeof *receipt);
	TRY(read_layout(file, size, l));
	TRY(read_outcome(l->outcome, receipt));
	if (l->transaction.size > 0) {
		du_sha256(hash, &l->transaction, 1);
		if (memcmp(hash, receipt->tx_hash, 32) != 0)
			return DURE_RECEIPT_WRONG_TRANSACTION;
		receipt->transaction = l->transaction.at;
		receipt->transaction_size = l->transaction.size;
	}
	receipt->outcome = l->outcome.at;
	receipt->outcome_size = l->outcome.size;
	du_leaf(l->log_root, l->outcome.at, l->outcome.size);
	TRY(climb(l->log_root, receipt->sequence, l));
	du_app_hash(hash, l->state, l->log_size, l->log_root);
	TRY(read_rest(l));
	if (!same(l->network, network))
		return DURE_RECEIPT_WRONG_NETWORK;
	TRY(du_evidence_follow(anchor, l->evidence, hash, trail));
	if (receipt->height == 0 || receipt->height >= trail->grounds.height)
		return DURE_RECEIPT_BAD_OUTCOME;
	receipt->grounds = trail->grounds;
	return DURE_OK;
}

dure_code dure_receipt_verify(const dure_anchor *anchor, const uint8_t *file, size_t size, dure_receipt *receipt)
{
	du_trail trail;
	layout l;
	return verify(anchor, file, size, receipt, &l, &trail);
}

/* What the checkpoint of a receipt's last header says. */
static void state_checkpoint(du_note *n, const char *network, const layout *l, const du_trail *t)
{
	memset(n, 0, sizeof *n);
	memcpy(n->network, network, sizeof n->network);
	n->log_size = l->log_size;
	memcpy(n->log_root, l->log_root, 32);
	n->height = t->grounds.height;
	n->time = t->grounds.time;
	memcpy(n->header, t->grounds.header, 32);
	memcpy(n->state, l->state, 32);
	n->set = t->set;
	n->validators = t->grounds.validators;
}

dure_code dure_receipt_verify_witnessed(const dure_anchor *anchor, const uint8_t *file, size_t size, const dure_policy *policy,
                                        int64_t *times, dure_receipt *receipt)
{
	du_trail trail;
	layout l;
	du_note n;
	du_cosignature c;
	du_search search;
	uint64_t count;
	TRY(verify(anchor, file, size, receipt, &l, &trail));
	TRY(du_search_begin(&search, policy, times));
	state_checkpoint(&n, anchor->network, &l, &trail);
	for (count = l.witnessed ? du_number(&l.witnesses, 1) : 0; count > 0; count--) {
		take_cosignature(&l.witnesses, &c);
		TRY(du_search_take(&search, &c, &n));
	}
	receipt->cosigned = search.found;
	return du_search_end(&search);
}
