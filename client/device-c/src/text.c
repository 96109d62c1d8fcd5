#include "internal.h"

static const char *const texts[] = {
	"ok",
	"proof.malformed",
	"proof.bad_path",
	"proof.before_anchor",
	"proof.out_of_order",
	"proof.wrong_header",
	"proof.bad_signer",
	"proof.bad_signature",
	"proof.too_little_power",
	"proof.bad_validators",
	"proof.wrong_validators",
	"proof.no_change",
	"receipt.too_large",
	"receipt.not_a_receipt",
	"receipt.unsupported_version",
	"receipt.bad_outcome",
	"receipt.wrong_transaction",
	"receipt.wrong_network",
	"checkpoint.too_large",
	"checkpoint.not_a_checkpoint",
	"checkpoint.unsupported_version",
	"checkpoint.malformed",
	"checkpoint.wrong_network",
	"checkpoint.wrong_header",
	"checkpoint.wrong_validators",
	"checkpoint.bad_cosignature",
	"checkpoint.too_few_cosignatures",
	"checkpoint.bad_policy",
	"checkpoint.bad_witness",
	"reading.malformed",
	"reading.too_large",
	"reading.bad_key",
	"reading.bad_value",
	"reading.bad_signature",
	"device.bad_argument",
	"device.too_little_memory",
};

enum { TEXTS = sizeof texts / sizeof *texts };

/* One text for each code, or this does not compile. */
struct texts_for_all {
	char complete[TEXTS == DURE_DEVICE_TOO_LITTLE_MEMORY + 1 ? 1 : -1];
};

const char *dure_text(dure_code code)
{
	return (unsigned)code < TEXTS ? texts[code] : "unknown";
}
