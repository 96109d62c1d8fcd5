package story

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/dureledger/dure/client"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// register makes an image and registers its digest.
func (p *play) register(ctx context.Context) error {
	if err := writeImage(p.factory); err != nil {
		return err
	}
	want, err := digest(p.factory)
	if err != nil {
		return err
	}
	draft := client.NewTransaction(p.network).RegisterModel(p.maker, p.model, "두레 세단 Dure Sedan").
		RegisterFirmware(p.maker, client.Firmware{Model: p.model, Number: 1, Version: version, Digest: want})
	if err := p.do(ctx, "model and firmware", draft, p.Maker); err != nil {
		return err
	}
	known, err := p.Client.DeviceModel(ctx, p.maker, p.model)
	if err != nil {
		return err
	}
	p.say("The maker registers the model %s. Its firmware %s is the file %s.", p.model, version, p.factory)
	p.say("The ledger keeps the SHA-256 of the file, %x, and not the file.", want)
	p.scene.Page = p.scene.Pages.Model
	registered := known.GetFirmware()
	return must(len(registered) == 1 && registered[0].GetDigest() == hex.EncodeToString(want[:]), "the ledger has another firmware: %v", registered)
}

// enrol gives each car its firmware, an account and a place among the maker's devices, and switches it on.
func (p *play) enrol(ctx context.Context) error {
	draft, bank := client.NewTransaction(p.network), p.Bank.Key().Address()
	for i, c := range p.cars {
		draft.OpenAccount(bank, c.signer.Key()).EnrolDevice(p.maker, c.address, p.Owner, p.model, fmt.Sprintf("KM8-%04d", i+1), 1)
	}
	if err := p.do(ctx, "accounts and enrolment", draft, p.Bank, p.Maker); err != nil {
		return err
	}
	for _, c := range p.cars {
		if err := errors.Join(os.MkdirAll(c.config.Dir, 0o700), p.install(c)); err != nil {
			return err
		}
		if err := c.start(); err != nil {
			return err
		}
		d, err := p.Client.Device(ctx, c.address)
		if err != nil {
			return err
		}
		if err := must(d.GetState() == "active" && d.GetSerial() != "", "%s is %s", c.name, d.GetState()); err != nil {
			return err
		}
	}
	p.say("The maker enrols three cars, each with a key of its own that only the car has.")
	p.say("The one to watch is %s, account %s.", p.suspect.name, p.suspect.address)
	p.scene.Page = p.scene.Pages.Model
	return nil
}

// install puts the maker's image on a car's disk.
func (p *play) install(c *car) error {
	image, err := os.ReadFile(p.factory)
	if err != nil {
		return err
	}
	return os.WriteFile(c.image(), image, 0o644)
}

// open opens the feed, funds it and lets the cars in.
func (p *play) open(ctx context.Context) error {
	const minute = 60_000
	draft := client.NewTransaction(p.network).OpenFeed(p.insurer, p.feed, &streamv1.Terms{
		Title: "차량 속도 Car speed", Unit: unit, Decimals: 1, Most: 2500, LateMs: 10 * minute, AheadMs: minute, StaleMs: 60 * minute,
		MinSources: 2, AppealMs: 60 * minute, Premium: &streamv1.Premium{Asset: asset, Amount: strconv.Itoa(premium), DisputeMs: disputeMs},
	}).AdmitDevices(p.insurer, p.feed, p.addresses()...).
		Issue(p.Bank.Key().Address(), p.insurer, asset, strconv.Itoa(funds)).FundFeed(p.insurer, p.feed, strconv.Itoa(funds))
	if err := p.do(ctx, "feed and its funds", draft, p.Insurer, p.Bank); err != nil {
		return err
	}
	got, err := p.Client.Feed(ctx, p.feed)
	if err != nil {
		return err
	}
	p.say("The insurer opens the feed %s. Each accepted reading earns its car %d %s, %d seconds after it came.", p.feed, premium, asset, disputeMs/1000)
	p.scene.Page = p.scene.Pages.Feed
	return must(got.GetFeed().GetFunds() == strconv.Itoa(funds) && len(got.GetSources()) == len(p.cars), "the feed has %s and %d sources", got.GetFeed().GetFunds(), len(got.GetSources()))
}

func (p *play) addresses() []tx.Address {
	out := make([]tx.Address, len(p.cars))
	for i, c := range p.cars {
		out[i] = c.address
	}
	return out
}

func (p *play) firstEvidence(ctx context.Context) error {
	if err := p.allGood(ctx); err != nil {
		return err
	}
	p.say("The insurer asks the cars for evidence. Each measures the file it runs and signs what it finds: it is the registered firmware.")
	p.say("Such evidence is self-reported: docs/devices.md says what that is worth.")
	return nil
}

// driveFirst sends the readings of which nobody will ever doubt.
func (p *play) driveFirst(ctx context.Context) error {
	var err error
	if p.old, err = p.drive(ctx, 4); err != nil {
		return err
	}
	p.say("Each car reports its speed four times, signed, over MQTT. An acknowledgement means that the reading is on the ledger.")
	p.scene.Page = p.scene.Pages.Feed
	if err := p.ask(ctx, "May I rely on what "+p.suspect.name+" has just said", last(p.old), true); err != nil {
		return err
	}
	return errors.Join(p.askValue(ctx, "How fast are the cars now", nil, 3), p.askProof(ctx, last(p.old)))
}

func (p *play) confirm(ctx context.Context) error {
	if err := p.allGood(ctx); err != nil {
		return err
	}
	p.say("All show the registered firmware again. What they said until now is confirmed.")
	return p.ask(ctx, "And now, on the same reading", last(p.old), true)
}

func (p *play) payFirst(ctx context.Context) error {
	if err := p.settle(ctx, len(p.old), len(p.old), 0); err != nil {
		return err
	}
	p.say("The dispute window has passed and nothing speaks against the readings: each car gets %d %s.", len(p.old)*premium, asset)
	return nil
}

// drive lets all cars report a number of times, notes the transactions that have the suspect's readings, and returns these.
func (p *play) drive(ctx context.Context, times int) ([]taken, error) {
	all := make([][]taken, len(p.cars))
	if err := p.each(func(i int, c *car) (err error) {
		all[i], err = c.drive(ctx, p.feed, times)
		return err
	}); err != nil {
		return nil, err
	}
	p.sent = time.Now()
	var out []taken
	for i, readings := range all {
		for _, t := range readings {
			if err := must(t.verdict == "accepted", "a reading of %s is %s", p.cars[i].name, t.verdict); err != nil {
				return nil, err
			}
		}
		if p.cars[i] == p.suspect {
			out = readings
		}
	}
	for _, t := range out {
		r, err := p.reading(ctx, t)
		if err != nil {
			return nil, err
		}
		p.note(name(t), r.GetTransaction())
	}
	return out, nil
}

func last(readings []taken) taken { return readings[len(readings)-1] }

// name is how a reading is called in words.
func name(t taken) string { return fmt.Sprintf("reading %d·%d", t.Boot, t.Sequence) }
