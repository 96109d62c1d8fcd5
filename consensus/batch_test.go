package consensus

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	consensusv1 "github.com/dureledger/dure/gen/dure/consensus/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/tx"
)

const testNetwork = "test-000102030405060708090a0b0c0d0e0f"

var (
	testSealer  = tx.Address{1, 2, 3}
	testNodeKey = ed25519.NewKeyFromSeed(make([]byte, 32))
	// testValidatorKey is the same key, for votes.
	testValidatorKey = ValidatorKey{cmted25519.PrivKey(testNodeKey)}
)

func testTx(t testing.TB, salt uint64) *tx.Tx {
	t.Helper()
	signer, err := tx.NewEd25519Signer(append(make([]byte, 31), byte(salt)))
	if err != nil {
		t.Fatal(err)
	}
	return testTxBy(t, salt, signer)
}

func testTxBy(t testing.TB, salt uint64, signers ...tx.Signer) *tx.Tx {
	t.Helper()
	short, err := genesis.Short(testNetwork)
	if err != nil {
		t.Fatal(err)
	}
	actor := signers[0].Key().Address()
	raw, err := tx.Sign(testNetwork, &txv1.Body{
		Network: short, NotAfter: 1_800_000_000_000, Salt: salt,
		Actions: []*txv1.Action{{Actor: actor[:], Call: &txv1.Action_AssetTransfer{
			AssetTransfer: &assetv1.Transfer{Asset: "krw", To: make([]byte, 20), Amount: "1"},
		}}},
	}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := tx.Decode(testNetwork, raw, tx.MaxBytes)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func testBatch(t testing.TB, salts ...uint64) *batch {
	t.Helper()
	var txs []*tx.Tx
	for _, salt := range salts {
		txs = append(txs, testTx(t, salt))
	}
	b, err := sealBatch(testNetwork, testSealer, testNodeKey, txs, 1_800_000_000_000, salts[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func testKeys(a tx.Address) []byte {
	if a == testSealer {
		return testNodeKey.Public().(ed25519.PublicKey)
	}
	return nil
}

func TestBatchRoundTrip(t *testing.T) {
	b := testBatch(t, 1, 2, 3)
	got, err := decodeBatch(testNetwork, b.raw, testKeys)
	if err != nil {
		t.Fatal(err)
	}
	if got.hash != sha256.Sum256(b.raw) || got.sealer != testSealer || len(got.txs) != 3 || got.header.GetSignatures() != 3 {
		t.Fatalf("got %+v", got)
	}
	for i := range got.txs {
		if got.txs[i].ID != b.txs[i].ID {
			t.Errorf("transaction %d changed", i)
		}
	}
}

// A relay cannot pass off what no member sealed, and a sealer cannot contradict its own header.
func TestBatchRefused(t *testing.T) {
	good := testBatch(t, 1, 2)
	change := func(edit func(*consensusv1.Batch, *consensusv1.Header), reseal bool) []byte {
		m, h := &consensusv1.Batch{}, &consensusv1.Header{}
		if err := errors.Join(proto.Unmarshal(good.raw, m), proto.Unmarshal(m.GetHeader(), h)); err != nil {
			t.Fatal(err)
		}
		edit(m, h)
		if reseal {
			m.Header, _ = proto.Marshal(h)
			m.Signature = ed25519.Sign(testNodeKey, batchDigest(testNetwork, m.Header))
		}
		raw, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for name, c := range map[string]struct {
		raw   []byte
		relay bool
	}{
		"empty":             {nil, true},
		"noise":             {[]byte("noise"), true},
		"too large":         {make([]byte, maxBatchWire+1), true},
		"written otherwise": {append(append([]byte{}, good.raw...), good.raw[:headerField(t, good.raw)]...), true},
		"unknown field":     {append(append([]byte{}, good.raw...), 0x78, 1), true},
		"other network": {change(func(m *consensusv1.Batch, _ *consensusv1.Header) {
			m.Signature = ed25519.Sign(testNodeKey, batchDigest("other", m.Header))
		}, false), true},
		"bad seal":  {change(func(m *consensusv1.Batch, _ *consensusv1.Header) { m.Signature[0] ^= 1 }, false), true},
		"no member": {change(func(_ *consensusv1.Batch, h *consensusv1.Header) { h.Sealer = make([]byte, 20) }, true), true},
		"added": {change(func(m *consensusv1.Batch, _ *consensusv1.Header) {
			m.Transactions = append(m.Transactions, m.Transactions[0])
		}, false), true},
		"swapped": {change(func(m *consensusv1.Batch, _ *consensusv1.Header) {
			m.Transactions[0], m.Transactions[1] = m.Transactions[1], m.Transactions[0]
		}, false), true},
		"none":            {change(func(m *consensusv1.Batch, _ *consensusv1.Header) { m.Transactions = nil }, false), true},
		"not transaction": {change(func(m *consensusv1.Batch, _ *consensusv1.Header) { m.Transactions[0] = []byte("x") }, false), true},
		"sealed noise":    {sealedNoise(t), false},
		"wrong work":      {change(func(_ *consensusv1.Batch, h *consensusv1.Header) { h.Signatures = 1 }, true), false},
	} {
		if _, err := decodeBatch(testNetwork, c.raw, testKeys); err == nil {
			t.Errorf("%s: accepted", name)
		} else if errors.Is(err, errRelay) != c.relay {
			t.Errorf("%s: blames the wrong one: %v", name, err)
		}
	}
}

// headerField is the length of a batch's first field, which a careless reader lets come twice.
func headerField(t *testing.T, raw []byte) int {
	t.Helper()
	num, _, n := protowire.ConsumeField(raw)
	if num != 1 || n < 0 {
		t.Fatal("a batch does not start with its header")
	}
	return n
}

// sealedNoise is a batch that its sealer signed although it holds no transaction.
func sealedNoise(t *testing.T) []byte {
	t.Helper()
	b, err := sealBatch(testNetwork, testSealer, testNodeKey, []*tx.Tx{{Raw: []byte("noise"), Hash: sha256.Sum256([]byte("noise"))}}, 1_800_000_000_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	return b.raw
}

func TestVerifierNamesTheBadSignature(t *testing.T) {
	good := testTx(t, 1)
	m := &txv1.Transaction{}
	if err := proto.Unmarshal(good.Raw, m); err != nil {
		t.Fatal(err)
	}
	m.GetNative().Witnesses[0].Signature[5] ^= 1
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := tx.Decode(testNetwork, raw, tx.MaxBytes)
	if err != nil {
		t.Fatal(err)
	}
	b, err := sealBatch(testNetwork, testSealer, testNodeKey, []*tx.Tx{good, bad}, 1_800_000_000_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	v := NewVerifier(testNetwork)
	if _, err := v.Verify(b.hash, b.raw, testKeys); err == nil || errors.Is(err, errRelay) {
		t.Fatalf("want the sealer's fault, got %v", err)
	}
	if _, ok := v.Find(b.hash); ok {
		t.Error("a bad batch is remembered as good")
	}
	fine := testBatch(t, 7)
	if _, err := v.Verify(fine.hash, fine.raw, testKeys); err != nil {
		t.Fatal(err)
	}
	if got, ok := v.Find(fine.hash); !ok || got.hash != fine.hash {
		t.Error("a good batch is not remembered")
	}
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add(testBatch(f, 1).raw)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := decodeBatch(testNetwork, raw, testKeys)
		if err == nil && (len(b.txs) == 0 || b.sealer != testSealer) {
			t.Errorf("accepted %x", raw)
		}
		if p, ok := split(raw); ok != (writtenAsSealed(raw) || ok && (len(p.header) == 0 || len(p.signature) == 0)) {
			t.Errorf("%x is read: %v, and is the one way to write a batch: %v", raw, ok, !ok)
		}
	})
}

// writtenAsSealed says by protobuf's own code what split says: whether this is the one way to write a batch with a header and a signature.
func writtenAsSealed(raw []byte) bool {
	m := &consensusv1.Batch{}
	if proto.Unmarshal(raw, m) != nil || len(m.GetHeader()) == 0 || len(m.GetSignature()) == 0 {
		return false
	}
	m.ProtoReflect().SetUnknown(nil)
	again, err := canonical.Marshal(m)
	return err == nil && bytes.Equal(again, raw)
}

// What a member sealed is its own, whatever is in it; what is written otherwise is nobody's. Every member tells one from the other in the same way, since
// a block's batch counts against its sealer.
func TestWhoseABatchIs(t *testing.T) {
	many := make([]*tx.Tx, MaxBatchTxs+1)
	for i := range many {
		many[i] = &tx.Tx{Hash: sha256.Sum256(nil)}
	}
	full, err := sealBatch(testNetwork, testSealer, testNodeKey, many, 1_800_000_000_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	long := append([]byte{full.raw[0], full.raw[1] | 0x80, 0}, full.raw[2:]...) // the header's length in two bytes
	for name, c := range map[string]struct {
		raw    []byte
		sealed bool
	}{
		"too many": {full.raw, true}, "noise": {sealedNoise(t), true}, "long": {long, false}, "cut": {full.raw[:len(full.raw)-1], false},
	} {
		b, err := decodeBatch(testNetwork, c.raw, testKeys)
		if err == nil || (b != nil) != c.sealed || c.sealed && b.sealer != testSealer {
			t.Errorf("%s: batch %v, error %v", name, b != nil, err)
		}
	}
}

func FuzzParseFrame(f *testing.F) {
	f.Add(hashesFrame(frameAnnounce, []Hash{{1}, {2}}).bytes)
	f.Add(pushFrame([]byte("batch")).bytes)
	f.Add(pulseFrame().bytes)
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, raw, hashes, err := parseFrame(b)
		if err != nil {
			return
		}
		again := hashesFrame(kind, hashes).bytes
		switch kind {
		case framePush:
			again = pushFrame(raw).bytes
		case framePulse:
			again = pulseFrame().bytes
		}
		if string(again) != string(b) {
			t.Errorf("%x reads as %x", b, again)
		}
	})
}

func TestShelf(t *testing.T) {
	s := newShelf([]BatchRef{{Hash{9}, 50}})
	a, b := testBatch(t, 1), testBatch(t, 2)
	b.header.ExpiresAt = 100
	for _, x := range []*batch{a, b} {
		if fresh, err := s.put(x); err != nil || !fresh {
			t.Fatal(fresh, err)
		}
	}
	if fresh, err := s.put(a); err != nil || fresh {
		t.Error("the same batch twice", err)
	}
	if !s.wasDecided(Hash{9}) || !s.holds(Hash{9}) || s.holds(Hash{8}) {
		t.Error("decided batches are not remembered")
	}
	expired := s.advance([]BatchRef{{a.hash, a.header.GetExpiresAt()}}, 101)
	if len(expired) != 1 || expired[0] != b || s.size() != 0 || s.bytes[testSealer] != 0 {
		t.Errorf("after a block: %v, %d left, %d bytes", expired, s.size(), s.bytes[testSealer])
	}
	if fresh, _ := s.put(a); fresh {
		t.Error("a decided batch is up for decision again")
	}
	if s.wasDecided(Hash{9}) {
		t.Error("an expired batch is remembered")
	}
}

func TestShelfQuota(t *testing.T) {
	s := newShelf(nil)
	b := testBatch(t, 1)
	s.bytes[testSealer] = sealerQuota
	if _, err := s.put(b); err == nil {
		t.Error("a sealer exceeds its quota")
	}
	s.bytes[testSealer], s.count[testSealer] = 0, sealerBatches
	if _, err := s.put(b); err == nil || s.unwelcome(testSealer, 1) == "" {
		t.Error("a sealer fills the shelf with small batches")
	}
}

// After a bad batch of a sealer no more of it are verified for a while; what it had put up stays.
func TestSealerInDisgrace(t *testing.T) {
	e := loneEngine(t, "127.0.0.1:0", fullDisk{})
	bad, good := sealedNoise(t), testBatch(t, 1)
	if err := e.accept(sha256.Sum256(bad), bad); err == nil {
		t.Fatal("accepted")
	}
	if err := e.accept(good.hash, good.raw); err != nil {
		t.Error(err)
	}
	if _, verified := e.app.verifier.Find(good.hash); verified || e.Waiting() != 0 {
		t.Error("verified right after a bad one")
	}
	e.app.shelf.duration = func(time.Time) time.Duration { return disgrace }
	if e.app.shelf.unwelcome(testSealer, 1) != "" {
		t.Error("never forgiven")
	}
}
