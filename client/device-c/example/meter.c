/* A meter: signs a reading, and checks the receipt that its gateway brings back. Reads the files that a device has in flash. */
#include <stdio.h>

#include "dure.h"

static uint8_t seed[32] = {1}; /* a real one comes from the device's own randomness, once, and stays in it */
static uint8_t checkpoint[DURE_MAX_CHECKPOINT], work[DURE_MAX_CHECKPOINT], receipt[DURE_MAX_RECEIPT], message[DURE_READING_SIZE];

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
	static const uint8_t device[20] = {0x83, 0x90, 0x1c}; /* the address of its account */
	dure_reading reading = {.boot = 1, .sequence = 1, .feed = "speed.seoul", .unit = "km/h", .time = 1790000000250};
	dure_key key;
	dure_anchor anchor;
	dure_receipt verified;
	size_t size;
	dure_code code = argc == 3 ? DURE_OK : DURE_DEVICE_BAD_ARGUMENT; /* meter CHECKPOINT RECEIPT */

	if (code == DURE_OK)
		code = dure_anchor_checkpoint(&anchor, checkpoint, load(argv[1], checkpoint, sizeof checkpoint), NULL, work, sizeof work);
	dure_key_ed25519(&key, seed);
	if (code == DURE_OK)
		code = dure_reading_value(&reading, 6250, -2); /* 62.5 */
	if (code == DURE_OK)
		code = dure_reading_sign(&reading, anchor.network, device, &key, message, sizeof message, &size);
	if (code == DURE_OK)
		printf("signed %u bytes\n", (unsigned)size); /* publish message by MQTT, say */
	if (code == DURE_OK)
		code = dure_receipt_verify(&anchor, receipt, load(argv[2], receipt, sizeof receipt), &verified);
	printf("receipt: %s%s\n", dure_text(code), code == DURE_OK && verified.ok ? ", all of the transaction happened" : "");
	return code == DURE_OK ? 0 : 1;
}
