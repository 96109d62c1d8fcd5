#include "internal.h"

const uint8_t *du_take(du_reader *r, size_t n)
{
	const uint8_t *p = r->at;
	if (r->failed || n > r->left) {
		r->failed = true;
		return NULL;
	}
	r->at += n;
	r->left -= n;
	return p;
}

uint64_t du_number(du_reader *r, unsigned size)
{
	const uint8_t *p = du_take(r, size);
	uint64_t v = 0;
	unsigned i;
	for (i = 0; p != NULL && i < size; i++)
		v = v << 8 | p[i];
	return v;
}

uint64_t du_u63(du_reader *r)
{
	uint64_t v = du_number(r, 8);
	if (v > INT64_MAX)
		r->failed = true;
	return v;
}

uint64_t du_read64(const uint8_t *p)
{
	uint64_t v = 0;
	unsigned i;
	for (i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

void du_write64(uint8_t *p, uint64_t v)
{
	unsigned i;
	for (i = 8; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

void du_put(du_writer *w, const void *bytes, size_t n)
{
	memcpy(w->at + w->size, bytes, n);
	w->size += n;
}

void du_put8(du_writer *w, uint8_t v)
{
	w->at[w->size++] = v;
}

void du_put_varint(du_writer *w, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		du_put8(w, (uint8_t)(v | 0x80));
	du_put8(w, (uint8_t)v);
}

void du_put_field(du_writer *w, uint8_t tag, uint64_t v)
{
	if (v == 0)
		return;
	du_put8(w, tag);
	du_put_varint(w, v);
}

void du_put_bytes(du_writer *w, uint8_t tag, const void *b, size_t n)
{
	du_put8(w, tag);
	du_put_varint(w, n);
	du_put(w, b, n);
}

void du_put_time(du_writer *w, uint64_t nanoseconds)
{
	du_put_field(w, 0x08, nanoseconds / 1000000000);
	du_put_field(w, 0x10, nanoseconds % 1000000000);
}

size_t du_length(const char *s, size_t most)
{
	size_t n = 0;
	if (s == NULL)
		return 0;
	while (n <= most && s[n] != 0)
		n++;
	return n <= most ? n : 0;
}
