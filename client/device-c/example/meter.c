/* A meter that signs readings and checks what became of them. */
#include "dure.h"

extern const uint8_t checkpoint[]; /* in flash: a file made by `dure checkpoint get` */
extern const size_t checkpoint_size;

static uint8_t work[2048]; /* as large as the checkpoint */
static dure_anchor anchor;
static dure_key key;

dure_code meter_start(const uint8_t seed[32])
{
	dure_key_ed25519(&key, seed);
	return dure_anchor_checkpoint(&anchor, checkpoint, checkpoint_size, NULL, work, sizeof work);
}

/* Signs a speed in hundredths of km/h; now is in unix milliseconds. The message goes to the gateway. */
dure_code meter_sign(const uint8_t device[20], uint64_t boot, uint64_t sequence, int64_t hundredths, int64_t now, uint8_t message[DURE_READING_SIZE], size_t *size)
{
	dure_reading r = {.boot = boot, .sequence = sequence, .feed = "speed.seoul", .unit = "km/h", .time = now};
	dure_code code = dure_reading_value(&r, hundredths, -2);
	return code == DURE_OK ? dure_reading_sign(&r, anchor.network, device, &key, message, DURE_READING_SIZE, size) : code;
}

/* Whether the ledger did all that the transaction of a receipt asked for. */
bool meter_settled(const uint8_t *receipt, size_t size)
{
	dure_receipt r;
	return dure_receipt_verify(&anchor, receipt, size, &r) == DURE_OK && r.ok;
}
