package neighbour_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/certificate"
	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/client/neighbour"
	"github.com/dureledger/dure/client/witness"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "light", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// asker trusts a genesis file and keeps its checkpoint in a folder of its own.
func asker(t testing.TB, genesis string) *neighbour.Asker {
	t.Helper()
	anchor, err := light.FromGenesis(file(t, genesis))
	if err != nil {
		t.Fatal(err)
	}
	return &neighbour.Asker{Memory: witness.Memory{File: filepath.Join(t.TempDir(), "checkpoint"), Anchor: anchor}}
}

// thing is a device, with a P-256 key if n is odd, else Ed25519.
type thing struct {
	address tx.Address
	key     crypto.Signer
}

func device(t testing.TB, n uint64) thing {
	t.Helper()
	kind := accountv1.KeyKind_KEY_KIND_ED25519
	if n%2 == 1 {
		kind = accountv1.KeyKind_KEY_KIND_P256
	}
	key, err := reading.Key(kind, txtest.Secret(n))
	if err != nil {
		t.Fatal(err)
	}
	return thing{txtest.Signer(kind, n).Key().Address(), key}
}

func (d thing) certificate(t testing.TB, as tx.Address) tls.Certificate {
	t.Helper()
	der, err := certificate.Make(as, d.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: d.key}
}

// stage is a source that shows what it is told to, in the place of a gateway.
type stage struct {
	shown    atomic.Pointer[proof.Extension]
	receipts sync.Map // files by transaction
	away     atomic.Bool
	wants    atomic.Pointer[neighbour.Want]
}

func (s *stage) Checkpoint(_ context.Context, w neighbour.Want) (*proof.Extension, error) {
	s.wants.Store(&w)
	if e := s.shown.Load(); e != nil && !s.away.Load() {
		return e, nil
	}
	return nil, &client.Unreachable{}
}

func (s *stage) Receipt(_ context.Context, id string, _ int64) ([]byte, error) {
	if s.away.Load() {
		return nil, &client.Unreachable{}
	}
	if r, ok := s.receipts.Load(id); ok {
		return r.([]byte), nil
	}
	return nil, client.ErrNotFound
}

