package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/certificate"
	"github.com/dureledger/dure/client/coap"
	"github.com/dureledger/dure/client/neighbour"
	"github.com/dureledger/dure/client/witness"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

func deviceNeighbour(a *app) *cobra.Command {
	return parent("neighbour", "Hand proofs from device to device", `A device that reaches no gateway, or does not believe the one that it reaches, gets the newest checkpoint and receipts from another device, and verifies
them by what it was made with. The neighbour need not be trusted: what does not hold, goes back, or does not go on from what is known is not taken.`,
		neighbourServe(a), neighbourAsk(a))
}

// neighbourFlags are common to both sides: which device this is, and what it trusts.
type neighbourFlags struct {
	as, key string
	from    anchorFlags
}

func (f *neighbourFlags) register(a *app, cmd *cobra.Command) {
	a.actorFlag(cmd, &f.as, "as", "the device")
	keyFlag(a, cmd, &f.key)
	f.from.register(cmd)
}

// neighbourSelf is the device that a command is for: its certificate and what it knows.
type neighbourSelf struct {
	party
	config neighbour.Config
	own    tls.Certificate
}

func (a *app) neighbourSelf(f neighbourFlags) (*neighbourSelf, error) {
	p, err := a.self(f.as)
	if err != nil {
		return nil, err
	}
	key, err := a.deviceKey(p, f.key)
	if err != nil {
		return nil, err
	}
	der, err := certificate.Make(p.address, key)
	if err != nil {
		return nil, err
	}
	policy, err := f.from.policy()
	if err != nil {
		return nil, err
	}
	anchor, err := a.anchor(anchorFlags{genesis: f.from.genesis, checkpoint: f.from.checkpoint})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(a.home, 0o700); err != nil {
		return nil, err
	}
	memory := witness.Memory{File: filepath.Join(a.home, "checkpoint-"+p.address.String()+"-"+anchor.Network()+".txt"), Anchor: anchor}
	return &neighbourSelf{
		party: p, own: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		config: neighbour.Config{Address: p.address, Key: key, Asker: &neighbour.Asker{Memory: memory, Policy: policy}},
	}, nil
}

// neighbourServeFlags are the settings of a device that serves others.
type neighbourServeFlags struct {
	neighbourFlags
	listen, gateway, gatewayCert string
	allow, receipts              []string
	alone                        bool
	every                        time.Duration
}

func neighbourServe(a *app) *cobra.Command {
	var f neighbourServeFlags
	cmd := &cobra.Command{
		Use: "serve", Short: "Have proofs for other devices, until stopped", Args: cobra.NoArgs,
		Long: `Answers the devices named with --allow, over CoAP with DTLS: the newest checkpoint, and receipts. They come from a gateway's door for CoAP (--gateway), or
from the node of --node, or with --alone from what this device has kept and the files named with --receipt. Each device shows a certificate
for the key that its address is made from, as this one does. It keeps the newest checkpoint that it has verified itself in the home folder, and
stops with exit code 3 when it is shown a second history.`,
		Example: "  dure device neighbour serve --as car-81 --allow car-82 --genesis genesis.json\n" +
			"  dure device neighbour serve --as car-81 --allow 0x… --listen 10.0.0.81:5685 --gateway coaps://gateway.example:5684 --gateway-cert gw.pem --genesis genesis.json",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serveNeighbours(cmd.Context(), f) },
	}
	f.register(a, cmd)
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:5685", "host:port for CoAP over DTLS")
	cmd.Flags().StringSliceVar(&f.allow, "allow", nil, "devices that may ask: addresses or names of keys (required)")
	cmd.Flags().StringVar(&f.gateway, "gateway", "", "coaps://host:port of a gateway that this device asks in turn (default: the node of --node)")
	cmd.Flags().StringVar(&f.gatewayCert, "gateway-cert", "", "PEM file of the certificate by which the gateway is known")
	cmd.Flags().BoolVar(&f.alone, "alone", false, "ask nobody: hand out what is kept")
	cmd.Flags().StringArrayVar(&f.receipts, "receipt", nil, "receipt file to have for others; may be repeated")
	cmd.Flags().DurationVar(&f.every, "every", time.Minute, "how often a newer checkpoint is asked for")
	must(cmd.MarkFlagRequired("allow"))
	cmd.MarkFlagsMutuallyExclusive("alone", "gateway")
	return cmd
}

func (a *app) serveNeighbours(ctx context.Context, f neighbourServeFlags) error {
	if f.every < 100*time.Millisecond {
		return usage("--every: want 100ms or more")
	}
	log, err := newLogger(&node.Config{LogLevel: "info", LogFormat: "text"})
	if err != nil {
		return err
	}
	self, err := a.neighbourSelf(f.neighbourFlags)
	if err != nil {
		return err
	}
	cfg := self.config
	cfg.Listen, cfg.Every, cfg.Log = f.listen, f.every, log
	for _, name := range f.allow {
		p, err := a.party(name)
		if err != nil {
			return err
		}
		cfg.Allow = append(cfg.Allow, p.address)
	}
	source, stop, err := a.neighbourSource(f, self.own)
	if err != nil {
		return err
	}
	defer stop()
	cfg.Source = source
	s, err := neighbour.Serve(cfg)
	if err != nil {
		return failed("Cannot serve on "+f.listen+": "+err.Error()+".", "Choose another --listen, or stop what has the port.")
	}
	for _, name := range f.receipts {
		file, err := readSmall(name, proof.MaxReceipt)
		if err == nil {
			err = s.Keep(file)
		}
		if err != nil {
			return errors.Join(notVerified(fmt.Errorf("%s: %w", name, err), "Give receipts that hold."), s.Close())
		}
	}
	log.Info("neighbours may ask", "listen", s.Listening(), "device", cfg.Address.String(), "network", cfg.Asker.Memory.Anchor.Network())
	if err := s.Run(ctx); err != nil {
		return notVerified(err, "Do not delete anything. Until it is cleared up this device must hand on nothing.")
	}
	return s.Close()
}

