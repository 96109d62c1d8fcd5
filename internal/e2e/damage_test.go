//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
	"github.com/dureledger/dure/node"
)

var (
	damageSeed   = flag.Uint64("damage.seed", 1, "where TestDamagedFiles damages files")
	damageRounds = flag.Int("damage.rounds", 1, "how many truncations and flips of each file TestDamagedFiles tries")
	damageFile   = flag.String("damage.file", "", "damage only files that match")
)

// TestDamagedFiles damages every file of a node's home, in turn: missing, cut short, a bit flipped. The node repairs it
// or refuses to start with a message; it never shows another state and never goes down with nothing but a stack trace.
func TestDamagedFiles(t *testing.T) {
	whole := newLoner(t)
	whole.fill(t)
	want := whole.look(t)
	var files []string
	err := filepath.WalkDir(whole.home, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, strings.TrimPrefix(path, whole.home+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(*damageSeed, 0))
	limit := make(chan struct{}, 2)
	var done sync.WaitGroup
	for _, file := range files {
		if *damageFile != "" && !regexp.MustCompile(*damageFile).MatchString(file) {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(whole.home, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range damages(random, raw, *damageRounds) {
			limit <- struct{}{}
			done.Add(1)
			go func() {
				defer done.Done()
				defer func() { <-limit }()
				whole.copyWith(t, file, d).check(t, file, d.name, want)
			}()
		}
	}
	done.Wait()
}

type damage struct {
	name    string
	content []byte // nil: the file is missing
}

func damages(random *rand.Rand, raw []byte, rounds int) []damage {
	out := []damage{{"missing", nil}}
	for i := range rounds {
		cut := 0
		if len(raw) > 0 {
			cut = random.IntN(len(raw))
		}
		if i == 0 {
			out = append(out, damage{"empty", []byte{}})
		}
		out = append(out, damage{fmt.Sprintf("cut to %d of %d", cut, len(raw)), raw[:cut]})
		if len(raw) > 0 {
			flipped, at := bytes.Clone(raw), random.IntN(len(raw))
			flipped[at] ^= 1 << random.IntN(8)
			out = append(out, damage{fmt.Sprintf("bit flipped at %d of %d", at, len(raw)), flipped})
		}
	}
	return out
}

// loner is a network of one member, whose home can be copied.
type loner struct {
	home    string
	flags   []string // of dure start
	genesis []byte
	paid    []string
}

func person(i int) tx.Signer { return txtest.Ed25519(uint64(2000 + i)) }

const people = 4

func member(i int) tx.Address { return txtest.Ed25519(uint64(1000 + i)).Key().Address() }

// fund gives each person a million.
func fund(issuer tx.Address) func(*ledgerv1.Genesis) {
	return func(g *ledgerv1.Genesis) {
		g.Asset = &assetv1.Genesis{Classes: []*assetv1.GenesisClass{{Asset: "krw", Issuer: issuer[:], Name: "won"}}}
		for i := range people {
			a := person(i).Key().Address()
			g.Account.Accounts = append(g.Account.Accounts, &accountv1.GenesisAccount{Address: a[:], Sponsor: issuer[:], Kind: accountv1.KeyKind_KEY_KIND_ED25519})
			g.Asset.Balances = append(g.Asset.Balances, &assetv1.GenesisBalance{Asset: "krw", Account: a[:], Amount: "1000000"})
		}
	}
}

func newLoner(t *testing.T) *loner {
	l := &loner{home: filepath.Join(t.TempDir(), "home"), flags: []string{"--api-listen", "127.0.0.1:0", "--p2p-listen", "127.0.0.1:0"}}
	var err error
	l.genesis, err = node.CreateNetwork("damage", []node.Seat{{
		Home: node.Home(l.home), Name: "Loner", Address: member(0), API: "127.0.0.1:0", P2P: "127.0.0.1:0",
	}}, fund(member(0)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// process is a running dure start.
type process struct {
	cmd    *exec.Cmd
	out    *output
	url    string
	exited chan struct{}
}

func (l *loner) start(t testing.TB) *process {
	p := &process{out: &output{}, exited: make(chan struct{})}
	p.cmd = exec.Command(binary, append([]string{"start", "--home", l.home}, l.flags...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Error(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.exited) }()
	return p
}

var apiAddress = regexp.MustCompile(`node started.* api=(127\.0\.0\.1:\d+)`)

// up waits until the node answers, false if it ended.
func (p *process) up(t testing.TB) bool {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if m := apiAddress.FindStringSubmatch(p.out.String()); m != nil {
			p.url = "http://" + m[1]
			return true
		}
		select {
		case <-p.exited:
			return false
		default:
		}
	}
	t.Errorf("neither started nor ended:\n%s", p.out)
	p.kill()
	return false
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

func (p *process) client(t testing.TB) *client.Client {
	c, err := client.Dial(client.Config{Addresses: []string{p.url}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fill runs the node a few times, so that each store has files of every kind, and kills it in the end.
func (l *loner) fill(t *testing.T) {
	for session := range 3 {
		p := l.start(t)
		if !p.up(t) {
			t.Fatal(p.out)
		}
		c := p.client(t)
		network, err := c.Network(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			d := client.NewTransaction(network).Transfer(person(i%people).Key().Address(), person((i+1)%people).Key().Address(), "krw", fmt.Sprint(i+1))
			o, err := c.Do(t.Context(), d, person(i%people))
			if err != nil || client.Check(o) != nil {
				t.Fatal(o, err)
			}
			l.paid = append(l.paid, o.GetId())
		}
		if session == 2 {
			p.kill()
			return
		}
		_ = p.cmd.Process.Signal(os.Interrupt)
		<-p.exited
	}
}

type sight struct{ state, history, balances, listed string }

// look says all that the node shows.
func (l *loner) look(t *testing.T) sight {
	copied := l.copyWith(t, "", damage{})
	p := copied.start(t)
	defer p.kill()
	if !p.up(t) {
		t.Fatal(p.out)
	}
	s, err := copied.see(t, p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (l *loner) see(t testing.TB, p *process) (s sight, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c := p.client(t)
	status, err := c.Status(ctx)
	if err != nil {
		return s, err
	}
	s.state, s.history = status.GetStateRoot(), status.GetHistoryRoot()
	for i := range people {
		b, _, err := c.Balance(ctx, "krw", person(i).Key().Address(), 0)
		if err != nil {
			return s, err
		}
		s.balances += b.GetAmount() + " "
	}
	for ctx.Err() == nil && strings.Count(s.listed, " ") < len(l.paid)/2 { // the index may have to catch up
		s.listed = ""
		for tx, err := range c.Transactions(ctx, &apiv1.ListTransactionsRequest{Account: person(0).Key().Address().String()}) {
			if err != nil {
				return s, err
			}
			s.listed += tx.GetOutcome().GetId()[:6] + " "
		}
	}
	anchor, err := light.FromGenesis(l.genesis)
	if err != nil {
		return s, err
	}
	for i := 0; i < len(l.paid); i += 10 {
		if _, _, err := c.Prove(ctx, l.paid[i], anchor); err != nil {
			return s, err
		}
	}
	return s, nil
}

// copyWith is a copy of the home in which one file has another content.
func (l *loner) copyWith(t *testing.T, file string, d damage) *loner {
	c := *l
	c.home = filepath.Join(t.TempDir(), "home")
	if err := os.Remove(filepath.Join(l.home, "data", "admin.sock")); err != nil && !os.IsNotExist(err) { // left by a kill; it cannot be copied
		t.Error(err)
	}
	if err := os.CopyFS(c.home, os.DirFS(l.home)); err != nil {
		t.Error(err)
	}
	if file == "" {
		return &c
	}
	err := os.Remove(filepath.Join(c.home, file))
	if d.content != nil {
		err = os.WriteFile(filepath.Join(c.home, file), d.content, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
	return &c
}

// check starts a node whose home is damaged. What it shows must be what it showed before; if it cannot, it must end and
// say which file is wrong and what to do.
func (l *loner) check(t *testing.T, file, what string, want sight) {
	defer os.RemoveAll(l.home)
	p := l.start(t)
	started := p.up(t)
	var got sight
	var err error
	if started {
		if got, err = l.see(t, p); err == nil && got == want {
			err = l.pay(t, p)
		}
		if err != nil && strings.Contains(p.out.String(), "this node stops") { // it found the damage when it read or wrote there
			select {
			case <-p.exited:
			case <-time.After(20 * time.Second):
			}
		}
		p.kill()
	}
	out := p.out.String()
	problem := ""
	switch {
	case started && err == nil && got != want:
		problem = fmt.Sprintf("shows %+v, want %+v", got, want)
	case (!started || err != nil) && !explained(out, l.home, file):
		problem = fmt.Sprintf("ended or failed (%v) without an explanation", err)
	case strings.Contains(out, "goroutine "):
		problem = "a stack trace"
	}
	verdict := "starts"
	if !started {
		verdict = "refuses"
	} else if err != nil {
		verdict = "fails later"
	}
	t.Logf("%s: %s: %s", file, what, verdict)
	if problem != "" {
		t.Errorf("%s: %s: %s\n%s", file, what, problem, out)
	}
}

// explained says whether the output names the file, or the folder it is in, and what a person can do.
func explained(out, home, file string) bool {
	last := lastLines.FindString(out)
	named := false
	for part := file; part != "." && part != "data"; part = filepath.Dir(part) {
		named = named || strings.Contains(out, filepath.Join(home, part))
	}
	return named && advice.MatchString(last) || strings.Contains(out, silentValidator)
}

// silentValidator is what a validator says that has lost its signing state and does not vote before a later block.
const silentValidator = "its signing state is missing, as after a restore, so it waits for a block later than now"

var (
	lastLines = regexp.MustCompile(`(?s)(level=ERROR|dure: ).*$`)
	advice    = regexp.MustCompile(`backup|docs/damage\.md|copy it from|move it away|delete`)
)

func (l *loner) pay(t testing.TB, p *process) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c := p.client(t)
	network, err := c.Network(ctx)
	if err != nil {
		return err
	}
	o, err := c.Do(ctx, client.NewTransaction(network).Transfer(person(0).Key().Address(), person(1).Key().Address(), "krw", "1"), person(0))
	if err != nil {
		return err
	}
	return client.Check(o)
}
