package consensus

import (
	"encoding/binary"
	"testing"
	"unsafe"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

func TestKeysAreKeptFromTheirSecondSightingOn(t *testing.T) {
	kept := newKeys()
	pq := txtest.Signer(accountv1.KeyKind_KEY_KIND_ML_DSA_65, 1).Key().Public
	if kept.MLDSA65(pq) != nil {
		t.Error("a key seen once was prepared")
	}
	second := kept.MLDSA65(pq)
	if second == nil {
		t.Fatal("a key seen twice was not prepared")
	}
	if string(second.Bytes()) != string(pq) {
		t.Fatal("the prepared key is another")
	}
	if kept.MLDSA65(pq) != second {
		t.Error("the key was not kept")
	}
	for range 2 {
		if kept.MLDSA65(pq[:1951]) != nil || kept.MLDSA65(nil) != nil {
			t.Error("what is no key of its kind became one")
		}
	}
}

// Two keys of ML-DSA-65 that have the same matrix, and even all but one bit, are two keys.
func TestAlikeKeysAreNotTaken(t *testing.T) {
	kept := newKeys()
	pq := txtest.Signer(accountv1.KeyKind_KEY_KIND_ML_DSA_65, 1).Key().Public
	other := append([]byte(nil), pq...)
	other[1951] ^= 1
	for range 2 {
		kept.MLDSA65(pq)
	}
	if kept.MLDSA65(other) != nil {
		t.Error("another key stands for one that was not seen")
	}
	if got := kept.MLDSA65(other); string(got.Bytes()) != string(other) {
		t.Error("the prepared key is another")
	}
}

func TestTheTableOfKeysIsBounded(t *testing.T) {
	table, public := newKeys().mldsa65, txtest.Signer(accountv1.KeyKind_KEY_KIND_ML_DSA_65, 1).Key().Public
	table.prepared(public)
	used := table.prepared(public)
	seen := sightings * table.most
	for i := range 3 * seen {
		var id [32]byte
		binary.BigEndian.PutUint64(id[:], uint64(i))
		table.find(id)
		if i%(seen/8) == 0 {
			table.keep(id, used)
			table.prepared(public)
		}
	}
	for i := range 3 * table.most {
		var id [32]byte
		binary.BigEndian.PutUint64(id[8:], uint64(i))
		table.keep(id, used)
		if i%100 == 0 && table.prepared(public) != used {
			t.Fatal("a key in use was dropped")
		}
	}
	if n := len(table.seen) + len(table.seenOld); n > 2*seen {
		t.Errorf("%d sightings kept", n)
	}
	if n := len(table.now) + len(table.old); n > 2*table.most {
		t.Errorf("%d keys kept", n)
	}
	// What is behind a pointer of the key besides: its matrix of 6 times 5 polynomials of 256 coefficients.
	if n := unsafe.Sizeof(tx.PreparedMLDSA65{}) + 6*5*256*4; n > mldsa65Bytes {
		t.Errorf("a key takes %d bytes", n)
	}
}
