package story

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/client/light"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Place is where a story is played: a running network and a gateway to it, and who acts.
type Place struct {
	Client *client.Client
	// Nodes are the addresses of the members; each must agree.
	Nodes []string
	// Anchor verifies what proves a reading.
	Anchor *light.Anchor
	// Maker makes the cars, Insurer opens the feed and asks, Bank vouches for the cars and issues what they are paid in.
	Maker, Insurer, Bank tx.Signer
	// Owner is whose cars they are.
	Owner tx.Address
	// Gateway is host:port of a gateway's door for MQTT, TLS whom to believe to be it.
	Gateway string
	TLS     *tls.Config
	// Dir is a new folder for the firmware and for what the cars keep.
	Dir string
	// Run sets this run apart from others on the ledger: lower case letters, digits and '-', at most 20.
	Run string
}

// Pages are addresses of what people can look at.
type Pages struct {
	// Device is the account of the car that is tampered with.
	Device string `json:"device"`
	Model  string `json:"model"`
	Feed   string `json:"feed"`
}

// Scene is what happened in a part of the story. All it says was checked on the ledger.
type Scene struct {
	Number int    `json:"number"`
	Name   string `json:"scene"`
	Title  string `json:"title"`
	// Says is the scene in plain sentences.
	Says []string `json:"says"`
	// Transactions are those that made it.
	Transactions []Transaction `json:"transactions"`
	// Answers are what the insurer was told.
	Answers []Answer `json:"answers,omitempty"`
	// Page is the one to look at now, Pages all.
	Page  string `json:"page"`
	Pages Pages  `json:"pages"`
}

// Transaction is one by its id, and what it did.
type Transaction struct {
	What string `json:"what"`
	ID   string `json:"id"`
}

// Answer is what the ledger said when the insurer asked something.
type Answer struct {
	Question string `json:"question"`
	Yes      bool   `json:"yes"`
	Why      string `json:"why"`
}

// Broken is a scene that did not happen as the story has it.
type Broken struct {
	Number int
	Title  string
	Err    error
}

func (b *Broken) Error() string { return fmt.Sprintf("scene %d, %s: %v", b.Number, b.Title, b.Err) }
func (b *Broken) Unwrap() error { return b.Err }

const (
	version = "1.0.0"
	unit    = "km/h"
	asset   = "krw"
	// premium is what a reading earns, in won, and funds what the feed is given.
	premium, funds = 10, 10_000
	// disputeMs is how long a reading waits before it is paid: short, so that a story takes a minute.
	disputeMs = 5_000
	// forgedPercent is how much of the speed the forged firmware reports.
	forgedPercent = 70
	// patience is how long anything may take; askAgain is how often the ledger is asked meanwhile.
	patience = time.Minute
	askAgain = 100 * time.Millisecond
)

// play is a story under way.
type play struct {
	Place
	network     string
	model, feed string
	maker       tx.Address
	insurer     tx.Address
	factory     string // the maker's image
	cars        []*car
	suspect     *car // the one that is tampered with
	members     []*client.Client
	scene       *Scene
	// Readings of the suspect: taken before its last good evidence, after that and before it was found out, and after it was repaired.
	old, doubtful, fresh []taken
	// paidDoubtful is how many of the doubtful ones were paid, by the transactions payments.
	paidDoubtful int
	payments     []Transaction
	// sent is when the last reading was committed.
	sent  time.Time
	found *apiv1.Doubt // what the suspect's evidence brought
}

// script is the story.
var script = []struct {
	name, title string
	happen      func(*play, context.Context) error
}{
	{"model", "The maker registers a model and its firmware", (*play).register},
	{"cars", "Three cars leave the factory", (*play).enrol},
	{"feed", "The insurer opens a feed that pays for readings", (*play).open},
	{"evidence", "The cars show what they run", (*play).firstEvidence},
	{"driving", "The cars report their speed", (*play).driveFirst},
	{"confirmed", "The cars are asked again", (*play).confirm},
	{"paid", "The cars are paid", (*play).payFirst},
	{"forged", "The firmware of one car is forged", (*play).forge},
	{"paid_again", "Nobody knows, and it is paid", (*play).payForged},
	{"found", "It is found out and suspended", (*play).find},
	{"marked", "What leaned on it is marked", (*play).mark},
	{"forfeited", "It earns nothing any more", (*play).forfeit},
	{"repaired", "The car is repaired and readmitted", (*play).repair},
	{"trusted", "The insurer asks again", (*play).trust},
	{"settled", "All are paid again", (*play).payLast},
}

