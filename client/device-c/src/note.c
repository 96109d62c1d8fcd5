/* The text of a checkpoint and the lines of a signed note. docs/checkpoint.md. */
#include "internal.h"

enum {
	MAX_SIGNATURES = 128,
	MAX_LINES = 7 + 65536,
	ML_DSA_BASE64 = 2604 /* the base64 of an ML-DSA-65 key, 1952 bytes */
};

static const char dash[] = "\xe2\x80\x94 "; /* em dash, space */

bool du_line_next(du_bytes *lines, du_line *line)
{
	const uint8_t *end = lines->size == 0 ? NULL : memchr(lines->at, '\n', lines->size);
	if (end == NULL)
		return false;
	line->at = lines->at;
	line->size = (size_t)(end - lines->at);
	lines->at = end + 1;
	lines->size -= line->size + 1;
	return true;
}

/* Takes a word that is always the same off a line. */
static bool word(du_line *line, const char *w)
{
	size_t n = strlen(w);
	if (line->size < n || memcmp(line->at, w, n) != 0)
		return false;
	line->at += n;
	line->size -= n;
	return true;
}

/* Takes a decimal without sign or leading zeros off a line, up to most. */
static bool decimal(du_line *line, uint64_t most, uint64_t *v)
{
	size_t n = 0;
	*v = 0;
	for (; n < line->size && line->at[n] >= '0' && line->at[n] <= '9'; n++) {
		unsigned d = (unsigned)(line->at[n] - '0');
		if (*v > (most - d) / 10 || (n == 1 && line->at[0] == '0'))
			return false;
		*v = *v * 10 + d;
	}
	line->at += n;
	line->size -= n;
	return n > 0;
}

/* Takes the base64 of 32 bytes, which ends a line. */
static bool hash(du_line *line, uint8_t out[32])
{
	size_t size;
	return line->size == 44 && du_base64_size(*line, &size) && size == 32 && du_base64_decode(*line, 0, out, 32) == 32;
}

bool du_name_ok(const uint8_t *name, size_t size)
{
	size_t i;
	for (i = 0; i < size; i++) {
		if (name[i] <= ' ' || name[i] == '+' || name[i] >= 0x7f)
			return false;
	}
	return size > 0 && size <= DURE_MAX_NAME;
}

/* The text ends before the first empty line; its lines are counted. */
static dure_code split(du_note *n, const uint8_t *file, size_t size, size_t *lines)
{
	size_t i;
	*lines = 1;
	for (i = 0; i + 1 < size && !(file[i] == '\n' && file[i + 1] == '\n'); i++)
		*lines += file[i] == '\n';
	if (i + 1 >= size || *lines < 8 || *lines > MAX_LINES)
		return DURE_CHECKPOINT_NOT_A_CHECKPOINT;
	n->text.at = file;
	n->text.size = i + 1;
	n->lines.at = file + i + 2;
	n->lines.size = size - i - 2;
	return DURE_OK;
}

static bool read_head(du_note *n, du_bytes *text)
{
	du_line l;
	if (!du_line_next(text, &l) || l.size > DURE_MAX_NETWORK || !du_name_ok(l.at, l.size))
		return false;
	memcpy(n->network, l.at, l.size);
	n->network[l.size] = 0;
	return du_line_next(text, &l) && decimal(&l, UINT64_MAX, &n->log_size) && l.size == 0 &&
	       du_line_next(text, &l) && hash(&l, n->log_root) &&
	       du_line_next(text, &l) && word(&l, "height ") && decimal(&l, INT64_MAX, &n->height) && l.size == 0 && n->height > 0 &&
	       du_line_next(text, &l) && word(&l, "time ") && decimal(&l, INT64_MAX, &n->time) && l.size == 0 &&
	       du_line_next(text, &l) && word(&l, "header ") && hash(&l, n->header) &&
	       du_line_next(text, &l) && word(&l, "state ") && hash(&l, n->state);
}

/* A power below 0 has a form, and is refused as a power: so it is kept, as a number too large. */
static dure_code read_validator(du_line l, uint8_t v[DURE_VALIDATOR_SIZE])
{
	uint64_t power;
	bool negative = word(&l, "validator -");
	if (!negative && !word(&l, "validator "))
		return DURE_CHECKPOINT_MALFORMED;
	if (!decimal(&l, (uint64_t)INT64_MAX + negative, &power) || (negative && power == 0) || !word(&l, " "))
		return DURE_CHECKPOINT_MALFORMED;
	if (l.size == ML_DSA_BASE64)
		return DURE_CHECKPOINT_UNSUPPORTED_VERSION;
	du_write64(v + 32, negative ? 0 - power : power);
	return hash(&l, v) ? DURE_OK : DURE_CHECKPOINT_MALFORMED;
}

