// Package device keeps what makers say of their models and firmware, whose a device is, and what its evidence has shown.
//
// A maker registers models and, for each, the firmwares that may run, by digest and in order; it enrols devices, each an
// account whose key is in the device. Whoever may, challenges a device; it answers with evidence: a signature over the
// challenge, how often it has started, and the digest of what runs. Evidence that fits makes good what the device said
// since the evidence before. Evidence that does not suspends the device in the same block, and casts doubt on all that
// it said since its last good evidence: nobody knows when the change was made. Other modules ask Rely before they act on
// what a device says.
//
// Bad evidence is not a refused transaction. The device signed it; that it was given and found bad is what the ledger
// has to keep, so the transaction is ok and its outcome says suspended.
//
// Evidence comes in three forms, and one piece of code judges all: a transaction of the device (attest), a token that it signed and anybody
// passes on (present), and a quote of its TPM, passed on likewise (present_quote).
//
// What evidence is worth is its level. Self-reported: a firmware that was forged well can lie about its own digest; what it cannot do is
// to sign for another device, answer an old challenge, or count its starts down. Key in hardware: the same, but the key cannot have been
// copied, says the maker. Measured boot: what ran before the firmware measured it, and a TPM signed that; that the TPM is this device's says
// the maker. A device whose maker registered a TPM gives quotes alone, lest forged firmware report in between that all is well. What rests
// on a word that the maker takes back, or on a key that does not act for the device any more, falls to self-reported at once.
//
// A maker or owner tells a device what to do by a command. It is on the ledger before the device has it, and reaches it with the receipt
// that proves it, so that the device believes the members and nobody who carries messages. What it says of it is on the ledger too.
//
// # Invariants
//
//  1. A firmware is of a model that its maker registered; under each digest of a model is the number of the firmware that
//     has it, and reversely.
//  2. A device is an account, of a model and a firmware that its maker registered, and its owner is an account.
//  3. The doubts of a device are in order and do not overlap, at most 16. Only the last may go on, and does exactly when
//     the device is suspended or revoked.
//  4. Under each serial number of a model is the device that has it, while it is not revoked, and reversely.
//  5. Under each set of registers and their digest of a model is the number of the firmware that is known by them, and reversely.
//  6. Under each attestation key is the device whose TPM has it, while it is not revoked, and reversely.
//  7. A device has at most 16 commands, whose ids differ; only devices have any.
//
// # State
//
//	"Dm" maker (20) model 00                dure.device.v1.Model
//	"Df" maker (20) model 00 number (8)     dure.device.v1.Firmware
//	"Dg" maker (20) model 00 digest (32)    number (8)
//	"Dd" device (20)                        dure.device.v1.Device
//	"Ds" maker (20) model 00 serial 00      device (20)
//	"Dc" device (20)                        dure.device.v1.Commands
//	"Dp" maker (20) model 00 pcrs (4) digest (32)  number (8)
//	"Da" attestation key (33)               device (20)
//
// # Refusals
//
//	device.bad_address       not 20 bytes
//	device.bad_text          a text too long, empty or with forbidden characters
//	device.bad_model         not the form of a model's id
//	device.bad_digest        not 32 bytes
//	device.bad_number        a firmware's number is 0, or it follows itself
//	device.bad_pcrs          registers that no TPM has, or without a digest, or reversely
//	device.bad_hardware      nothing that holds a key
//	device.model_exists      the maker has registered the model already
//	device.unknown_model     the maker has no such model
//	device.firmware_exists   the model has a firmware of this number, digest or registers already
//	device.measured          the firmware is known by registers of a TPM already
//	device.unknown_firmware  the model has no firmware of this number
//	device.withdrawn         the firmware is withdrawn
//	device.exists            the account is a device already
//	device.serial_taken      another device of the model has the serial number
//	device.unknown           the account is no device
//	device.unknown_account   there is no such account
//	device.not_entitled      the actor may not do this to the device
//	device.not_challenged    nobody has asked for evidence
//	device.wrong_nonce       evidence for another challenge
//	device.needs_quote       its maker registered a TPM, so it cannot report itself
//	device.no_attester       a quote, and its maker registered no TPM
//	device.wrong_pcrs        a quote over registers by which no firmware of the model is known
//	device.wrong_key         signed by, or said of, another key than acts for the device
//	device.frozen            its account is frozen, so what its key signs does not count
//	device.attester_taken    the attestation key is another device's
//	device.late              evidence more than five minutes after the challenge
//	device.old_boot          fewer starts than evidence has shown before
//	device.same_boot         it has not been started since its evidence was found bad
//	device.revoked           the device is revoked, for good
//	device.suspended         the device is suspended already
//	device.not_suspended     the device is not suspended
//	device.by_evidence       suspended by its evidence, so only good evidence readmits it
//	device.bad_kind          not the form of a command's kind
//	device.bad_payload       a command's payload of more than 512 bytes
//	device.bad_expiry        a command that has expired, or expires in more than 30 days
//	device.too_many_commands 16 commands wait for the device
//	device.unknown_command   the device has no such command, or has it no more
//	device.answered          the command is answered
//	key.malformed            an attestation key that is no P-256 key
//	evidence.*               what is presented is no token, no quote, or not signed by whom it has to be: see ledger/evidence
package device