// serve starts a neighbour that has a source, nil for none.
func serve(t testing.TB, d thing, knows *neighbour.Asker, source neighbour.Source, allow ...thing) *neighbour.Server {
	t.Helper()
	cfg := neighbour.Config{Address: d.address, Key: d.key, Asker: knows, Source: source, Every: 20 * time.Millisecond}
	for _, a := range allow {
		cfg.Allow = append(cfg.Allow, a.address)
	}
	s, err := neighbour.Serve(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask connects a device to a neighbour.
func ask(t testing.TB, d thing, s *neighbour.Server) neighbour.Peer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := neighbour.Dial(ctx, s.Listening(), d.certificate(t, d.address), tx.Address{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return neighbour.Peer{Conn: c}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if got := fault.Code(err); got != code || err == nil {
		t.Errorf("error %v, want code %q", err, code)
	}
}

const receiptID = "860fdb98eef5d0ddfa0d75df4d9cbb19b58e7a1e6fc5c23d29d775e6de0beb9f" // of receipt.dure

// A device without a gateway gets checkpoints and receipts of a neighbour, and verifies them by what it trusts itself.
func TestProofsFromANeighbour(t *testing.T) {
	car, bus := device(t, 1), device(t, 2)
	gateway := &stage{}
	gateway.receipts.Store(receiptID, file(t, "receipt.dure"))
	gateway.shown.Store(&proof.Extension{Checkpoint: file(t, "checkpoint-cosigned.txt")})
	peer := ask(t, bus, serve(t, car, asker(t, "quiet.json"), gateway, bus))
	own := asker(t, "quiet.json")
	v, err := own.Checkpoint(t.Context(), peer)
	if err != nil || v == nil || v.Grounds.Basis.Genesis != true {
		t.Fatal(v, err)
	}
	if _, _, err := own.Receipt(t.Context(), peer, receiptID); err != nil && fault.Code(err) != "proof.before_anchor" {
		t.Fatal(err)
	}
	fresh := asker(t, "quiet.json") // which knows no checkpoint beyond the receipt's header
	if got, verified, err := fresh.Receipt(t.Context(), peer, receiptID); err != nil || !verified.OK() || !bytes.Equal(got, file(t, "receipt.dure")) {
		t.Fatal(err)
	}
	if _, _, err := fresh.Receipt(t.Context(), peer, "00"+receiptID[2:]); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
	// The gateway of the neighbour is away: what it gave before is as good as ever.
	gateway.away.Store(true)
	if _, _, err := fresh.Receipt(t.Context(), peer, receiptID); err != nil {
		t.Error(err)
	}
	if _, err := asker(t, "quiet.json").Checkpoint(t.Context(), peer); err != nil {
		t.Error(err)
	}
	// A policy asks for those that witnesses have cosigned, and counts them itself.
	strict := asker(t, "quiet.json")
	strict.Policy = proof.Policy{Witnesses: []proof.Witness{{Name: "stranger.example", Key: make([]byte, 32)}}, Threshold: 1}
	gateway.away.Store(false)
	_, err = strict.Checkpoint(t.Context(), peer)
	wantCode(t, err, "checkpoint.too_few_cosignatures")
	if w := gateway.wants.Load(); !w.Witnessed {
		t.Errorf("it wanted %+v", w)
	}
}

// A neighbour that never had a gateway hands on what it was given, from one to the next.
func TestFromHandToHand(t *testing.T) {
	car, bus, tram := device(t, 1), device(t, 2), device(t, 3)
	gateway := &stage{}
	gateway.shown.Store(&proof.Extension{Checkpoint: file(t, "witness/first.txt")})
	first := serve(t, car, asker(t, "witness/genesis.json"), gateway, bus)
	knows := asker(t, "witness/genesis.json")
	if v, err := knows.Checkpoint(t.Context(), ask(t, bus, first)); err != nil || v == nil {
		t.Fatal(err)
	}
	second := serve(t, bus, knows, nil, tram)
	last := asker(t, "witness/genesis.json")
	if v, err := last.Checkpoint(t.Context(), ask(t, tram, second)); err != nil || v == nil {
		t.Fatal(err)
	}
	if v, err := last.Checkpoint(t.Context(), ask(t, tram, second)); err != nil || v != nil {
		t.Errorf("the same again: %v %v", v, err)
	}
	quiet := serve(t, bus, asker(t, "quiet.json"), nil, tram)
	if err := quiet.Keep(file(t, "receipt.dure")); err != nil {
		t.Fatal(err)
	}
	if err := quiet.Keep(file(t, "receipt-changing.dure")); err == nil {
		t.Error("it keeps a receipt of another network")
	}
	if _, v, err := asker(t, "quiet.json").Receipt(t.Context(), ask(t, tram, quiet), receiptID); err != nil || !v.OK() {
		t.Error(err)
	}
}

// What a neighbour shows after the checkpoint that is known: the cases that witnesses are tested with.
func TestCheckpointsThatDoNotGoOn(t *testing.T) {
	var vectors []struct {
		Name, Last, Shown, Code string
		Consistency             [][]byte
	}
	if err := json.Unmarshal(file(t, "witness/vectors.json"), &vectors); err != nil || len(vectors) < 8 {
		t.Fatal(err)
	}
	// What is signed by validators and contradicts is a second history. What is only not shown is not taken.
	codes := map[string]string{
		"same-height": "witness.second_history", "shorter": "witness.second_history",
		"later": "neighbour.not_shown", "later-own-proof": "neighbour.not_shown", "no-proof": "neighbour.not_shown",
	}
	car, bus := device(t, 1), device(t, 2)
	gateway := &stage{}
	liar := serve(t, car, asker(t, "witness/genesis.json"), gateway, bus)
	peer := ask(t, bus, liar)
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			own := asker(t, "witness/genesis.json")
			if v.Last != "" {
				gateway.shown.Store(&proof.Extension{Checkpoint: file(t, "witness/"+v.Last)})
				if _, err := own.Checkpoint(t.Context(), peer); err != nil {
					t.Fatal(err)
				}
			}
			before, _ := os.ReadFile(own.Memory.File)
			shown := file(t, "witness/"+v.Shown)
			gateway.shown.Store(&proof.Extension{Old: 1, Path: v.Consistency, Checkpoint: shown})
			_, err := own.Checkpoint(t.Context(), peer)
			after, _ := os.ReadFile(own.Memory.File)
			if codes[v.Name] == "" {
				if err != nil || v.Shown != v.Last && bytes.Equal(before, after) {
					t.Error(err)
				}
				return
			}
			wantCode(t, err, codes[v.Name])
			if !bytes.Equal(before, after) {
				t.Error("it was taken")
			}
			if kept, err := os.ReadFile(own.Memory.File + ".second"); (err == nil && bytes.Equal(kept, shown)) != (codes[v.Name] == "witness.second_history") {
				t.Errorf("the second history: %v", err)
			}
		})
	}
}

