/* What signing readings with a P-256 key in memory takes. */
#include "dure.h"

uint8_t message[DURE_READING_SIZE], seed[32], device[20];
dure_key key;
dure_reading reading;

int main(void)
{
	size_t size;
	if (dure_key_p256(&key, seed) != DURE_OK)
		return 1;
	return (int)dure_reading_sign(&reading, "demo-2da8ff9fb7bb26b9317bb98727263fde", device, &key, message, sizeof message, &size);
}
