package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/node"
)

// newUp runs a demonstration network of four members on this machine.
func newUp(a *app) *cobra.Command {
	var dir string
	var plan demoPlan
	var keyType string
	var door demoDoor
	var signin bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run a demonstration network of four members on this machine",
		Long: `Makes, the first time, a network of four members with accounts to play with, and runs it as four processes that
only this machine can reach, until Ctrl-C, and beside them a gateway for devices, with three cars that may report, and the sign-in providers of two
members, with a shop to sign in at and stand-ins for a mobile operator and a bank (docs/sign-in.md). The next "dure up" goes on with the same ledger; to begin anew, delete the folder.`,
		Example: "  dure up\n  dure up --dir /tmp/try\n  dure up --dir /tmp/quantum --key-type mldsa65",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if plan.validators, err = validatorKind(keyType); err != nil {
				return err
			}
			return a.up(cmd.Context(), demo(dir), plan, door, signin)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "dev", "the network's folder")
	cmd.Flags().IntVar(&plan.api, "api-port", 8080, "port of the first member's API when the network is made; the others have the next three")
	cmd.Flags().IntVar(&plan.p2p, "p2p-port", 26656, "port of the first member for its peers when the network is made; the others have the next three")
	cmd.Flags().StringVar(&keyType, "key-type", "ed25519", "kind of the validators' keys when the network is made: ed25519, mldsa65")
	cmd.Flags().BoolVar(&door.open, "gateway", true, "also run a gateway for devices")
	cmd.Flags().IntVar(&door.port, "mqtt-port", 8883, "port of the gateway, for MQTT over TLS")
	cmd.Flags().BoolVar(&signin, "signin", true, "also run what people sign in with")
	cmd.Flags().IntVar(&plan.signin, "signin-port", 8090, "port of the first sign-in provider when the network is made; what else is needed has the next four")
	return cmd
}

// demoDoor says whether devices are let in, and where.
type demoDoor struct {
	open bool
	port int
}

// How long members may take to answer for the first time, and to stop.
const (
	upTimeout   = 60 * time.Second
	downTimeout = 20 * time.Second
)

func (a *app) up(ctx context.Context, d demo, plan demoPlan, door demoDoor, signin bool) error {
	fresh := !exists(filepath.Join(string(d), "genesis.json"))
	if err := d.create(plan); err != nil {
		return err
	}
	unlock, err := lockFolder(string(d))
	if err != nil {
		return err
	}
	defer unlock()
	configs, err := d.configs()
	if err != nil {
		return err
	}
	old := door.open && !d.hasCars()
	if door.open = door.open && !old; door.open {
		if err := portFree(fmt.Sprintf("127.0.0.1:%d", door.port), "give it another --mqtt-port, or leave the gateway out with --gateway=false"); err != nil {
			return err
		}
	}
	if err := portsFree(configs); err != nil {
		return err
	}
	people := &helpers{} // none
	port := d.signinPort()
	if signin && port != 0 {
		people = d.signinHelpers(port, apisOf(configs))
	}
	if err := people.free(); err != nil {
		return err
	}
	members := newProcesses()
	for i, m := range demoMembers {
		members.add(m.name, d.node(i), configs[i])
	}
	defer members.stop()
	if err := members.startAll(ctx); err != nil {
		return err
	}
	g := &gatewayProcess{} // none
	if door.open {
		if g, err = d.startGateway(ctx, apisOf(configs), door.port); err != nil {
			return err
		}
		defer g.stop()
	}
	if err := people.startAll(ctx); err != nil {
		people.stop()
		return err
	}
	defer people.stop()
	a.greet(d, configs, fresh)
	if len(people.all) > 0 {
		a.greetSignin(port)
	}
	if door.open {
		a.greetCars(d, g, configs[0].APIListen)
	}
	if signin && port == 0 {
		fmt.Fprintf(a.out, "\nThis network was made without sign-in. To have it, delete %s and begin anew.\n", d)
	}
	if old {
		fmt.Fprintf(a.out, "\nThis network was made without devices. To have a gateway, delete %s and begin anew.\n", d)
	}
	fmt.Fprintln(a.out, "\nCtrl-C stops all; the ledger stays.")
	return a.watch(ctx, members, g, people)
}

func apisOf(configs []*node.Config) []string {
	out := make([]string, len(configs))
	for i, c := range configs {
		out[i] = "http://" + c.APIListen
	}
	return out
}

// Restarts of one member within restartSpan that are taken for bad luck rather than a fault that will not go away.
const (
	restarts    = 3
	restartSpan = time.Minute
)

