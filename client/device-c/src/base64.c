/* Base64 with padding (RFC 4648, section 4), in its one canonical form. */
#include "internal.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool du_base64_size(du_bytes text, size_t *size)
{
	size_t i, padding = 0;
	int last;
	if (text.size == 0 || text.size % 4 != 0)
		return false;
	while (padding < 2 && text.at[text.size - 1 - padding] == '=')
		padding++;
	for (i = 0; i < text.size - padding; i++) {
		if (digit(text.at[i]) < 0)
			return false;
	}
	/* Bits of the last digit that stand for nothing are 0. */
	last = digit(text.at[text.size - 1 - padding]);
	if ((padding == 1 && last & 3) || (padding == 2 && last & 15))
		return false;
	*size = text.size / 4 * 3 - padding;
	return true;
}

size_t du_base64_decode(du_bytes text, size_t skip, uint8_t *out, size_t room)
{
	size_t i, n = 0;
	uint32_t bits = 0;
	for (i = 0; i < text.size && n < room; i++) {
		int d = digit(text.at[i]);
		if (d < 0)
			break;
		bits = bits << 6 | (uint32_t)d;
		if (i % 4 == 0)
			continue;
		if (skip > 0)
			skip--;
		else
			out[n++] = (uint8_t)(bits >> (6 - i % 4 * 2));
	}
	return n;
}

void du_base64_encode(char *out, const uint8_t *bytes, size_t size)
{
	size_t i;
	for (i = 0; i < size; i += 3) {
		uint32_t b = (uint32_t)bytes[i] << 16;
		if (i + 1 < size)
			b |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < size)
			b |= bytes[i + 2];
		*out++ = alphabet[b >> 18];
		*out++ = alphabet[b >> 12 & 63];
		*out++ = i + 1 < size ? alphabet[b >> 6 & 63] : '=';
		*out++ = i + 2 < size ? alphabet[b & 63] : '=';
	}
}
