package index

import (
	"fmt"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/reading"
)

// streamEvent keeps feeds, who reports to them, readings and what was paid for them.
func (c *changes) streamEvent(e Entry, i int, body *txv1.Body) error {
	o, ev := e.Outcome, e.Outcome.GetEvents()[i]
	switch k := ev.GetKind().(type) {
	case *ledgerv1.Event_StreamOpened:
		c.add(feedTable, k.StreamOpened.GetFeed(), k.StreamOpened.GetOperator())
	case *ledgerv1.Event_StreamAdmitted:
		c.add(feedSourceTable, k.StreamAdmitted.GetFeed(), k.StreamAdmitted.GetDevice())
	case *ledgerv1.Event_StreamReported:
		if e.Erased() {
			c.cursor.gone += int64(len(k.StreamReported.GetVerdicts()))
			c.cursor.goneUntil = o.GetTime()
			return nil
		}
		return c.reported(o, ev.GetAction(), k.StreamReported, body)
	case *ledgerv1.Event_StreamSettled:
		s := k.StreamSettled
		c.add(settlementTable, int64(o.GetSeq()), i, s.GetFeed(), s.GetDevice(), s.GetFirstAt(), s.GetLastAt(), int64(s.GetPaid()), int64(s.GetForfeited()),
			s.GetAsset(), s.GetAmount())
		if s.GetPaid() > 0 {
			c.balance(s.GetDevice(), s.GetAsset())
		}
	case *ledgerv1.Event_StreamReturned:
		c.balance(k.StreamReturned.GetOperator(), k.StreamReturned.GetAsset())
	}
	return nil
}

// reported adds the readings of one source of an anchor: what the device said from the action, what the ledger found of it
// from the event.
func (c *changes) reported(o *ledgerv1.Outcome, action uint32, found *streamv1.Reported, body *txv1.Body) error {
	source := sourceOf(body, action, found.GetDevice())
	if len(source.GetReadings()) != len(found.GetVerdicts()) {
		return fmt.Errorf("outcome %d has verdicts about %d readings of a source that has %d", o.GetSeq(), len(found.GetVerdicts()), len(source.GetReadings()))
	}
	key := append([]byte{byte(source.GetKind())}, source.GetPublicKey()...)
	for i, raw := range source.GetReadings() {
		r, err := reading.Parse(raw)
		if err != nil {
			return fmt.Errorf("outcome %d: a reading that was anchored cannot be read: %w", o.GetSeq(), err)
		}
		c.cursor.readings++
		verdict := found.GetVerdicts()[i]
		c.add(readingTable, c.cursor.readings, int64(o.GetSeq()), int64(action), int64(found.GetFirst())+int64(i), r.Feed, found.GetDevice(),
			int64(r.Boot), int64(r.Sequence), r.Time, o.GetTime(), r.Value.Mantissa, -r.Value.Exponent,
			int64(verdict>>4), int64(verdict&15), int64(found.GetFirmware()), int64(found.GetLevel()))
		c.add(readingRawTable, c.cursor.readings, key, raw)
	}
	return nil
}

// sourceOf is the part of an anchor that has a device's readings; each device is in it once.
func sourceOf(body *txv1.Body, action uint32, device []byte) *streamv1.Source {
	if int(action) >= len(body.GetActions()) {
		return nil
	}
	for _, s := range body.GetActions()[action].GetStreamAnchor().GetSources() {
		if string(s.GetDevice()) == string(device) {
			return s
		}
	}
	return nil
}
