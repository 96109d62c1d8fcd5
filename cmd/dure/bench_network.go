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

	"github.com/spf13/pflag"

	"github.com/dureledger/dure/bench"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

// benchNetwork is the network that a benchmark asks for, and where its report goes.
type benchNetwork struct {
	members, indexing int
	json, dir         string
	flags             []string
	// passkeys says that the network takes passkeys of the benchmark's own making.
	passkeys bool
}

func (b *benchNetwork) bind(f *pflag.FlagSet, members int) {
	f.IntVar(&b.members, "members", members, "how many members the network has")
	f.IntVar(&b.indexing, "indexing", 1, "how many of them keep the index that lists and searches need")
	f.StringVar(&b.json, "json", "", "write the report to this file")
	f.StringVar(&b.dir, "dir", "", "keep the network in this folder, which must be new or empty")
	f.StringArrayVar(&b.flags, "start-flag", nil, "a flag for every member's \"dure start\", such as --start-flag=--log-level=debug")
}

// benchRunning is a benchmark's network at work.
type benchRunning struct {
	dir string
	// keys are those by which the members act.
	keys    []tx.Signer
	network *bench.Network
	members *processes
}

// with starts the network, hands it over, and removes it again.
func (b *benchNetwork) with(ctx context.Context, a *app, use func(*benchRunning) error) error {
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
	n, err := b.create(dir)
	if err != nil {
		return err
	}
	defer n.members.stop()
	fmt.Fprintf(a.err, "Starting %d members…\n", b.members)
	if err := n.members.startAll(ctx); err != nil {
		return err
	}
	n.network.PID = func(i int) int { return n.members.all[i].cmd.Process.Pid }
	return use(n)
}

// end hands out what a run has reported, also beside its error; nil: it has not come to a report.
func end[T any, R interface {
	*T
	fmt.Stringer
}](a *app, b *benchNetwork, report R, err error) error {
	if report == nil {
		return err
	}
	return errors.Join(err, b.write(a, report))
}

// write hands out a report, which is for people as text and else JSON.
func (b *benchNetwork) write(a *app, report fmt.Stringer) error {
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if b.json != "" {
		if err := os.WriteFile(b.json, append(raw, '\n'), 0o644); err != nil { // no secret
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

// create makes the members' homes.
func (b *benchNetwork) create(dir string) (*benchRunning, error) {
	ports, err := freePorts(2 * b.members)
	if err != nil {
		return nil, err
	}
	keys, seats := make([]tx.Signer, b.members), make([]node.Seat, b.members)
	for i := range keys {
		if keys[i], seats[i], err = benchSeat(dir, i, ports[2*i:]); err != nil {
			return nil, err
		}
	}
	file, err := node.CreateNetwork("bench", seats, b.genesis)
	if err != nil {
		return nil, err
	}
	out := &bench.Network{Genesis: file, Issuer: keys[0], Indexing: b.indexing}
	members := newProcesses()
	for i, s := range seats {
		config, err := node.Load(s.Home.Config(), noEnv, nil)
		if err != nil {
			return nil, err
		}
		members.add(s.Name, s.Home, config, append([]string{"--index=" + strconv.FormatBool(i < b.indexing)}, b.flags...)...)
		out.APIs = append(out.APIs, "http://"+s.API)
	}
	return &benchRunning{dir: dir, keys: keys, network: out, members: members}, nil
}

// genesis adds what the benchmark needs to the network's genesis.
func (b *benchNetwork) genesis(g *ledgerv1.Genesis) {
	if b.passkeys {
		g.Network.Parameters.RpId, g.Network.Parameters.Origins = bench.RPID, []string{bench.Origin}
	}
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