// watch starts a member, the gateway or a helper that stopped by itself again, until ctx ends.
func (a *app) watch(ctx context.Context, members *processes, g *gatewayProcess, people *helpers) error {
	last := map[int][]time.Time{}
	often := func(i int) bool {
		last[i] = append(last[i], a.now())
		n := len(last[i])
		return n > restarts && last[i][n-1].Sub(last[i][n-1-restarts]) < restartSpan
	}
	for {
		select {
		case <-ctx.Done():
			fmt.Fprintln(a.out, "\nStopping the four members…")
			people.stop()
			g.stop()
			members.stop()
			fmt.Fprintln(a.out, "Stopped. \"dure up\" goes on with the same ledger.")
			return nil
		case i := <-members.died:
			m := members.all[i]
			if often(i) {
				return failed(m.name+" stopped by itself again and again", "see "+m.home.Log()+":\n"+tail(m.home.Log()))
			}
			fmt.Fprintf(a.out, "%s stopped by itself; starting it again. Its log: %s\n", m.name, m.home.Log())
			if err := members.start(i); err != nil {
				return err
			}
		case i := <-people.died:
			one := people.all[i]
			if often(len(members.all) + 1 + i) {
				return failed(one.name+" for signing in stopped by itself again and again", "see "+one.log+":\n"+tail(one.log))
			}
			fmt.Fprintf(a.out, "%s for signing in stopped by itself; starting it again. Its log: %s\n", one.name, one.log)
			if err := people.start(i); err != nil {
				return err
			}
		case <-g.done:
			if often(len(members.all)) {
				return failed("the gateway stopped by itself again and again", "see "+g.log()+":\n"+tail(g.log()))
			}
			fmt.Fprintf(a.out, "The gateway stopped by itself; starting it again. Its log: %s\n", g.log())
			if err := g.start(ctx); err != nil {
				return err
			}
		}
	}
}

// portsFree looks at every port before anything starts.
func portsFree(configs []*node.Config) error {
	for _, c := range configs {
		for _, address := range []string{c.APIListen, c.P2PListen} {
			if err := portFree(address, "use other ports in a new folder with --dir, --api-port and --p2p-port"); err != nil {
				return err
			}
		}
	}
	return nil
}

func portFree(address, otherwise string) error {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return failed(address+" is in use by another program, perhaps another \"dure up\"", "stop that program, or "+otherwise+"; nothing was started")
	}
	if err != nil {
		return failed("cannot listen on "+address+": "+err.Error(), "nothing was started")
	}
	return l.Close()
}

// lockFolder keeps a second copy from running the same network.
func lockFolder(dir string) (unlock func(), err error) {
	name := filepath.Join(dir, "lock")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600) // the user's own folder
	if err != nil {
		return nil, failed("the network's folder cannot be written: "+err.Error(), "choose another with --dir, or change its owner")
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner, _ := io.ReadAll(io.LimitReader(f, 32)) // only for the message
		return nil, errors.Join(failed(fmt.Sprintf("the network in %s is running already (process %s)", dir, strings.TrimSpace(string(owner))),
			"stop it there with Ctrl-C first; nothing was started"), f.Close())
	}
	err = errors.Join(f.Truncate(0), writeAt(f, fmt.Sprintf("%d\n", os.Getpid())))
	return func() { _ = f.Close() }, err
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// greet says where everything is and what to try.
func (a *app) greet(d demo, configs []*node.Config, fresh bool) {
	verb := "Going on with"
	if fresh {
		verb = "Made and started"
	}
	fmt.Fprintf(a.out, `%s the demonstration network in %s: four members, only reachable from this machine.

  Status page   http://%s
  Wallet        %s/wallet/ (also for passkeys)
  API           %s   (OpenAPI at /openapi.json)
  Accounts      alice, bob, shop; the members city, bank, broker, insurer
  Assets        krw (issued by bank), gimpo (issued by city)
  Keys          %s (commands run here find them by themselves)

Try, in another terminal:
  bin/dure asset transfer krw 12500 --from alice --to bob --memo lunch
  bin/dure record add README.md && bin/dure record check README.md
  bin/dure status
`, verb, d, configs[0].APIListen, walletAt(configs[0].APIListen), strings.ReplaceAll(strings.Join(apisOf(configs), ", "), "http://", ""), d.client())
}

// walletAt is where passkeys count at a node that listens at an address of this machine.
func walletAt(listen string) string {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	return "http://localhost:" + port
}

func exists(name string) bool { _, err := os.Stat(name); return err == nil }

// tail is the end of a log.
func tail(file string) string {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}
