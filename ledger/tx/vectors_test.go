package tx_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

var update = flag.Bool("update", false, "write testdata/vectors.json again; a change of it is a change of the format")

const vectorsFile = "testdata/vectors.json"

// vectors is the file that other implementations run. Bytes are hex.
type vectors struct {
	NetworkID string       `json:"network_id"`
	RPID      string       `json:"rp_id"`
	Origin    string       `json:"origin"`
	MaxBytes  int          `json:"max_bytes"`
	Keys      []keyVector  `json:"keys"`
	Good      []goodVector `json:"good"`
	Refused   []badVector  `json:"refused"`
}

type keyVector struct {
	Kind    string `json:"kind"`
	Secret  string `json:"secret"` // of the P-256 key inside the passkey, for webauthn
	Public  string `json:"public_key"`
	Address string `json:"address"`
}

type goodVector struct {
	Name string          `json:"name"`
	JSON json.RawMessage `json:"body_json"`
	Body string          `json:"body"`
	ID   string          `json:"id"`
	Raw  string          `json:"raw"`
	Hash string          `json:"hash"`
}

type badVector struct {
	Name string `json:"name"`
	Code string `json:"code"`
	Raw  string `json:"raw"`
}

func TestVectors(t *testing.T) {
	got, err := json.MarshalIndent(makeVectors(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(vectorsFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("the format has changed: %s is no longer what this code makes. If that is meant, run with -update.", vectorsFile)
	}
	var file vectors
	if err := json.Unmarshal(want, &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Good {
		d, err := tx.Decode(file.NetworkID, unhex(t, v.Raw), file.MaxBytes)
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if err := d.Verify(); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
		if err := d.CheckPolicy(tx.Rules{RPID: file.RPID, Origins: []string{file.Origin}}); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
		if hex.EncodeToString(d.ID[:]) != v.ID || hex.EncodeToString(d.Hash[:]) != v.Hash {
			t.Errorf("%s: id %x, hash %x", v.Name, d.ID, d.Hash)
		}
	}
	for _, v := range file.Refused {
		if err := decodeAndVerify(file, unhex(t, v.Raw)); fault.Code(err) != v.Code {
			t.Errorf("%s: %v, want %s", v.Name, err, v.Code)
		}
	}
}

func decodeAndVerify(file vectors, raw []byte) error {
	d, err := tx.Decode(file.NetworkID, raw, file.MaxBytes)
	if err != nil {
		return err
	}
	return d.Verify()
}

func makeVectors(t *testing.T) vectors {
	t.Helper()
	v := vectors{NetworkID: txtest.NetworkID, RPID: txtest.RPID, Origin: txtest.Origin, MaxBytes: maxBytes}
	for _, kind := range txtest.Kinds {
		s := txtest.Signer(kind, 1)
		v.Keys = append(v.Keys, keyVector{
			Kind: tx.KindName(kind), Secret: hex.EncodeToString(txtest.Secret(1)),
			Public: hex.EncodeToString(s.Key().Public), Address: s.Key().Address().String(),
		})
		v.Good = append(v.Good, makeGood(t, tx.KindName(kind), transferBody(s), s))
	}
	payer, seller := txtest.Ed25519(1), txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 2)
	v.Good = append(v.Good, makeGood(t, "two accounts, three actions, once", agreement(payer, seller), payer, seller))
	for _, r := range refusals {
		if raw := r.bytes(t); len(raw) < 1024 {
			v.Refused = append(v.Refused, badVector{r.name, r.code, hex.EncodeToString(raw)})
		}
	}
	unsigned := mustSign(t, transferBody(payer))
	v.Refused = append(v.Refused, badVector{"no witness", "tx.bad_signature", hex.EncodeToString(unsigned)})
	spoiled := mustSign(t, transferBody(payer), payer)
	spoiled[len(spoiled)-1] ^= 1
	v.Refused = append(v.Refused, badVector{"spoiled signature", "tx.bad_signature", hex.EncodeToString(spoiled)})
	return v
}

func makeGood(t *testing.T, name string, body *txv1.Body, signers ...tx.Signer) goodVector {
	t.Helper()
	raw := mustSign(t, body, signers...)
	d := mustDecode(t, raw)
	loose, err := protojson.Marshal(d.Body)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, loose); err != nil {
		t.Fatal(err)
	}
	outer := &txv1.Transaction{}
	unmarshal(t, raw, outer)
	return goodVector{
		Name: name, JSON: compact.Bytes(), Body: hex.EncodeToString(outer.GetNative().Body), ID: hex.EncodeToString(d.ID[:]),
		Raw: hex.EncodeToString(raw), Hash: hex.EncodeToString(d.Hash[:]),
	}
}

// agreement pays for a document: two transfers by the payer, a record by the seller.
func agreement(payer, seller tx.Signer) *txv1.Body {
	p, s := payer.Key().Address(), seller.Key().Address()
	return &txv1.Body{NotAfter: 1_762_000_000_000, Salt: 1<<63 + 1, Once: bytes.Repeat([]byte{0x11}, 32), Actions: []*txv1.Action{
		{Actor: p[:], Call: &txv1.Action_AssetTransfer{AssetTransfer: &assetv1.Transfer{
			Asset: "krw", To: s[:], Amount: most, Memo: "두레", Reference: "INV-1",
		}}},
		{Actor: p[:], Call: &txv1.Action_AssetHold{AssetHold: &assetv1.Hold{
			Asset: "krw", Amount: "1", Payee: s[:], ExpiresAt: 1_763_000_000_000,
		}}},
		{Actor: s[:], Call: &txv1.Action_RecordAdd{RecordAdd: &recordv1.Add{
			Digest: bytes.Repeat([]byte{0x22}, 32), Size: 300, MediaType: "application/pdf", Title: "Contract",
		}}},
	}}
}