/* Whether a file that is too large names a key of ML-DSA-65, with which all are. */
static bool names_ml_dsa(du_note *n, du_bytes text)
{
	du_line l;
	uint8_t v[DURE_VALIDATOR_SIZE];
	dure_code code = DURE_OK;
	if (!read_head(n, &text))
		return false;
	while (code == DURE_OK && du_line_next(&text, &l))
		code = read_validator(l, v);
	return code == DURE_CHECKPOINT_UNSUPPORTED_VERSION;
}

dure_code du_note_read(du_note *n, const uint8_t *file, size_t size, uint8_t *set, size_t capacity)
{
	size_t lines;
	du_bytes text;
	du_line l;
	memset(n, 0, sizeof *n);
	text.at = file;
	text.size = size;
	if (size > DURE_MAX_CHECKPOINT)
		return names_ml_dsa(n, text) ? DURE_CHECKPOINT_UNSUPPORTED_VERSION : DURE_CHECKPOINT_TOO_LARGE;
	TRY(split(n, file, size, &lines));
	text = n->text;
	if (!read_head(n, &text))
		return DURE_CHECKPOINT_MALFORMED;
	n->set = set;
	for (; du_line_next(&text, &l); n->validators++) {
		if (capacity < DURE_VALIDATOR_SIZE)
			return DURE_DEVICE_TOO_LITTLE_MEMORY;
		TRY(read_validator(l, set + n->validators * DURE_VALIDATOR_SIZE));
		capacity -= DURE_VALIDATOR_SIZE;
	}
	return DURE_OK;
}

bool du_signature_next(du_bytes *lines, du_signature *s)
{
	du_line l;
	const uint8_t *space;
	if (!du_line_next(lines, &l) || !word(&l, dash) || l.size == 0)
		return false;
	space = memchr(l.at, ' ', l.size);
	if (space == NULL)
		return false;
	s->name.at = l.at;
	s->name.size = (size_t)(space - l.at);
	s->base64.at = space + 1;
	s->base64.size = l.size - s->name.size - 1;
	if (!du_name_ok(s->name.at, s->name.size) || !du_base64_size(s->base64, &s->size) || s->size <= 4)
		return false;
	s->size -= du_base64_decode(s->base64, 0, s->key_id, 4);
	return true;
}

static bool same_key(const du_signature *a, const du_signature *b)
{
	return a->name.size == b->name.size && memcmp(a->name.at, b->name.at, a->name.size) == 0 && memcmp(a->key_id, b->key_id, 4) == 0;
}

/* Checks the form of all signature lines: 1 to 128, no key twice, the network's first. */
dure_code du_signatures_check(const du_note *n)
{
	static const char evidence[] = "\xff" "dure/evidence/v1", with_ml_dsa[] = "\xff" "dure/evidence/v2";
	du_bytes rest = n->lines, network = {(const uint8_t *)n->network, strlen(n->network)};
	du_signature s, other;
	uint8_t id[4];
	unsigned count;
	for (count = 0; rest.size > 0; count++) {
		du_bytes before = n->lines;
		if (count == MAX_SIGNATURES || !du_signature_next(&rest, &s))
			return DURE_CHECKPOINT_MALFORMED;
		while (before.at < s.name.at && du_signature_next(&before, &other) && other.name.at < s.name.at) {
			if (same_key(&s, &other))
				return DURE_CHECKPOINT_MALFORMED;
		}
	}
	rest = n->lines;
	du_key_id(id, network, evidence, sizeof evidence - 1);
	if (count == 0 || !du_signature_next(&rest, &s) || s.name.size != network.size || memcmp(s.name.at, network.at, network.size) != 0)
		return DURE_CHECKPOINT_MALFORMED;
	if (memcmp(s.key_id, id, 4) == 0)
		return DURE_OK;
	du_key_id(id, network, with_ml_dsa, sizeof with_ml_dsa - 1);
	return memcmp(s.key_id, id, 4) == 0 ? DURE_CHECKPOINT_UNSUPPORTED_VERSION : DURE_CHECKPOINT_MALFORMED;
}

/* C2SP signed-note's: SHA-256(name || "\n" || type and key)[:4]. */
void du_key_id(uint8_t out[4], du_bytes name, const void *type_and_key, size_t size)
{
	uint8_t sum[32];
	du_bytes parts[3];
	parts[0] = name;
	parts[1].at = (const uint8_t *)"\n";
	parts[1].size = 1;
	parts[2].at = type_and_key;
	parts[2].size = size;
	du_sha256(sum, parts, 3);
	memcpy(out, sum, 4);
}
