/* What checking receipts and who of four witnesses has cosigned them takes: a receipt of up to 4 KiB, genesis with four validators. */
#include "dure.h"

uint8_t file[4096], set[4 * DURE_VALIDATOR_SIZE];
volatile size_t file_size;
const dure_witness witnesses[4] = {{"a.example", {1}}, {"b.example", {2}}, {"c.example", {3}}, {"d.example", {4}}}; /* in flash */
int64_t times[4];

int main(void)
{
	const dure_policy policy = {witnesses, 4, 2};
	dure_anchor anchor;
	dure_receipt receipt;
	dure_code code = dure_anchor_genesis(&anchor, "demo-2da8ff9fb7bb26b9317bb98727263fde", set, 4);
	return code == DURE_OK ? (int)dure_receipt_verify_witnessed(&anchor, file, file_size, &policy, times, &receipt) : (int)code;
}
