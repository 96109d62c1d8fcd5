package light_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/light"
	ledgerproof "github.com/dureledger/dure/ledger/proof"
)

// quantum are validators who sign with ML-DSA-65, halfway some of whom do.
var (
	quantum = []validator{{"amber-pq", 10}, {"birch-pq", 10}, {"cedar-pq", 10}, {"dahlia-pq", 10}}
	halfway = []validator{{"amber-pq", 10}, {"birch", 10}, {"cedar-pq", 10}, {"dahlia", 10}}
)

// moving is a network whose validators go from Ed25519 to ML-DSA-65 in headers 4 and 6.
func moving(t testing.TB) *chain {
	return newChain(t, "moving", four, 12, map[int64][]validator{4: halfway, 6: quantum})
}

// TestMLDSAVectors is TestVectors for networks whose validators sign with ML-DSA-65.
func TestMLDSAVectors(t *testing.T) {
	files, vectors := mldsaVectors(t)
	checkVectors(t, "mldsa", files, vectors)
}

func mldsaVectors(t *testing.T) (map[string][]byte, []vector) {
	still, moved := newChain(t, "quantum", quantum, 8, nil), moving(t)
	lines := still.cosignatures(7, "auditor.example", "press.example")
	files := map[string][]byte{
		"quantum.json": still.genesis, "moving.json": moved.genesis,
		"receipt.dure": still.receipt(2, 0, 7), "receipt-witnessed.dure": still.witnessed(2, 7, lines),
		"receipt-moving.dure": moved.receipt(2, 0, 12), "receipt-from-checkpoint.dure": moved.receipt(2, 10, 12),
		"checkpoint.txt": cosigned(t, still.checkpoint(0, 7)), "checkpoint-moving.txt": moved.checkpoint(0, 10),
		"receipt-halfway.dure": moved.receipt(2, 0, 6), "receipt-before.dure": moved.receipt(2, 0, 4),
	}
	vectors := []vector{
		{Name: "receipt", About: "version 3 without cosignatures", Genesis: "quantum.json", File: "receipt.dure"},
		{Name: "receipt-witnessed", About: "version 3 with cosignatures", Genesis: "quantum.json", File: "receipt-witnessed.dure", Witnesses: witnessKeys(), Threshold: 2},
		{Name: "receipt-before", About: "version 1, of a time when all validators signed with Ed25519", Genesis: "moving.json", File: "receipt-before.dure"},
		{Name: "receipt-halfway", About: "signed by a set with keys of both kinds, after one change", Genesis: "moving.json", File: "receipt-halfway.dure"},
		{Name: "receipt-moving", About: "over two changes, from Ed25519 to ML-DSA-65", Genesis: "moving.json", File: "receipt-moving.dure"},
		{Name: "receipt-from-checkpoint", About: "refreshed against a checkpoint that names ML-DSA-65 keys", Checkpoint: "checkpoint-moving.txt", File: "receipt-from-checkpoint.dure"},
		{Name: "checkpoint", About: "cosigned by two of three witnesses", Genesis: "quantum.json", File: "checkpoint.txt", Witnesses: witnessKeys(), Threshold: 2},
		{Name: "checkpoint-moving", About: "over two changes", Genesis: "moving.json", File: "checkpoint-moving.txt"},
	}
	for i := range vectors {
		vectors[i].expect(t, files)
	}
	for _, b := range brokenMLDSA(t, still, moved, files) {
		v := vector{Name: b.name, About: b.about, Code: b.code, Genesis: b.anchor + ".json", File: "broken/" + b.name + ".dure"}
		if strings.HasPrefix(b.about, "checkpoint") {
			v.File = "broken/" + b.name + ".txt"
		}
		files[v.File] = b.file
		vectors = append(vectors, v)
	}
	return files, vectors
}

