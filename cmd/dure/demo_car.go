package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/bench/story"
	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
)

// demoCar is the story of a forged firmware as asked for.
type demoCar struct {
	gateway, gatewayCA string
	step               bool
}

func newDemoCar(a *app) *cobra.Command {
	d := &demoCar{}
	cmd := &cobra.Command{
		Use:   "car",
		Short: "The story of a car whose firmware is forged, on the network of make up",
		Long: `Plays a story on the running development network (make up), through its gateway, with its maker, insurer and bank. Three cars report their
speed over MQTT and are paid for it. The firmware of one, a real file, is changed; nobody knows until it is asked for evidence. It is suspended in the
block that has the evidence; every reading and payment that leaned on it since its last good evidence is marked; it is repaired and
readmitted. At each moment the insurer asks: may I rely on this reading?

Each scene is printed when it has happened, with its transactions and the page to look at, and all it says has been asked of the ledger: when
something is not so the command says what, and its exit code is 1. It takes half a minute and can be run again: each run has a model, cars and a feed of its own.
The firmware stays in HOME/demo-car.`,
		Example: "  dure demo car\n  dure demo car --step",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context(), a) },
	}
	cmd.Flags().BoolVar(&d.step, "step", false, "after each scene wait for Enter, a line on the standard input")
	cmd.Flags().StringVar(&d.gateway, "gateway", "", "host:port of the gateway for MQTT (default what make up wrote to HOME/gateway)")
	cmd.Flags().StringVar(&d.gatewayCA, "gateway-ca", "", "PEM file of the gateway's certificate (default HOME/../gateway.pem)")
	return cmd
}

func (d *demoCar) run(ctx context.Context, a *app) error {
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	place, err := d.place(ctx, a)
	if err != nil {
		return err
	}
	scenes := d.scenes(ctx, a)
	err = story.Play(ctx, *place, scenes)
	broken := (*story.Broken)(nil)
	if errors.As(err, &broken) {
		p := *a.explain(broken.Err)
		p.what = fmt.Sprintf("Scene %d, %s: %s", broken.Number, broken.Title, p.what)
		return &p
	}
	if err != nil {
		return err
	}
	if !a.json {
		fmt.Fprintln(a.out, "\nAll that was promised has happened.")
	}
	return nil
}

// scenes shows each scene, and waits after it when asked to.
func (d *demoCar) scenes(ctx context.Context, a *app) func(*story.Scene) error {
	lines := make(chan struct{})
	if d.step {
		go func() {
			defer close(lines) // at the end of the input the story goes on by itself
			for in := bufio.NewScanner(a.in); in.Scan(); {
				select {
				case lines <- struct{}{}:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	return func(s *story.Scene) error {
		if err := a.print(s, func(w io.Writer) { printScene(w, s) }); err != nil || !d.step {
			return err
		}
		if !a.json {
			fmt.Fprint(a.err, "\nEnter goes on. ")
		}
		select {
		case <-lines:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func printScene(w io.Writer, s *story.Scene) {
	fmt.Fprintf(w, "\n%d. %s\n", s.Number, s.Title)
	for _, sentence := range s.Says {
		fmt.Fprintln(w, "   "+sentence)
	}
	for _, answer := range s.Answers {
		word := "NO"
		if answer.Yes {
			word = "yes"
		}
		fmt.Fprintf(w, "   %s\n     %s: %s\n", answer.Question, word, answer.Why)
	}
	facts := make([]fact, 0, len(s.Transactions)+1)
	for _, t := range s.Transactions {
		facts = append(facts, fact{"   " + t.What, t.ID})
	}
	printFacts(w, append(facts, fact{"   page", s.Page}))
}

// place finds the development network: its nodes, its gateway and whose keys there are.
func (d *demoCar) place(ctx context.Context, a *app) (*story.Place, error) {
	const advice = "Start the development network in another terminal with: make up\nIf it runs elsewhere, say where its settings are: --home DIR/client"
	p := &story.Place{Nodes: a.nodes, Run: time.Now().Format("0102-150405")}
	for _, key := range []struct {
		name   string
		signer *tx.Signer
	}{{demoMaker, &p.Maker}, {"insurer", &p.Insurer}, {"bank", &p.Bank}} {
		if _, err := a.keyNamed(key.name); err != nil {
			return nil, failed(fmt.Sprintf("%s has no key named %s, so it has no settings of a development network with cars.", a.home, key.name), advice)
		}
		var err error
		if *key.signer, err = a.unlock(key.name); err != nil {
			return nil, err
		}
	}
	owner, err := a.party(demoPeople[0].key)
	if err != nil {
		return nil, err
	}
	p.Owner = owner.address
	if p.Client, err = a.ledger(); err != nil {
		return nil, err
	}
	unreachable := (*client.Unreachable)(nil)
	if _, err := p.Client.Network(ctx); errors.As(err, &unreachable) {
		return nil, &problem{exit: exitUnreachable, code: "node.unreachable", what: sentence(unreachable.Error()), advice: advice, err: err}
	} else if err != nil {
		return nil, err
	}
	if p.Anchor, err = a.anchor(anchorFlags{}); err != nil {
		return nil, err
	}
	p.Dir = filepath.Join(a.home, "demo-car", p.Run)
	if p.Gateway = d.gateway; p.Gateway == "" {
		p.Gateway = a.setting(gatewaySetting)
	}
	p.TLS, err = d.trust(ctx, a, p.Gateway)
	return p, err
}

// trust reads the gateway's certificate, and looks whether it answers.
func (d *demoCar) trust(ctx context.Context, a *app, gateway string) (*tls.Config, error) {
	const advice = "Start the development network with its gateway: make up\nA gateway elsewhere is named with --gateway and --gateway-ca."
	file := d.gatewayCA
	if file == "" {
		file = filepath.Join(filepath.Dir(a.home), "gateway.pem")
	}
	certificate, err := readSmall(file, 64<<10)
	roots := x509.NewCertPool()
	if err != nil || gateway == "" || !roots.AppendCertsFromPEM(certificate) {
		return nil, failed(fmt.Sprintf("%s and %s do not say where a gateway is, and by which certificate it is known.", filepath.Join(a.home, gatewaySetting), file), advice)
	}
	connection, err := (&net.Dialer{Timeout: a.patience}).DialContext(ctx, "tcp", gateway)
	if err != nil {
		return nil, &problem{exit: exitUnreachable, code: "gateway.unreachable", what: "No gateway answers at " + gateway + ": " + strings.TrimSpace(err.Error()) + ".", advice: advice, err: err}
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, connection.Close()
}
