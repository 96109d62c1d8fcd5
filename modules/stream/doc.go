// Package stream takes readings that devices have signed, keeps the feeds that they are for, and pays for them.
//
// An operator opens a feed, with terms, and admits devices. A gateway, any account, anchors readings: the transaction carries
// them whole, and every member has checked their signatures before it is executed. Anchoring is not refused for what a reading
// says; each has its verdict, in the outcome:
//
//   - accepted: in order, on time, in range. It may become the feed's value and earns the premium.
//   - late: kept as history, neither counted nor paid. Looked for first, as nobody has to decide about it.
//   - quarantined: kept apart with a reason, neither counted nor paid, until the operator decides. The device, its owner or its maker may
//     appeal once before the deadline, which gives the operator as long again. When the deadline passes, it stays out for good.
//   - refused: no part of the record.
//
// A device numbers its readings by (start, sequence) for all feeds together. Only what comes after the last number seen counts, whoever
// brings it; numbers left out are a gap. A number counts as seen whatever the verdict, unless somebody else signed it.
//
// What is accepted waits for the dispute window before it is paid to the device's account. If by then the device is in doubt for the time in which the readings
// were taken (package device), they are forfeited. A doubt that comes later takes no money back: the Settled events say which times were paid.
//
// # Invariants
//
//  1. A feed's terms are within limits, its operator is an account, and it counts the devices that report to it.
//  2. A feed that pays nothing has no funds; funds are units that the asset module counts as reserved.
//  3. Of a feed that pays, every accepted reading of a device waits, is paid, is forfeited, or came too soon to earn: exactly one of these. How much waits, with
//     what is in quarantine, is under the feed.
//  4. A report is of a device in a feed. Its dues are in the order in which they were anchored, at most 64.
//  5. A reading in quarantine is of a device that reports, or did; at most 16 of a device in a feed.
//  6. A device of which a feed has readings has a head; its gaps are in order, before it, at most 16.
//
// # State
//
//	"Ff" feed 00                                            dure.stream.v1.Feed
//	"Fw" feed 00                                            readings that wait (8), if any do
//	"Fh" device (20)                                        dure.stream.v1.Head
//	"Fr" feed 00 device (20)                                dure.stream.v1.Report
//	"Fq" feed 00 device (20) boot (8) sequence (8)          dure.stream.v1.Quarantined
//
// # Refusals
//
//	stream.bad_name         the id of a feed breaks the rule for ids
//	stream.bad_terms        a term out of its limits
//	stream.bad_text         a text too long, empty or with forbidden characters
//	stream.bad_address      not 20 bytes
//	stream.bad_count        no devices, more than 100, or one twice
//	stream.exists           the name is taken
//	stream.unknown          there is no such feed
//	stream.closed           the feed is closed
//	stream.not_operator     only the feed's operator may
//	stream.not_device       the account is no device, or is revoked
//	stream.admitted         the device reports to the feed already
//	stream.not_admitted     the device does not report to the feed
//	stream.full             the feed has as many devices as one may have
//	stream.no_premium       the feed pays nothing
//	stream.not_quarantined  the reading is not in quarantine
//	stream.not_entitled     the actor may not appeal for the device
//	stream.appealed         somebody has appealed already
//	stream.too_late         the deadline has passed
//	stream.in_doubt         the device is in doubt for the time of the reading
//	stream.nothing_due      nothing can be settled now
//	stream.stale, stream.too_few, stream.disagree  why a feed has no value (Value)
//	asset.*, amount.*       the premium's asset or amount, as in package asset
package stream
