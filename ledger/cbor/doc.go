// Package cbor reads and writes the few items of deterministic CBOR (RFC 8949, section 4.2.1) of which what devices sign is made:
// integers and lengths in their shortest form, lengths definite, no floats and no simple values.
//
// A Cursor reads a message whose shape is known, straight down: each call says what has to come. Where something else comes, the
// refusal is in the words of the package that reads, which the Cursor gets as a Refusal. What it gives out shares the message's
// memory, but for text. How large a message, a byte string or a text may be is for the caller to say.
//
//	c := cbor.Read(message, "header", malformed)
//	c.Exactly(cbor.Map, 1)
//	c.Key(4)
//	id := c.Bytes(1, 32)
//	c.End()
//	if err := c.Err(); err != nil {
//		return err
//	}
//
// The Append functions write the same items behind each other: AppendBytes(AppendInteger(AppendHead(nil, Map, 1), 4), id).
package cbor
