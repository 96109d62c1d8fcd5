package evidence_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math"
	"os"
	"testing"

	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

var update = flag.Bool("update", false, "write testdata/vectors.json again; a change of it is a change of the format")

const vectorsFile = "testdata/vectors.json"

// vectors is the file that other implementations run. Bytes are hex.
type vectors struct {
	About     string       `json:"about"`
	NetworkID string       `json:"network_id"`
	Secret    string       `json:"secret"`
	Good      []goodVector `json:"good"`
	Refused   []badVector  `json:"refused"`
}

type goodVector struct {
	Kind     string `json:"kind"`
	Public   string `json:"public_key"`
	Device   string `json:"device"`
	Nonce    string `json:"nonce"`
	Boot     uint64 `json:"boot,string"`
	Firmware string `json:"firmware"`
	Signed   string `json:"signed_bytes"` // the Sig_structure
	Message  string `json:"message"`
}

type badVector struct {
	Name    string `json:"name"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

const about = "Tokens as docs/evidence.md has them. 'good': the message made of these fields, signed by the key whose Ed25519 seed or P-256 scalar is the " +
	"secret; both kinds sign the same every time (RFC 8032; RFC 6979, then the lower s), so an implementation that does so makes these bytes. " +
	"'refused': with a code of whoever parses, or evidence.bad_signature of whoever then verifies on the network."

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
		t.Errorf("%s is not what this code makes; a change of it is a change of the format (-update)", vectorsFile)
	}
	var file vectors
	if err := json.Unmarshal(want, &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Good {
		if err := check(t, v.Message); err != nil {
			t.Errorf("%s, start %d: %v", v.Kind, v.Boot, err)
		}
	}
	for _, v := range file.Refused {
		if err := check(t, v.Message); fault.Code(err) != v.Code {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

// check parses and verifies.
func check(t *testing.T, message string) error {
	t.Helper()
	raw, err := hex.DecodeString(message)
	if err != nil {
		t.Fatal(err)
	}
	token, err := evidence.ParseToken(raw)
	if err != nil {
		return err
	}
	return evidence.VerifyToken(txtest.NetworkID, token)
}

func makeVectors(t *testing.T) vectors {
	t.Helper()
	v := vectors{About: about, NetworkID: txtest.NetworkID, Secret: hex.EncodeToString(txtest.Secret(1))}
	for _, kind := range kinds {
		for _, boot := range []uint64{1, 24, 256, 65536, math.MaxUint64} {
			token := example(kind, boot)
			raw, err := evidence.Sign(txtest.NetworkID, token, keyOf(t, kind))
			if err != nil {
				t.Fatal(err)
			}
			v.Good = append(v.Good, goodVector{
				tx.KindName(kind), hex.EncodeToString(token.Key.Public), token.Device.String(), hex.EncodeToString(token.Nonce[:]), boot,
				hex.EncodeToString(token.Firmware[:]), hex.EncodeToString(token.SignedBytes(txtest.NetworkID)), hex.EncodeToString(raw),
			})
		}
	}
	for _, b := range refusedTokens(t) {
		v.Refused = append(v.Refused, badVector{b.name, b.code, hex.EncodeToString(b.raw)})
	}
	return v
}
