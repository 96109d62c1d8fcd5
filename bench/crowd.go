package bench

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// crowd is a network under a benchmark, with devices that report to feeds.
type crowd struct {
	session
	kind    accountv1.KeyKind
	devices []reporter
	// perFeed is how many of them report to one feed, a multiple of opened.
	perFeed int
	feeds   []string
}

// opens is how many feeds one transaction opens: it has at most 100 actions.
const opens = 50

// firmware is what all devices are enrolled with.
var firmware = sha256.Sum256([]byte(model))

// enrol makes n devices, each an account with a key of its own, and the feeds that they report to, all of the issuer's. The payload of their readings has 64 bytes.
func (r *crowd) enrol(ctx context.Context, n int) error {
	r.say("Enrolling %s devices…", count(n))
	if err := r.open(ctx, (n+r.perFeed-1)/r.perFeed); err != nil {
		return err
	}
	r.devices = make([]reporter, n)
	var group errgroup.Group
	group.SetLimit(opening)
	for from := 0; from < n; from += opened {
		part := r.devices[from:min(from+opened, n)]
		feed, member := r.feeds[from/r.perFeed], r.members[from/opened%len(r.members)]
		group.Go(func() error { return r.enrolSome(ctx, member, feed, from, part) })
	}
	return group.Wait()
}

// feedName is as long as a feed's name may be.
func feedName(i int) string { return fmt.Sprintf("bench.event-rate.of.machines.%03d", i) }

// open registers the model and opens the feeds.
func (r *crowd) open(ctx context.Context, feeds int) error {
	maker := r.net.Issuer.Key().Address()
	draft := client.NewTransaction(r.id).RegisterModel(maker, model, "Benchmark").
		RegisterFirmware(maker, client.Firmware{Model: model, Number: 1, Version: "1", Digest: firmware})
	for len(r.feeds) < feeds {
		for range min(opens, feeds-len(r.feeds)) {
			feed := feedName(len(r.feeds))
			r.feeds = append(r.feeds, feed)
			draft.OpenFeed(maker, feed, &streamv1.Terms{
				Title: "Benchmark", Unit: unit, Decimals: 1, Most: most, LateMs: lateMs, AheadMs: 60_000, StaleMs: lateMs, MinSources: 1, AppealMs: 24 * lateMs,
			})
		}
		if err := r.do(ctx, r.members[0], draft); err != nil {
			return err
		}
		draft = client.NewTransaction(r.id)
	}
	return nil
}

// do has the issuer do something.
func (r *crowd) do(ctx context.Context, member *client.Client, draft *client.Draft) error {
	outcome, err := member.Do(ctx, draft, r.net.Issuer)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		return fmt.Errorf("bench: preparing: %w", err)
	}
	return nil
}

// enrolSome enrols devices, at most opened, from the index from on.
func (r *crowd) enrolSome(ctx context.Context, member *client.Client, feed string, from int, part []reporter) error {
	maker := r.net.Issuer.Key().Address()
	draft := client.NewTransaction(r.id)
	var addresses []tx.Address
	for i := range part {
		d := &part[i]
		secret, err := tx.NewSecret(r.kind, rand.Reader)
		if err != nil {
			return err
		}
		if d.signer, err = tx.NewSigner(r.kind, secret); err != nil {
			return err
		}
		if d.key, err = reading.Key(r.kind, secret); err != nil {
			return err
		}
		d.feed = feed
		address := d.signer.Key().Address()
		addresses = append(addresses, address)
		draft.OpenAccount(maker, d.signer.Key()).EnrolDevice(maker, address, maker, model, fmt.Sprint(from+i), 1)
	}
	if err := r.do(ctx, member, draft); err != nil {
		return err
	}
	return r.do(ctx, member, client.NewTransaction(r.id).AdmitDevices(maker, feed, addresses...))
}

// newGateway opens an account that anchors.
func (r *crowd) newGateway(ctx context.Context) (tx.Signer, error) {
	secret, err := tx.NewSecret(accountv1.KeyKind_KEY_KIND_ED25519, rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := tx.NewEd25519Signer(secret)
	if err != nil {
		return nil, err
	}
	return key, r.do(ctx, r.members[0], client.NewTransaction(r.id).OpenAccount(r.net.Issuer.Key().Address(), key.Key()))
}
