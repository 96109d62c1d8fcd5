/* What everything takes: readings with both kinds of key, receipts, checkpoints of up to 4 KiB and cosigning them. */
#include "dure.h"

uint8_t file[4096], work[4096], pinned[4096], message[DURE_READING_SIZE], secret[32], device[20];
volatile size_t file_size;
dure_key keys[2];
dure_reading reading;

int main(void)
{
	dure_anchor anchor;
	dure_receipt receipt;
	dure_witness witness = {"auditor.example", {0}};
	dure_policy policy = {&witness, 1, 1};
	int64_t time;
	dure_checkpoint checkpoint;
	size_t size = file_size;
	int found = 0;
	dure_key_ed25519(&keys[0], secret);
	found += dure_key_p256(&keys[1], secret);
	found += dure_reading_value(&reading, (int64_t)size, -1);
	found += dure_reading_sign(&reading, "demo-2da8ff9fb7bb26b9317bb98727263fde", device, &keys[size & 1], message, sizeof message, &size);
	found += dure_reading_verify(message, size, anchor.network, device, keys[0].alg, keys[0].public_key, &reading);
	found += dure_anchor_genesis(&anchor, "demo-2da8ff9fb7bb26b9317bb98727263fde", file, 4);
	found += dure_anchor_checkpoint(&anchor, file, file_size, NULL, pinned, sizeof pinned);
	found += dure_receipt_verify_witnessed(&anchor, file, file_size, &policy, &time, &receipt);
	found += dure_checkpoint_verify(&anchor, file, file_size, NULL, work, sizeof work, &checkpoint);
	found += dure_checkpoint_cosign(&checkpoint, "witness.example", secret, 0, (char *)file, sizeof file, &size);
	return found + dure_text((dure_code)found)[0];
}
