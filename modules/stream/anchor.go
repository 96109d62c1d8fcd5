package stream

import (
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/merkle"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// anchoring is one stream.anchor action at work. What it looks up it keeps, and it stores each thing once at the end.
type anchoring struct {
	m      *Module
	c      *exec.Context
	feeds  []*feedAt
	leaves [][32]byte
	sum    streamv1.Anchored
}

// feedAt is a feed that readings of the action are for.
type feedAt struct {
	id string
	// feed is nil if there is none, or it is closed.
	feed *streamv1.Feed
	// waits is how much more waits to be paid or decided, if the feed pays.
	waits int64
}

// anchor takes readings. Their signatures have been checked with the transaction's. It is never refused for what a reading says:
// each has its verdict.
func (m *Module) anchor(c *exec.Context, call *streamv1.Anchor) error {
	a := &anchoring{m: m, c: c}
	for i := range c.Sources {
		a.source(&c.Sources[i], call.GetSources()[i].GetReadings())
	}
	for _, f := range a.feeds {
		addWaiting(c.View, f.id, f.waits)
	}
	root := reading.Root(a.leaves)
	a.sum.Root, a.sum.Readings = root[:], uint32(len(a.leaves))
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamAnchored{StreamAnchored: &a.sum}})
	return nil
}

// source takes the readings of one device: parsed, and as it signed them.
func (a *anchoring) source(given *tx.Source, raw [][]byte) {
	s := a.newReporter(given)
	for i, r := range given.Readings {
		verdict, reason := s.judge(r)
		a.count(verdict)
		mark := byte(verdict)<<4 | byte(reason)
		s.event.Verdicts = append(s.event.Verdicts, mark)
		a.leaves = append(a.leaves, merkle.LeafHash(reading.LeafData(s.address, mark, byte(s.event.GetLevel()), s.event.GetFirmware(), raw[i])))
	}
	s.save()
	a.c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamReported{StreamReported: s.event}})
}

func (a *anchoring) count(verdict streamv1.Verdict) {
	switch verdict {
	case streamv1.Verdict_VERDICT_ACCEPTED:
		a.sum.Accepted++
	case streamv1.Verdict_VERDICT_LATE:
		a.sum.Late++
	case streamv1.Verdict_VERDICT_QUARANTINED:
		a.sum.Quarantined++
	default:
		a.sum.Refused++
	}
}

// feed finds a feed, once in an action.
func (a *anchoring) feed(id string) *feedAt {
	for _, f := range a.feeds {
		if f.id == id {
			return f
		}
	}
	f := &feedAt{id: id}
	if found, ok := feeds.Get(a.c.View, id); ok && found.GetClosedAt() == 0 {
		f.feed = found
	}
	a.feeds = append(a.feeds, f)
	return f
}

// pays says whether readings of the feed earn something.
func (f *feedAt) pays() bool { return f.feed.GetTerms().GetPremium() != nil }
