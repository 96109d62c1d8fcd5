package identity

import (
	"bytes"
	"fmt"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// openList opens a status list of the actor. Whose credential has which entry is the issuer's business, off the ledger.
func (m *Module) openList(c *exec.Context, call *identityv1.OpenList) error {
	if err := m.mustBeOrganisation(c.View, c.Actor); err != nil {
		return err
	}
	if err := checkList(call.GetList(), call.GetBits(), call.GetSize()); err != nil {
		return err
	}
	id := ListID{c.Actor, call.GetList()}
	if lists.Has(c.View, id) {
		return fault.New("identity.list_exists", fmt.Sprintf("%s has opened a status list %d already. Give the next one another number.", c.Actor, id.List), "issuer", c.Actor, "list", id.List)
	}
	lists.Set(c.View, id, &identityv1.StatusList{Bits: call.GetBits(), Size: call.GetSize(), OpenedAt: c.Time})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityListOpened{
		IdentityListOpened: &identityv1.ListOpened{Issuer: c.Actor[:], List: id.List},
	}})
	return nil
}

func checkList(list, bits, size uint32) error {
	if list == 0 || !statuslist.Bits(bits) || size == 0 || size%8 != 0 || statuslist.Bytes(bits, size) > statuslist.MaxBytes {
		return fault.New("identity.bad_list", fmt.Sprintf("A status list has a number from 1 on, entries of 1, 2, 4 or 8 bits, and a multiple of 8 of them in at most %d bytes.", statuslist.MaxBytes),
			"list", list, "bits", bits, "size", size)
	}
	return nil
}

// setStatus sets entries of a status list of the actor. That needs no right to issue: who lost it must still be able to revoke what it issued.
func (m *Module) setStatus(c *exec.Context, call *identityv1.SetStatus) error {
	id := ListID{c.Actor, call.GetList()}
	head, ok := lists.Get(c.View, id)
	if !ok {
		return fault.New("identity.unknown_list", fmt.Sprintf("%s has no status list %d. Open it first.", c.Actor, id.List), "issuer", c.Actor, "list", id.List)
	}
	if call.GetStatus() >= 1<<head.GetBits() {
		return fault.New("identity.bad_status", fmt.Sprintf("An entry of the list has %d bits, so a status is 0 to %d.", head.GetBits(), 1<<head.GetBits()-1),
			"status", call.GetStatus(), "bits", head.GetBits())
	}
	indexes, err := statuslist.ReadIndexes(call.GetIndexes(), MaxIndexes)
	if err != nil {
		return fault.New("identity.bad_index", "The indexes cannot be read: "+err.Error()+".", "bytes", len(call.GetIndexes()))
	}
	if last := indexes[len(indexes)-1]; last >= head.GetSize() {
		return fault.New("identity.bad_index", fmt.Sprintf("The list has the entries 0 to %d, and none %d.", head.GetSize()-1, last), "index", last, "size", head.GetSize())
	}
	setEntries(c.View, id, head, indexes, call.GetStatus())
	head.Version++
	head.ChangedAt = c.Time
	lists.Set(c.View, id, head)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityStatusSet{
		IdentityStatusSet: &identityv1.StatusSet{Issuer: c.Actor[:], List: id.List, Status: call.GetStatus(), Count: uint32(len(indexes)), Version: head.GetVersion()},
	}})
	return nil
}

// setEntries reads and writes each chunk once, as indexes ascend.
func setEntries(v *state.View, id ListID, head *identityv1.StatusList, indexes []uint32, status uint32) {
	for len(indexes) > 0 {
		place, _ := statuslist.PlaceOf(id.Issuer, id.List, head.GetBits(), indexes[0])
		chunk := statuslist.List{Bits: head.GetBits(), Entries: make([]byte, chunkSize(head, place.Chunk))}
		old, _ := chunks.Get(v, place)
		copy(chunk.Entries, old)
		for len(indexes) > 0 {
			next, within := statuslist.PlaceOf(id.Issuer, id.List, head.GetBits(), indexes[0])
			if next != place {
				break
			}
			chunk.Set(within, status)
			indexes = indexes[1:]
		}
		if len(bytes.Trim(chunk.Entries, "\x00")) == 0 {
			chunks.Delete(v, place)
		} else {
			chunks.Set(v, place, chunk.Entries)
		}
	}
}

// chunkSize is how many bytes a chunk of a list has: all but the last are full.
func chunkSize(head *identityv1.StatusList, chunk uint32) int {
	left := statuslist.Bytes(head.GetBits(), head.GetSize()) - uint64(chunk)*statuslist.ChunkBytes
	return int(min(left, statuslist.ChunkBytes))
}

// StatusList returns a status list with its entries, and whether there is one.
func StatusList(r state.Reader, issuer tx.Address, list uint32) (*identityv1.StatusList, []byte, bool) {
	head, ok := lists.Get(r, ListID{issuer, list})
	if !ok {
		return nil, nil, false
	}
	entries := make([]byte, statuslist.Bytes(head.GetBits(), head.GetSize()))
	chunks.Ascend(r, listIDs.Append(nil, ListID{issuer, list}), func(p statuslist.Place, chunk []byte) bool {
		copy(entries[p.Chunk*statuslist.ChunkBytes:], chunk)
		return true
	})
	return head, entries, true
}

// Status returns the status of one entry of a list, and whether there is such an entry.
func Status(g state.Getter, issuer tx.Address, list, index uint32) (uint32, bool) {
	head, ok := lists.Get(g, ListID{issuer, list})
	if !ok || index >= head.GetSize() {
		return 0, false
	}
	place, within := statuslist.PlaceOf(issuer, list, head.GetBits(), index)
	chunk, _ := chunks.Get(g, place)
	status, _ := statuslist.List{Bits: head.GetBits(), Entries: chunk}.Get(within)
	return status, true
}
