/* Runs the example: meter CHECKPOINT RECEIPT. Prints the size of a signed message, and whether the receipt is good. */
#include <stdio.h>

#include "dure.h"

uint8_t checkpoint[2048];
size_t checkpoint_size;

dure_code meter_start(const uint8_t seed[32]);
dure_code meter_sign(const uint8_t device[20], uint64_t boot, uint64_t sequence, int64_t hundredths, int64_t now, uint8_t message[DURE_READING_SIZE], size_t *size);
bool meter_settled(const uint8_t *receipt, size_t size);

static size_t load(const char *name, uint8_t *into, size_t room)
{
	FILE *f = fopen(name, "rb");
	size_t n = f == NULL ? 0 : fread(into, 1, room, f);
	if (f != NULL)
		fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	static const uint8_t seed[32] = {1}, device[20] = {2};
	static uint8_t receipt[DURE_MAX_RECEIPT];
	uint8_t message[DURE_READING_SIZE];
	size_t size = 0;
	dure_code code;
	if (argc != 3)
		return 2;
	checkpoint_size = load(argv[1], checkpoint, sizeof checkpoint);
	code = meter_start(seed);
	if (code == DURE_OK)
		code = meter_sign(device, 1, 1, 6250, 1790000000250, message, &size);
	printf("%s, %lu bytes, ", dure_text(code), (unsigned long)size);
	printf("%s\n", meter_settled(receipt, load(argv[2], receipt, sizeof receipt)) ? "settled" : "not settled");
	return 0;
}