// A neighbour that lies is refused with the reason, and makes no noise that only validators' signatures are worth.
func TestLiars(t *testing.T) {
	car, bus := device(t, 1), device(t, 2)
	gateway := &stage{}
	peer := ask(t, bus, serve(t, car, asker(t, "witness/genesis.json"), gateway, bus))
	own := asker(t, "witness/genesis.json")
	show := func(checkpoint []byte) error {
		gateway.shown.Store(&proof.Extension{Old: 1, Checkpoint: checkpoint})
		_, err := own.Checkpoint(t.Context(), peer)
		return err
	}
	wantCode(t, show(file(t, "checkpoint-changing.txt")), "checkpoint.wrong_network")
	gateway.shown.Store(&proof.Extension{Checkpoint: file(t, "witness/first.txt")})
	if _, err := own.Checkpoint(t.Context(), peer); err != nil {
		t.Fatal(err)
	}
	first := file(t, "witness/first.txt")
	vectors := []struct{ Consistency [][]byte }{}
	if err := json.Unmarshal(file(t, "witness/vectors.json"), &vectors); err != nil {
		t.Fatal(err)
	}
	gateway.shown.Store(&proof.Extension{Old: 1, Path: vectors[1].Consistency, Checkpoint: file(t, "witness/next.txt")})
	if v, err := own.Checkpoint(t.Context(), peer); err != nil || v == nil {
		t.Fatal(err)
	}
	wantCode(t, show(first), "neighbour.behind")
	// The text of the known height with other words in it, signed by nobody.
	forged, err := proof.DecodeCheckpoint(file(t, "witness/next.txt"))
	if err != nil {
		t.Fatal(err)
	}
	forged.Evidence.Header.DataHash[0] ^= 1
	raw, err := forged.Encode()
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, show(raw), "proof.wrong_header")
	if _, err := os.Stat(own.Memory.File + ".second"); err == nil {
		t.Error("a forgery is kept as a second history")
	}
	tampered := bytes.Clone(file(t, "receipt.dure"))
	tampered[len(tampered)/2] ^= 1
	gateway.receipts.Store(receiptID, tampered)
	quiet := asker(t, "quiet.json")
	if _, _, err := quiet.Receipt(t.Context(), peer, receiptID); fault.Code(err) == "" {
		t.Errorf("a tampered receipt: %v", err)
	}
	other := "0d8f647c864b519375b76d215afc96a93f372523f91bec8a2e26e80c7513ad12"
	gateway.receipts.Store(other, file(t, "receipt.dure"))
	_, _, err = quiet.Receipt(t.Context(), peer, other)
	wantCode(t, err, "neighbour.other_receipt")
	changing := "0a6659393bea10514801b67402578c03750649c344096ec0f9163b090424c26e"
	gateway.receipts.Store(changing, file(t, "receipt-changing.dure"))
	_, _, err = quiet.Receipt(t.Context(), peer, changing)
	wantCode(t, err, "receipt.wrong_network")
}

// Who is not named is not let in, nor who shows another's address; and whoever asks finds out whom he has reached.
func TestWhoMayAsk(t *testing.T) {
	car, bus, tram := device(t, 1), device(t, 2), device(t, 3)
	s := serve(t, car, asker(t, "quiet.json"), &stage{}, bus)
	for name, c := range map[string]struct {
		own    tls.Certificate
		expect tx.Address
	}{
		"not named":            {tram.certificate(t, tram.address), tx.Address{}},
		"with another's name":  {tram.certificate(t, bus.address), tx.Address{}},
		"expects another here": {bus.certificate(t, bus.address), tram.address},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if conn, err := neighbour.Dial(ctx, s.Listening(), c.own, c.expect); err == nil {
			// The handshake of who asks may end before the other side's does: nothing is answered then.
			if a, err := conn.Get(ctx, "/.well-known/core", 4096); err == nil {
				t.Errorf("%s: %+v", name, a)
			}
			conn.Close()
		}
		cancel()
	}
	a, err := ask(t, bus, s).Conn.Get(t.Context(), "/.well-known/core", 4096)
	if err != nil || !a.OK() {
		t.Error(a, err)
	}
	_, err = neighbour.Serve(neighbour.Config{Address: car.address, Key: car.key, Asker: asker(t, "quiet.json")})
	wantCode(t, err, "neighbour.nobody")
}

// A neighbour keeps the newest checkpoint, and ends when it is shown a second history.
func TestRun(t *testing.T) {
	car, bus := device(t, 1), device(t, 2)
	gateway := &stage{}
	gateway.shown.Store(&proof.Extension{Checkpoint: file(t, "witness/first.txt")})
	knows := asker(t, "witness/genesis.json")
	s := serve(t, car, knows, gateway, bus)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context()) }()
	for {
		if seen, err := knows.Memory.Load(); err == nil && seen.Checkpoint != nil {
			break
		}
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	gateway.shown.Store(&proof.Extension{Checkpoint: file(t, "witness/fork-same.txt")})
	select {
	case err := <-ended:
		wantCode(t, err, "witness.second_history")
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
}
