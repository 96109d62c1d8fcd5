/* What checking receipts takes: a receipt of up to 4 KiB, genesis with four validators. */
#include "dure.h"

uint8_t file[4096], set[4 * DURE_VALIDATOR_SIZE];
volatile size_t file_size;

int main(void)
{
	dure_anchor anchor;
	dure_receipt receipt;
	dure_code code = dure_anchor_genesis(&anchor, "demo-2da8ff9fb7bb26b9317bb98727263fde", set, 4);
	return code == DURE_OK ? (int)dure_receipt_verify(&anchor, file, file_size, &receipt) : (int)code;
}
