package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// forgedFirmware is what a tampered device measures.
var forgedFirmware = sha256.Sum256([]byte(model + ", changed"))

const (
	// lookAgain is how often every member is asked what it says of a device.
	lookAgain = 2 * time.Millisecond
	// forgeTime is how long a device may take to be suspended everywhere.
	forgeTime = 30 * time.Second
)

// forge has some devices give evidence of another firmware than theirs, one after the other, and watches what each member says of them.
func (r *devices) forge(ctx context.Context) error {
	r.say("%d devices give forged evidence…", r.Forged)
	var took, spread []float32
	for _, l := range r.lines[:r.Forged] {
		found, err := r.forgeOne(ctx, l)
		if err != nil {
			return fmt.Errorf("bench: forged evidence of %s: %w", l.address(), err)
		}
		r.report.Forged++
		r.report.BlocksAfterCommit = max(r.report.BlocksAfterCommit, found.late)
		took, spread = append(took, float32(found.took.Microseconds())/1000), append(spread, float32(found.spread.Microseconds())/1000)
	}
	r.report.ForgedMS, r.report.SpreadMS = latencyOf(took), latencyOf(spread)
	return nil
}

// forgery is what became of forged evidence.
type forgery struct {
	// late is how many blocks after the evidence's own a member still did not say that the device is suspended.
	late int64
	// took is the time from when the device sent it until the last member says suspended, spread that from the first member to the last.
	took, spread time.Duration
}

// seen is what a member said of a device.
type seen struct {
	// active is the highest block after which the device was still active.
	active int64
	at     time.Time
	by     string // the transaction that brought the suspension
}

func (r *devices) forgeOne(parent context.Context, l *line) (f forgery, err error) {
	ctx, cancel := context.WithTimeout(parent, forgeTime)
	defer cancel()
	issuer := r.net.Issuer.Key().Address()
	if err := r.do(ctx, r.members[0], client.NewTransaction(r.id).ChallengeDevice(issuer, l.address())); err != nil {
		return f, err
	}
	var nonce [32]byte
	select {
	case text := <-l.asked:
		if nonce, err = nonceOf(text); err != nil {
			return f, err
		}
	case <-ctx.Done():
		return f, errors.New("the device did not hear its challenge")
	}
	evidence, err := client.NewTransaction(r.id).AttestDevice(l.address(), nonce, boot, forgedFirmware).Sign(time.Now(), l.signer)
	if err != nil {
		return f, err
	}
	all := make([]seen, len(r.members))
	var ready sync.WaitGroup
	var group errgroup.Group
	ready.Add(len(all))
	for i, member := range r.members {
		group.Go(func() (err error) {
			all[i], err = suspended(ctx, member, l.address(), ready.Done)
			return err
		})
	}
	ready.Wait()
	sent := time.Now()
	if _, err := l.publish(ctx, "tx", evidence.Raw); err != nil {
		return f, errors.Join(err, group.Wait())
	}
	if err := group.Wait(); err != nil {
		return f, err
	}
	outcome, err := r.members[0].Wait(ctx, evidence.ID)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		return f, err
	}
	switch said, err := l.report(ctx, r.id); {
	case err != nil:
		return f, err
	case said != "quarantined: suspended":
		return f, fmt.Errorf("its next reading was answered with %q instead of being quarantined", said)
	}
	return forgeryOf(all, sent, outcome)
}

// forgeryOf compares what the members said with the block of the evidence.
func forgeryOf(all []seen, sent time.Time, outcome *apiv1.Outcome) (f forgery, err error) {
	first, last := all[0].at, all[0].at
	for _, s := range all {
		if s.by != outcome.GetId() {
			return f, fmt.Errorf("a member says that %s suspended it, not its evidence %s", s.by, outcome.GetId())
		}
		f.late = max(f.late, s.active-outcome.GetHeight()+1)
		if s.at.Before(first) {
			first = s.at
		}
		if s.at.After(last) {
			last = s.at
		}
	}
	f.took, f.spread = last.Sub(sent), last.Sub(first)
	return f, nil
}

// suspended asks a member again and again until it says that a device is suspended. ready is called when it has asked once.
func suspended(ctx context.Context, member *client.Client, device tx.Address, ready func()) (s seen, err error) {
	for asked := false; ; asked = true {
		status, err := member.Status(ctx) // before the device: what is said of it is of this block or a later one
		if err != nil {
			if !asked {
				ready()
			}
			return s, err
		}
		d, err := member.Device(ctx, device)
		if !asked {
			ready()
		}
		if err != nil {
			return s, err
		}
		if d.GetState() == "suspended" {
			doubts := d.GetDoubts()
			s.at, s.by = time.Now(), doubts[len(doubts)-1].GetTransaction()
			return s, nil
		}
		s.active = status.GetHeight()
		select {
		case <-ctx.Done():
			return s, errors.New("a member did not say that it is suspended")
		case <-time.After(lookAgain):
		}
	}
}
