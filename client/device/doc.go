// Package device is what runs in a device, or in the computer beside it: it signs readings, keeps them while there is no network, sends
// them to a gateway over MQTT 5 in order and each until it is committed, answers challenges with evidence, and does what its maker and owner tell it to do.
//
//	d, err := device.Open(device.Config{
//		Dir: "/var/lib/meter", Network: id, Address: address, Key: key, Signer: signer,
//		Gateway: "127.0.0.1:8883", TLS: settings, Measure: firmwareDigest,
//	})
//	defer d.Close()
//	go d.Run(ctx)
//	number, err := d.Report("speed.ring", speed, "km/h", time.Now())
//
// A command reaches the device as the receipt of its transaction. The device believes the members whose signatures are on that, from the
// Anchor that it was given, and nobody in between: a forged command, one for another device, one whose time is over and one that was
// done before are not done. What was begun is on the disk before Config.Command is called, so a crash makes a command that
// was perhaps done, and said to have failed; never one that is done twice.
//
// What it promises: a number, start and sequence, is never used for two readings, whatever crashes when, because the count of starts is on
// the disk before the first reading of a start is signed. A reading that Report took is on the disk; it is sent again and again
// until the gateway says that it is committed or that the ledger will never take it. Readings go one at a time: the ledger
// takes numbers in order alone, and one that was passed by a later one would be lost. While the buffer is full Report
// refuses new readings rather than forget old ones: their numbers are promised already, and a gap would be laid at the device's door.
package device
