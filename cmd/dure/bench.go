package main

import (
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/bench"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

func newBench(a *app) *cobra.Command {
	return parent("bench", "Measure what a network on this machine can do",
		`Starts a network of its own in a temporary folder, loads it through the API, measures, checks that everything the
network then says is true, and removes it again. docs/performance.md tells what was measured and how to read it.`,
		newBenchPayments(a), newBenchTable(a))
}

// benchRun is a benchmark as asked for.
type benchRun struct {
	bench.Payments
	members, indexing int
	json, plot, dir   string
	restart, join     bool
	flags             []string
}

func newBenchPayments(a *app) *cobra.Command {
	b := &benchRun{}
	cmd := &cobra.Command{
		Use:   "payments",
		Short: "Measure payments",
		Long: `Starts a network of members, each a process of its own with the durability it has in earnest, opens accounts that
pay each other, signs payments before the clock starts, sends them through the API of all members, and reports what was
committed while the clock ran, how long answers took, and how near that is to what checking the signatures alone would
allow. Afterwards it compares every balance with what the answers make it, the members' roots with each other, and
verifies receipts by the genesis file alone. A check that fails fails the run.`,
		Example: `  dure bench payments --members 4 --seconds 30 --accounts 10000 --json out.json
  dure bench payments --members 4 --seconds 60 --rate 6000 --plot latency.svg`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return b.run(cmd.Context(), a) },
	}
	f := cmd.Flags()
	f.IntVar(&b.members, "members", 4, "how many members the network has")
	f.IntVar(&b.indexing, "indexing", 1, "how many of them keep the index that lists and searches need")
	f.IntVar(&b.Seconds, "seconds", 30, "how long the clock runs")
	f.IntVar(&b.Accounts, "accounts", 10_000, "how many accounts pay each other")
	f.Float64Var(&b.Rate, "rate", 0, "payments offered a second; 0: as many as the members take")
	f.IntVar(&b.InFlight, "in-flight", bench.DefaultInFlight, "payments that wait for their outcome at once, without --rate")
	f.IntVar(&b.Receipts, "receipts", bench.DefaultReceipts, "how many receipts to verify")
	f.BoolVar(&b.restart, "restart", false, "kill the last member in the middle and measure how long it takes to catch up")
	f.BoolVar(&b.join, "join", false, "let one more member join in the middle and measure how long it takes to catch up")
	f.StringVar(&b.json, "json", "", "write the report to this file")
	f.StringVar(&b.plot, "plot", "", "draw throughput and latency over time to this SVG file")
	f.StringVar(&b.dir, "dir", "", "keep the network in this folder, which must be new or empty")
	f.StringArrayVar(&b.flags, "start-flag", nil, "a flag for every member's \"dure start\", such as --start-flag=--log-level=debug")
	return cmd
}

func (b *benchRun) run(ctx context.Context, a *app) error {
	if b.members < 1 || b.members > maxMembers || b.indexing < 0 || b.indexing > b.members {
		return usage(fmt.Sprintf("want 1 to %d members, and no more of them indexing", maxMembers))
	}
	dir := b.dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "dure-bench-*"); err != nil {
			return err
		}
		defer os.RemoveAll(dir) // what is left of it is the system's to clean
	} else if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return failed(dir+" is not empty", "choose another folder with --dir")
	}
	keys, network, members, err := b.network(dir)
	if err != nil {
		return err
	}
	defer members.stop()
	fmt.Fprintf(a.err, "Starting %d members…\n", b.members)
	if err := members.startAll(ctx); err != nil {
		return err
	}
	network.PID = func(i int) int { return members.all[i].cmd.Process.Pid }
	if b.restart {
		network.Restart = members.restart
	}
	if b.join {
		j := &benchJoin{dir: dir, keys: keys, network: network, members: members, flags: b.flags}
		network.Join = j.join
	}
	report, err := b.Run(ctx, *network, a.err)
	if report == nil {
		return err
	}
	return errors.Join(err, b.write(a, report))
}

func (b *benchRun) write(a *app, report *bench.Report) error {
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if b.json != "" {
		if err := os.WriteFile(b.json, append(raw, '\n'), 0o644); err != nil { // no secret
			return err
		}
	}
	if b.plot != "" {
		if err := os.WriteFile(b.plot, report.Plot(), 0o644); err != nil { // no secret
			return err
		}
	}
	if a.json {
		_, err = fmt.Fprintf(a.out, "%s\n", raw)
		return err
	}
	_, err = fmt.Fprint(a.out, report)
	return err
}

// network makes the members' homes. It returns also the keys by which they act.
func (b *benchRun) network(dir string) ([]tx.Signer, *bench.Network, *processes, error) {
	ports, err := freePorts(2 * b.members)
	if err != nil {
		return nil, nil, nil, err
	}
	keys, seats := make([]tx.Signer, b.members), make([]node.Seat, b.members)
	for i := range keys {
		if keys[i], seats[i], err = benchSeat(dir, i, ports[2*i:]); err != nil {
			return nil, nil, nil, err
		}
	}
	file, err := node.CreateNetwork("bench", seats, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	out := &bench.Network{Genesis: file, Issuer: keys[0], Indexing: b.indexing}
	members := newProcesses()
	for i, s := range seats {
		config, err := node.Load(s.Home.Config(), noEnv, nil)
		if err != nil {
			return nil, nil, nil, err
		}
		members.add(s.Name, s.Home, config, append([]string{"--index=" + strconv.FormatBool(i < b.indexing)}, b.flags...)...)
		out.APIs = append(out.APIs, "http://"+s.API)
	}
	return keys, out, members, nil
}

// benchSeat is the i-th member's key and place. The first two ports are its own.
func benchSeat(dir string, i int, ports []string) (tx.Signer, node.Seat, error) {
	secret, err := tx.NewSecret(accountv1.KeyKind_KEY_KIND_ED25519, crand.Reader)
	if err != nil {
		return nil, node.Seat{}, err
	}
	key, err := tx.NewEd25519Signer(secret)
	if err != nil {
		return nil, node.Seat{}, err
	}
	name := strconv.Itoa(i + 1)
	return key, node.Seat{Home: node.Home(filepath.Join(dir, "member"+name)), Name: "Member " + name, Address: key.Key().Address(), API: ports[0], P2P: ports[1]}, nil
}

// freePorts are addresses of this machine that nothing listens on now, below the ports that outgoing connections are given:
// another member's connection may not take one before it is used.
func freePorts(n int) ([]string, error) {
	const first, last = 10_000, 32_000
	var out []string
	for range 100 + n {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(last-first)))
		if err != nil {
			continue
		}
		defer l.Close() // none is given twice
		if out = append(out, l.Addr().String()); len(out) == n {
			return out, nil
		}
	}
	return nil, failed(fmt.Sprintf("this machine has no %d free ports", n), "stop what listens on so many")
}
