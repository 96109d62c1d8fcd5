package consensus

import (
	"encoding/binary"
	"testing"

	"github.com/dureledger/dure/ledger/tx/txtest"
)

func TestKeysAreKeptFromTheirSecondSightingOn(t *testing.T) {
	table := newKeyTable()
	public := txtest.Ed25519(1).Key().Public
	if table.prepared(public) != nil {
		t.Error("a key seen once was prepared")
	}
	key := table.prepared(public)
	if key == nil {
		t.Fatal("a key seen twice was not prepared")
	}
	if point := key.CompressedY(); string(point[:]) != string(public) {
		t.Fatal("the prepared key is another")
	}
	if table.prepared(public) != key {
		t.Error("the key was not kept")
	}
	if table.prepared(public[:31]) != nil {
		t.Error("31 bytes became a key")
	}
	notAPoint := [32]byte{2}
	if table.prepared(notAPoint[:]); table.prepared(notAPoint[:]) != nil {
		t.Error("what is no point of the curve became a key")
	}
}

func TestTheTableOfKeysIsBounded(t *testing.T) {
	table := newKeyTable()
	public := txtest.Ed25519(1).Key().Public
	table.prepared(public)
	used := table.prepared(public)
	for i := range 3 * sightings {
		var id [32]byte
		binary.BigEndian.PutUint64(id[:], uint64(i))
		table.find(id)
		if i%(sightings/8) == 0 {
			table.keep(id, used)
			table.prepared(public)
		}
	}
	for i := range 3 * preparedKeys {
		var id [32]byte
		binary.BigEndian.PutUint64(id[8:], uint64(i))
		table.keep(id, used)
		if i%1000 == 0 && table.prepared(public) != used {
			t.Fatal("a key in use was dropped")
		}
	}
	if n := len(table.seen) + len(table.seenOld); n > 2*sightings {
		t.Errorf("%d sightings kept", n)
	}
	if n := len(table.now) + len(table.old); n > 2*preparedKeys {
		t.Errorf("%d keys kept", n)
	}
}