// neighbourSource is where the device gets its proofs: nil for nowhere.
func (a *app) neighbourSource(f neighbourServeFlags, own tls.Certificate) (source neighbour.Source, stop func(), err error) {
	stop = func() {}
	switch {
	case f.alone:
		return nil, stop, nil
	case f.gateway == "":
		c, err := a.ledger()
		if err != nil {
			return nil, stop, err
		}
		return neighbour.Node{Client: c}, stop, nil
	}
	address, ok := strings.CutPrefix(f.gateway, "coaps://")
	if !ok {
		return nil, stop, usagef("--gateway %q: want coaps://host:port", f.gateway)
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.gatewayCert != "" {
		pem, err := readSmall(f.gatewayCert, 1<<20)
		if err != nil {
			return nil, stop, err
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, stop, usagef("--gateway-cert %s: there is no certificate in it", f.gatewayCert)
		}
	}
	d := &neighbour.Dialled{Dial: func(ctx context.Context) (*coap.Client, error) {
		return coap.Dial(ctx, address, coap.DialConfig{Certificate: own, TLS: settings})
	}}
	return d, d.Close, nil
}

func neighbourAsk(a *app) *cobra.Command {
	var f neighbourFlags
	var out, expect string
	cmd := &cobra.Command{
		Use: "ask HOST:PORT [TRANSACTION]", Short: "Ask a neighbour for the newest checkpoint, or a receipt", Args: cobra.RangeArgs(1, 2),
		Long: `Asks a device that serves its neighbours for the newest checkpoint, or with TRANSACTION for the receipt of one, and verifies it: from the last checkpoint
that this device took (kept in the home folder), the first time from --genesis or --checkpoint. With --witness it must be cosigned. No node and no gateway is
asked. Exit code 3 when what is shown does not hold, goes back, or is not shown to go on from what is known; nothing of it is taken then.`,
		Example: "  dure device neighbour ask 127.0.0.1:5685 --as car-82 --genesis genesis.json\n" +
			"  dure device neighbour ask 10.0.0.81:5685 5f1c… --as car-82 --expect 0x… --genesis genesis.json -o r.dure",
		RunE: func(cmd *cobra.Command, args []string) error {
			self, err := a.neighbourSelf(f)
			if err != nil {
				return err
			}
			peer := tx.Address{}
			if expect != "" {
				p, err := a.party(expect)
				if err != nil {
					return err
				}
				peer = p.address
			}
			conn, err := neighbour.Dial(cmd.Context(), args[0], self.own, peer)
			if err != nil {
				return failed("The neighbour at "+args[0]+" is not reached: "+err.Error()+".", "See that it serves, and that it allows "+self.address.String()+".")
			}
			defer conn.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), askTime)
			defer cancel()
			if len(args) == 2 {
				return a.askReceipt(ctx, self, neighbour.Peer{Conn: conn}, args[1], out)
			}
			return a.askCheckpoint(ctx, self, neighbour.Peer{Conn: conn}, out)
		},
	}
	f.register(a, cmd)
	cmd.Flags().StringVar(&expect, "expect", "", "the device that the neighbour must be: address or name of a key (default any)")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write what was verified to; it must not exist")
	return cmd
}

// askTime bounds what is asked of a neighbour.
const askTime = 2 * time.Minute

func (a *app) askCheckpoint(ctx context.Context, self *neighbourSelf, s neighbour.Source, out string) error {
	asker := self.config.Asker
	v, err := asker.Checkpoint(ctx, s)
	if err != nil {
		return askError(err)
	}
	seen, err := asker.Memory.Load()
	if err != nil {
		return err
	}
	if out != "" && seen.Checkpoint != nil {
		file, err := seen.Checkpoint.Encode()
		if err == nil {
			err = writeNew(out, file, 0o644)
		}
		if err != nil {
			return err
		}
	}
	if v == nil {
		height := seen.Checkpoint.Height
		return a.print(map[string]any{"newer": false, "height": height}, func(w io.Writer) { fmt.Fprintf(w, "The neighbour has nothing newer than height %d.\n", height) })
	}
	return a.print(viewCheckpoint(v, out), func(w io.Writer) {
		fmt.Fprintf(w, "Took a checkpoint from the neighbour.\n%s\n", strings.TrimSpace(v.String()))
	})
}

func (a *app) askReceipt(ctx context.Context, self *neighbourSelf, s neighbour.Source, transaction, out string) error {
	if _, err := parseDigest(transaction, "transaction id"); err != nil {
		return err
	}
	file, v, err := self.config.Asker.Receipt(ctx, s, transaction)
	if err != nil {
		return askError(err)
	}
	if out != "" {
		if err := writeNew(out, file, 0o644); err != nil {
			return err
		}
	}
	return a.print(viewVerified(v), func(w io.Writer) { fmt.Fprintln(w, strings.TrimSpace(v.String())) })
}

// askError gives what came of asking its exit code: what does not hold is not verified.
func askError(err error) error {
	switch code := fault.Code(err); {
	case errors.Is(err, client.ErrNotFound):
		return failed("The neighbour has no such proof.", "Ask another, or again in a moment: a receipt follows its transaction by a block.")
	case code == "", code == "neighbour.no_gateway", code == "neighbour.refused", code == "coap.too_large":
		return failed(err.Error(), "Ask again, or another neighbour.")
	case code == "witness.second_history":
		return notVerified(err, "Do not delete anything.")
	default:
		return notVerified(err, "Nothing of it was taken. Ask another neighbour.")
	}
}