// brokenMLDSA are forgeries and damages that this layout makes possible.
func brokenMLDSA(t *testing.T, still, moved *chain, files map[string][]byte) []broken {
	q := files["receipt.dure"]
	version := func(v byte) []byte { f := bytes.Clone(q); f[4] = v; return f }
	signature := func(change func(*ledgerproof.Signature)) []byte {
		return edit(t, q, func(r *ledgerproof.Receipt) { change(&r.Evidence.Commit.Signatures[1]) })
	}
	short := bytes.Clone(q)
	short[len(short)-1-3309-1]-- // the length before the last signature, which ends before the number of cosignatures
	first := still.names[still.sets[6].Validators[0].Address.String()]
	second := still.names[still.sets[6].Validators[1].Address.String()]
	wrong := strings.Replace(string(files["checkpoint.txt"]), "validator 10 ", "validator 10 AAAA", 1)
	return []broken{
		{"as-version-1", "version 3 marked as version 1", "proof.malformed", "quantum", version(1)},
		{"as-version-2", "version 3 marked as version 2", "proof.malformed", "quantum", version(2)},
		{"version-4", "a layout version that does not exist", "receipt.unsupported_version", "quantum", version(4)},
		{"changed-signature", "one bit of a signature is changed", "proof.bad_signature", "quantum", signature(func(s *ledgerproof.Signature) { s.Bytes[2000] ^= 1 })},
		{"short-signature", "an Ed25519 signature in the place of one by ML-DSA-65", "proof.bad_signature", "quantum", signature(func(s *ledgerproof.Signature) { s.Bytes = s.Bytes[:64] })},
		{"odd-signature", "a signature of 3308 bytes", "proof.malformed", "quantum", short},
		{"forged-two-of-four", "two of four genesis keys sign a changed outcome", "proof.too_little_power", "quantum", still.forge(2, 7, setPaid, only(first, second))},
		{"needlessly-version-3", "version 3 with nothing of ML-DSA-65 in it", "proof.malformed", "moving", inThirdLayout(files["receipt-before.dure"])},
		{"truncated", "the last byte, the number of cosignatures, is missing", "proof.malformed", "quantum", q[:len(q)-1]},
		{"changed-new-key", "a key of the new set is changed", "proof.wrong_validators", "moving", edit(t, files["receipt-moving.dure"], func(r *ledgerproof.Receipt) {
			r.Evidence.Changes[1].Next[3].Key[1000] ^= 1
			sortAgain(r.Evidence.Changes[1].Next)
		})},
		{"checkpoint-long-key", "checkpoint with a key of 1955 bytes", "checkpoint.malformed", "quantum", []byte(wrong)},
		{"checkpoint-first-layout", "checkpoint whose evidence is marked as of the first layout", "proof.malformed", "quantum", firstLayout(t, files["checkpoint.txt"])},
	}
}

// inThirdLayout lays a receipt of version 1 with three signatures and no change of validators out as one of version 3.
func inThirdLayout(file []byte) []byte {
	const one, signatures = 2 + 8 + 64, 3
	out := bytes.Clone(file[:len(file)-signatures*one])
	out[4] = 3
	for s := file[len(out):]; len(s) > 0; s = s[one:] {
		out = append(append(out, s[:10]...), 0, 64)
		out = append(out, s[10:one]...)
	}
	return append(out, 0) // cosignatures
}

// firstLayout marks the evidence of a checkpoint as being in the layout without ML-DSA-65.
func firstLayout(t *testing.T, file []byte) []byte {
	t.Helper()
	head, rest, _ := strings.Cut(string(file), "\n\n— ")
	line, others, _ := strings.Cut(rest, "\n")
	network, signature, _ := strings.Cut(line, " ")
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	id := sha256.Sum256([]byte(network + "\n\xffdure/evidence/v1"))
	copy(raw, id[:4])
	return []byte(head + "\n\n— " + network + " " + base64.StdEncoding.EncodeToString(raw) + "\n" + others)
}

// sortAgain puts a set of equal powers in the order of addresses.
func sortAgain(set []ledgerproof.Validator) {
	slices.SortFunc(set, func(a, b ledgerproof.Validator) int {
		x, y := sha256.Sum256(a.Key), sha256.Sum256(b.Key)
		return bytes.Compare(x[:20], y[:20])
	})
}

// TestMLDSAReceiptSize: with four validators a receipt has less than 13 KB, so that it is kept and sent as the others are.
func TestMLDSAReceiptSize(t *testing.T) {
	c := newChain(t, "quantum", quantum, 8, nil)
	if n := len(c.receipt(2, 0, 7)); n > 13_000 {
		t.Errorf("a receipt has %d bytes", n)
	}
}

// TestOddKeysInGenesis: a validator's key of a length that none has is refused.
func TestOddKeysInGenesis(t *testing.T) {
	file := bytes.Replace(newChain(t, "quantum", quantum, 1, nil).genesis, []byte(`"validatorKey": "`), []byte(`"validatorKey": "AAAA`), 1)
	_, err := light.FromGenesis(file)
	wantCode(t, err, "genesis.malformed")
}
