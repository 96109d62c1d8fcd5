package moduletest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

var update = flag.Bool("update", false, "write what happened into the scenarios instead of comparing")

// Run plays the scenarios that match a pattern, such as testdata/*.txt. With -update it rewrites what they expect.
//
// A scenario is blocks with an empty line between them; a block is input, a line "----", and what came of it.
// Lines that begin with # are for the reader. The input is one of
//
//	alice asset.transfer asset=krw to=bob amount=5   one transaction; more lines are more actions of the same one
//	signed by alice carol                            (before actions) the keys that sign; without it, the actors'
//	wait 36h                                         time passes; d is a day
//	show balance krw alice                           a look at the state; see show.go for what can be shown
//
// Arguments are the fields of the action's message, dotted into messages within: change.add_member.name=gwangju.
// Addresses and keys are written as names, digests as any word (its SHA-256 is meant), holds as h1, h2 in the order
// they were made, nonces likewise as n1, n2, commands as c1, c2, times as +24h from now, raw bytes as hex:00ff, indexes of a status list as 1,5,9. key=bob stands for kind and public_key.
// A message in a list is one word, its fields with commas between: rule.keys=key=cfo,weight=2. What is proposed is a line in quotes:
// actions="org asset.transfer asset=krw to=bob amount=5".
// read=car,4.17,speed,62.5,km/h,5s, in stream.anchor, is reading 17 of start 4 of car, taken 5 seconds ago, signed by car's key or that of a name after it.
// field=kind,fact,food|books, in identity.register_schema, is a field of choices that may be facts; identity.go reads it.
// evidence=car/n1/4/image is a token that car signs, quote=n1/4/129/booted signature=chip the quote of a TPM over registers 0 and 7, and
// public_key=chip the TPM's key; evidence.go reads them.
// Text with spaces is quoted; "a"*300 is 300 times a. Answers use the same names.
func Run(t *testing.T, pattern string) {
	t.Helper()
	for _, file := range glob(t, pattern) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runFile(t, file) })
	}
}

func runFile(t *testing.T, file string) {
	script, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := play(string(script), nil)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	switch {
	case got == string(script):
	case *update:
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s differs; run with -update and read the difference.\n%s", file, firstDifference(string(script), got))
	}
}

// player plays one script.
type player struct {
	*Ledger
	names names
	// quoted is the last quote written, for its signature.
	quoted []byte
	seen   func(actor string, a *txv1.Action) // may be nil
}

// play returns the script with what came of it.
func play(script string, seen func(string, *txv1.Action)) (string, error) {
	p := &player{Ledger: New(), seen: seen}
	for _, name := range Members {
		p.names.add(name)
	}
	var out []string
	for i, block := range strings.Split(strings.TrimSpace(script), "\n\n") {
		input, _, answered := strings.Cut(block+"\n", "\n----\n")
		if !answered && onlyComments(block) {
			out = append(out, block)
			continue
		}
		input = strings.TrimSpace(input)
		answer, err := p.block(input)
		if err != nil {
			return "", fmt.Errorf("block %d: %w\n%s", i+1, err, input)
		}
		out = append(out, strings.TrimRight(input+"\n----\n"+answer, "\n"))
	}
	return strings.Join(out, "\n\n") + "\n", nil
}

func (p *player) block(input string) (string, error) {
	var t transaction
	var out strings.Builder
	for _, line := range strings.Split(input, "\n") {
		words, err := split(line)
		if err != nil {
			return "", err
		}
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
		case words[0] == "wait" && len(words) == 2:
			d, err := duration(words[1])
			if err != nil {
				return "", err
			}
			p.Now += d
			fmt.Fprintf(&out, "%s\n", p.names.clock(p.Now))
		case words[0] == "show":
			answer, err := p.show(words[1:])
			if err != nil {
				return "", err
			}
			out.WriteString(answer + "\n")
		case words[0] == "signed" && len(words) > 2:
			for _, name := range words[2:] {
				t.keys = append(t.keys, p.names.key(name))
			}
			t.signed = true
		default:
			if err := p.action(&t, words); err != nil {
				return "", err
			}
		}
	}
	if len(t.actions) == 0 {
		return out.String(), nil
	}
	answer := p.answer(p.Apply(t.actions, t.keys...))
	if err := p.Check(); err != nil {
		return "", fmt.Errorf("%w, after\n%s", err, answer)
	}
	return out.String() + answer, nil
}

// transaction is what a block asks for.
type transaction struct {
	actions []*txv1.Action
	keys    []tx.Key
	signed  bool
}

func (p *player) action(t *transaction, words []string) error {
	if len(words) < 2 || !strings.Contains(words[1], ".") {
		return fmt.Errorf("want ACTOR MODULE.ACTION ARGUMENTS, wait or show, not %q", strings.Join(words, " "))
	}
	a, err := p.parse(words)
	if err != nil {
		return err
	}
	t.actions = append(t.actions, a)
	if !t.signed {
		t.keys = append(t.keys, p.names.key(words[0]))
	}
	if p.seen != nil {
		p.seen(words[0], a)
	}
	return nil
}

func onlyComments(block string) bool {
	for _, line := range strings.Split(block, "\n") {
		if !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

func duration(s string) (int64, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int64
		_, err := fmt.Sscan(days, &n)
		return n * 24 * time.Hour.Milliseconds(), err
	}
	d, err := time.ParseDuration(s)
	return d.Milliseconds(), err
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario matches %s (%v)", pattern, err)
	}
	return files
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			have := "(nothing)"
			if i < len(g) {
				have = g[i]
			}
			return fmt.Sprintf("line %d\n  want %s\n  got  %s", i+1, w[i], have)
		}
	}
	return "it goes on:\n" + strings.Join(g[len(w):], "\n")
}

// name gives bytes in an answer the name they were written as.
type name struct {
	bytes []byte
	word  string
}

// names remembers what words of a script stood for, to answer in the same words.
type names struct {
	list     []name
	holds    int
	nonces   int
	commands int
}

// made is what a transaction made and the script calls by a word.
func (n *names) made(kind, word string, size int) ([]byte, error) {
	for _, k := range n.list {
		if k.word == word && len(k.bytes) == size {
			return k.bytes, nil
		}
	}
	return nil, fmt.Errorf("no %s %s yet", kind, word)
}

func (n *names) remember(b []byte, word string) []byte {
	if n.word(b) == "" {
		n.list = append(n.list, name{bytes.Clone(b), word})
	}
	return b
}

func (n *names) word(b []byte) string {
	for _, k := range n.list {
		if bytes.Equal(k.bytes, b) {
			return k.word
		}
	}
	return ""
}

func (n *names) add(person string) tx.Address {
	a := Address(person)
	n.remember(a[:], person)
	return a
}

func (n *names) key(person string) tx.Key {
	n.add(person)
	return Key(person)
}

// clock shows a time as what has passed since genesis.
func (n *names) clock(ms int64) string {
	d := time.Duration(ms-Start) * time.Millisecond
	if days := d / (24 * time.Hour); days > 0 {
		return fmt.Sprintf("t+%dd%s", days, short(d%(24*time.Hour)))
	}
	return "t+" + d.String()
}

func short(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