// Play plays the story and hands each scene to show when it has happened; show returns when the story may go on.
func Play(ctx context.Context, place Place, show func(*Scene) error) (err error) {
	p := &play{Place: place, model: "sedan-" + place.Run, feed: "car." + place.Run,
		maker: place.Maker.Key().Address(), insurer: place.Insurer.Key().Address()}
	if err := p.prepare(ctx); err != nil {
		return err
	}
	defer func() {
		for _, c := range p.cars {
			err = errors.Join(err, c.off())
		}
	}()
	for i, s := range script {
		p.scene = &Scene{Number: i + 1, Name: s.name, Title: s.title, Transactions: []Transaction{}, Pages: p.pages()}
		p.scene.Page = p.scene.Pages.Device
		if err := s.happen(p, ctx); err != nil {
			return &Broken{Number: i + 1, Title: s.title, Err: err}
		}
		if err := p.indexed(ctx); err != nil {
			return err
		}
		if err := show(p.scene); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) pages() Pages {
	at := p.Nodes[0]
	return Pages{Device: at + "/account/" + p.suspect.address.String(), Model: at + "/devices/" + p.maker.String() + "/" + p.model, Feed: at + "/feed/" + p.feed}
}

// prepare makes the cars, with nothing on their disks, and a client for each member.
func (p *play) prepare(ctx context.Context) error {
	var err error
	if p.network, err = p.Client.Network(ctx); err != nil {
		return err
	}
	for _, node := range p.Nodes {
		c, err := client.Dial(client.Config{Addresses: []string{node}, Network: p.network})
		if err != nil {
			return err
		}
		p.members = append(p.members, c)
	}
	p.factory = filepath.Join(p.Dir, "firmware-"+version+".bin")
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return err
	}
	config := device.Config{Dir: p.Dir, Network: p.network, Gateway: p.Gateway, TLS: p.TLS}
	for i, speed := range []int64{780, 820, 750} {
		c, err := newCar(fmt.Sprintf("car-%d", i+1), speed, config)
		if err != nil {
			return err
		}
		p.cars = append(p.cars, c)
	}
	p.suspect = p.cars[1]
	return nil
}

// say adds a sentence to the scene.
func (p *play) say(format string, a ...any) {
	p.scene.Says = append(p.scene.Says, fmt.Sprintf(format, a...))
}

// indexed waits until the pages of the first member list what has happened.
func (p *play) indexed(ctx context.Context) error {
	return until(ctx, p.Nodes[0]+" lists what has happened", func(ctx context.Context) (bool, error) {
		s, err := p.members[0].Status(ctx)
		return s.GetIndexHeight() >= s.GetHeight(), err
	})
}

// do makes a transaction happen and notes it in the scene.
func (p *play) do(ctx context.Context, what string, draft *client.Draft, signers ...tx.Signer) error {
	o, err := p.Client.Do(ctx, draft, signers...)
	if err == nil {
		err = client.Check(o)
	}
	if err != nil {
		return err
	}
	p.note(what, o.GetId())
	return nil
}

// note adds a transaction to the scene, once.
func (p *play) note(what, id string) {
	if !slices.ContainsFunc(p.scene.Transactions, func(t Transaction) bool { return t.ID == id }) {
		p.scene.Transactions = append(p.scene.Transactions, Transaction{what, id})
	}
}

// each does something with all cars at once.
func (p *play) each(do func(i int, c *car) error) error {
	var group errgroup.Group
	for i, c := range p.cars {
		group.Go(func() error { return do(i, c) })
	}
	return group.Wait()
}

// until asks again and again until it is so; what says what was awaited.
func until(ctx context.Context, what string, ask func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		ok, err := ask(ctx)
		if ok && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("not so after %s: %s", patience, what), err)
		case <-time.After(askAgain):
		}
	}
}

// must is an error when something is not so.
func must(ok bool, format string, a ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("this should not be: "+format, a...)
}
