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
// What evidence is worth is its level. Today there is one: self-reported. A firmware that was forged well can lie about
// its own digest; what it cannot do is to sign for another device, answer an old challenge, or count its starts down.
//
// # Invariants
//
//  1. A firmware is of a model that its maker registered; under each digest of a model is the number of the firmware that
//     has it, and reversely.
//  2. A device is an account, of a model and a firmware that its maker registered, and its owner is an account.
//  3. The doubts of a device are in order and do not overlap, at most 16. Only the last may go on, and does exactly when
//     the device is suspended or revoked.
//  4. Under each serial number of a model is the device that has it, while it is not revoked, and reversely.
//
// # State
//
//	"Dm" maker (20) model 00                dure.device.v1.Model
//	"Df" maker (20) model 00 number (8)     dure.device.v1.Firmware
//	"Dg" maker (20) model 00 digest (32)    number (8)
//	"Dd" device (20)                        dure.device.v1.Device
//	"Ds" maker (20) model 00 serial 00      device (20)
//
// # Refusals
//
//	device.bad_address       not 20 bytes
//	device.bad_text          a text too long, empty or with forbidden characters
//	device.bad_model         not the form of a model's id
//	device.bad_digest        not 32 bytes
//	device.bad_number        a firmware's number is 0, or it follows itself
//	device.model_exists      the maker has registered the model already
//	device.unknown_model     the maker has no such model
//	device.firmware_exists   the model has a firmware of this number or digest already
//	device.unknown_firmware  the model has no firmware of this number
//	device.withdrawn         the firmware is withdrawn
//	device.exists            the account is a device already
//	device.serial_taken      another device of the model has the serial number
//	device.unknown           the account is no device
//	device.unknown_account   there is no such account
//	device.not_entitled      the actor may not do this to the device
//	device.not_challenged    nobody has asked for evidence
//	device.wrong_nonce       evidence for another challenge
//	device.late              evidence more than five minutes after the challenge
//	device.old_boot          fewer starts than evidence has shown before
//	device.same_boot         it has not been started since its evidence was found bad
//	device.revoked           the device is revoked, for good
//	device.suspended         the device is suspended already
//	device.not_suspended     the device is not suspended
//	device.by_evidence       suspended by its evidence, so only good evidence readmits it
package device
