/*
 * How many instructions things take, on a Cortex-M4 that QEMU runs at one instruction a nanosecond: time CHECKPOINT RECEIPT. The board's timer
 * counts down at 25 MHz, so each of its ticks is 40 instructions.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dure.h"

#define TIMER_LOAD (*(volatile uint32_t *)0x40002000)
#define TIMER_VALUE (*(volatile uint32_t *)0x40002004)
#define TIMER_CONTROL (*(volatile uint32_t *)0x40002008)

static uint8_t checkpoint[DURE_MAX_CHECKPOINT], work[DURE_MAX_CHECKPOINT], receipt[DURE_MAX_RECEIPT], message[DURE_READING_SIZE];
static uint32_t before;

static size_t load(const char *name, uint8_t *into, size_t room)
{
	FILE *f = fopen(name, "rb");
	size_t n = f == NULL ? 0 : fread(into, 1, room, f);
	if (f != NULL)
		fclose(f);
	return n;
}

/* Prints what was done since the last time, and begins anew. */
static void done(const char *what, dure_code code)
{
	unsigned long thousands = (before - TIMER_VALUE) / 25;
	printf("%-32s %6lu thousand instructions\n", what, thousands);
	if (code != DURE_OK) {
		printf("%s\n", dure_text(code));
		exit(1);
	}
	before = TIMER_VALUE;
}

static void readings(dure_key *key, const char *sign, const char *verify)
{
	static const uint8_t device[20];
	dure_reading r = {.boot = 1, .sequence = 1, .feed = "speed.seoul", .unit = "km/h", .mantissa = 625, .exponent = -1, .time = 1790000000250};
	size_t size;
	before = TIMER_VALUE;
	done(sign, dure_reading_sign(&r, "demo", device, key, message, sizeof message, &size));
	done(verify, dure_reading_verify(message, size, "demo", device, key->alg, key->public_key, &r));
}

int main(int argc, char **argv)
{
	static const uint8_t secret[32] = {1};
	size_t checkpoint_size, receipt_size;
	dure_anchor anchor;
	dure_receipt verified;
	dure_key key;
	if (argc != 3)
		return 2;
	checkpoint_size = load(argv[1], checkpoint, sizeof checkpoint);
	receipt_size = load(argv[2], receipt, sizeof receipt);
	TIMER_LOAD = UINT32_MAX;
	TIMER_CONTROL = 0x82; /* on, 32 bits */
	before = TIMER_VALUE;
	done("pin a checkpoint, 3 signatures", dure_anchor_checkpoint(&anchor, checkpoint, checkpoint_size, NULL, work, sizeof work));
	done("check a receipt, 3 signatures", dure_receipt_verify(&anchor, receipt, receipt_size, &verified));
	dure_key_ed25519(&key, secret);
	readings(&key, "sign a reading, Ed25519", "check a reading, Ed25519");
	if (dure_key_p256(&key, secret) != DURE_OK)
		return 1;
	readings(&key, "sign a reading, P-256", "check a reading, P-256");
	return 0;
}
