package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// rollout is one run of dure device update.
type rollout struct {
	app                                       *app
	model, image, waveText, stopText, by, key string
	number                                    uint64
	wait                                      time.Duration
	dryRun                                    bool

	waves     []share
	stopAbove share
	client    *client.Client
	network   string
	maker     party
	signer    tx.Signer
	firmware  *apiv1.Firmware
	payload   []byte
	// lost is why devices were given up in this run.
	lost map[string]string
	said []waveResult
}

func deviceUpdate(a *app) *cobra.Command {
	r := &rollout{app: a, lost: map[string]string{}}
	cmd := &cobra.Command{
		Use: "update MODEL", Short: "Bring a firmware to the devices of a model, in waves", Args: cobra.ExactArgs(1),
		Long: `Tells the devices of your model to run a registered firmware: first a small share of them, then larger ones. A device counts as updated when its
evidence shows the firmware. When too many of those that were told fail or say nothing within the time, no more are told, and the command says who
and why. What it goes by is on the ledger: run it again, after a break or when the reasons are gone, and it goes on where it was. Devices that
run a firmware from which this one may not be reached are left out, and so are those that are suspended.`,
		Example: "  dure device update sedan-3 --to 8 --image sedan-3-2.5.0.bin --waves 5%,25%,100% --stop-above 2% --wait 10m --by maker\n" +
			"  dure device update sedan-3 --to 8 --image sedan-3-2.5.0.bin --dry-run --by maker",
		RunE: func(cmd *cobra.Command, args []string) error {
			r.model = args[0]
			return r.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&r.number, "to", 0, "number of the firmware (required)")
	f.StringVar(&r.image, "image", "", "its image, a file, or 64 hex digits of its SHA-256: to be sure that this is what is registered (required)")
	f.StringVar(&r.waveText, "waves", "5%,25%,100%", "shares of the devices, one after the other")
	f.StringVar(&r.stopText, "stop-above", "2%", "go on while at most this share of those that were told failed or said nothing")
	f.DurationVar(&r.wait, "wait", 10*time.Minute, "how long the devices of a wave have; those that come later do not begin any more")
	a.actorFlag(cmd, &r.by, "by", "the maker")
	f.StringVar(&r.key, "key", "", "name of the key to sign with, when it is not the account's own")
	f.BoolVar(&r.dryRun, "dry-run", false, "show the waves and tell nobody")
	must(cmd.MarkFlagRequired("to"))
	must(cmd.MarkFlagRequired("image"))
	must(cmd.RegisterFlagCompletionFunc("key", a.completeKeys))
	return cmd
}

func (r *rollout) run(ctx context.Context) (err error) {
	if r.waves, err = parseWaves(r.waveText); err != nil {
		return err
	}
	if r.stopAbove, err = parseShare(r.stopText); err != nil {
		return err
	}
	if r.wait < time.Second || r.wait > 30*24*time.Hour {
		return usage("--wait: want from 1s to 720h")
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if r.dryRun {
		return r.preview(ctx)
	}
	if r.signer, err = r.app.signerFor(ctx, r.maker, r.key); err != nil {
		return err
	}
	for i := range r.waves {
		if err := r.wave(ctx, i); err != nil {
			if r.app.json {
				_ = r.app.print(map[string]any{"waves": r.said}, nil)
			}
			return err
		}
	}
	return r.app.print(map[string]any{"waves": r.said}, func(w io.Writer) { fmt.Fprintln(w, "Done.") })
}

func (r *rollout) prepare(ctx context.Context) error {
	var err error
	if r.maker, err = r.app.self(r.by); err != nil {
		return err
	}
	if r.client, err = r.app.ledger(); err != nil {
		return err
	}
	if r.network, err = r.client.Network(ctx); err != nil {
		return err
	}
	digest, err := r.app.documentArg(ctx, r.image)
	if err != nil {
		return err
	}
	if err := r.check(ctx); err != nil {
		return err
	}
	if r.firmware.GetDigest() != hex.EncodeToString(digest[:]) {
		return failed(fmt.Sprintf("%s has the SHA-256 %x, and firmware %d of %s is registered with %s.", r.image, digest, r.number, r.model, r.firmware.GetDigest()),
			"Take the image that was registered, or register this one under a number of its own.")
	}
	r.payload = client.Update{Number: r.number, Digest: digest}.Payload()
	return nil
}

// check looks the firmware up, which may have been withdrawn meanwhile.
func (r *rollout) check(ctx context.Context) error {
	model, err := r.client.DeviceModel(ctx, r.maker.address, r.model)
	if err != nil {
		return err
	}
	if why := unfit(model, r.number); why != "" {
		return failed(why, "")
	}
	for _, f := range model.GetFirmware() {
		if f.GetNumber() == r.number {
			r.firmware = f
		}
	}
	return nil
}

// fleet is what the ledger has now.
func (r *rollout) fleet(ctx context.Context) (candidates, error) {
	var devices []*apiv1.Device
	for d, err := range r.client.AllDevices(ctx, r.maker.address, r.model) {
		if err != nil {
			return candidates{}, err
		}
		devices = append(devices, d)
	}
	return planFleet(devices, r.maker.address, r.model, r.firmware, r.payload), nil
}

// maxShownDevices is how many devices of a wave are listed.
const maxShownDevices = 20

func (r *rollout) preview(ctx context.Context) error {
	f, err := r.fleet(ctx)
	if err != nil {
		return err
	}
	type planned struct {
		Share   string   `json:"share"`
		Devices []string `json:"devices"`
		Done    int      `json:"done"`
	}
	var waves []planned
	from := 0
	for _, s := range r.waves {
		p := planned{Share: s.String()}
		for ; from < s.of(len(f.members)); from++ {
			p.Devices = append(p.Devices, f.members[from].GetSerial())
			if f.members[from].GetFirmware().GetNumber() == r.number {
				p.Done++
			}
		}
		waves = append(waves, p)
	}
	return r.app.print(map[string]any{
		"waves": waves, "newer": len(f.newer), "unreachable": len(f.unreachable), "suspended": len(f.suspended),
	}, func(w io.Writer) {
		fmt.Fprintf(w, "Firmware %d of %s, SHA-256 %s. Nobody was told.\n", r.number, r.model, r.firmware.GetDigest())
		for i, p := range waves {
			fmt.Fprintf(w, "wave %d, up to %s: %s, of which %d run it\n", i+1, p.Share, plural(len(p.Devices), "device"), p.Done)
			for _, serial := range p.Devices[:min(len(p.Devices), maxShownDevices)] {
				fmt.Fprintln(w, "  "+clean(serial))
			}
			if more := len(p.Devices) - maxShownDevices; more > 0 {
				fmt.Fprintf(w, "  and %d more\n", more)
			}
		}
		r.printLeftOut(w, f)
	})
}

func (r *rollout) printLeftOut(w io.Writer, f candidates) {
	for _, group := range []struct {
		devices []*apiv1.Device
		why     string
	}{
		{f.newer, "run a newer firmware"},
		{f.unreachable, fmt.Sprintf("run a firmware older than %d, which this one does not follow", r.firmware.GetFollows())},
		{f.suspended, "are suspended"},
	} {
		if n := len(group.devices); n > 0 {
			fmt.Fprintf(w, "left out: %s: %s\n", plural(n, "device"), group.why)
		}
	}
}
