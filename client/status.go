package client

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/dureledger/dure/client/light"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// CredentialRef says where a credential's status is: the entry Index of the list List of an issuer. It is what a credential's status claim stands for.
type CredentialRef struct {
	Issuer tx.Address
	List   uint32
	Index  uint32
}

// CredentialStatus is the status of a credential as of a block.
type CredentialStatus struct {
	// Status is statuslist.Valid, Invalid, Suspended, or what the issuer says.
	Status uint32
	Height int64
	// Time is that block's.
	Time time.Time
}

// OpenStatusList opens a list of the issuer, an organisation: so many entries, a multiple of 8, of 1, 2, 4 or 8 bits, all valid.
func (d *Draft) OpenStatusList(issuer tx.Address, list, bits, entries uint32) *Draft {
	return d.Append(&txv1.Action{Actor: issuer[:], Call: &txv1.Action_IdentityOpenList{
		IdentityOpenList: &identityv1.OpenList{List: list, Bits: bits, Size: entries}}})
}

// SetCredentialStatus sets up to 4,096 entries of a list of the issuer to one status. Indexes ascend; none is given twice.
func (d *Draft) SetCredentialStatus(issuer tx.Address, list, status uint32, indexes ...uint32) *Draft {
	return d.Append(&txv1.Action{Actor: issuer[:], Call: &txv1.Action_IdentitySetStatus{
		IdentitySetStatus: &identityv1.SetStatus{List: list, Status: status, Indexes: statuslist.AppendIndexes(nil, indexes...)}}})
}

// CredentialStatus asks one node for the status of one credential. The node's word is taken for it, and it learns which credential is looked
// at: StatusList keeps that from it, ProveCredentialStatus proves what it says. Codes identity.unknown_list, identity.bad_index.
func (c *Client) CredentialStatus(ctx context.Context, ref CredentialRef) (CredentialStatus, error) {
	res, err := read(ctx, c, &apiv1.GetCredentialStatusRequest{Issuer: ref.Issuer.String(), List: ref.List, Index: ref.Index},
		func(n *node) method[apiv1.GetCredentialStatusRequest, apiv1.GetCredentialStatusResponse] {
			return n.identity.GetCredentialStatus
		})
	if err != nil {
		return CredentialStatus{}, err
	}
	at, err := time.Parse(time.RFC3339, res.GetTime())
	return CredentialStatus{res.GetStatus(), res.GetHeight(), at}, err
}

// StatusList asks for a whole list, at most 128 KiB, so that nobody learns which credential is looked at, and returns its entries beside what the
// node says of it. A Status List Token is made of Bits and Lst. Code identity.unknown_list.
func (c *Client) StatusList(ctx context.Context, issuer tx.Address, list uint32) (statuslist.List, *apiv1.GetStatusListResponse, error) {
	res, err := read(ctx, c, &apiv1.GetStatusListRequest{Issuer: issuer.String(), List: list},
		func(n *node) method[apiv1.GetStatusListRequest, apiv1.GetStatusListResponse] {
			return n.identity.GetStatusList
		})
	if err != nil {
		return statuslist.List{}, nil, err
	}
	l := statuslist.List{Bits: res.GetStatusList().GetBits(), Entries: res.GetEntries()}
	if !statuslist.Bits(l.Bits) || l.Len() != res.GetStatusList().GetSize() {
		return statuslist.List{}, nil, fmt.Errorf("a node gave a status list of %d bits and %d bytes for %d entries", l.Bits, len(l.Entries), res.GetStatusList().GetSize())
	}
	return l, res, nil
}

// StatusLists lists the status lists of an issuer.
func (c *Client) StatusLists(ctx context.Context, issuer tx.Address) iter.Seq2[*apiv1.StatusList, error] {
	return pages(func(token string) ([]*apiv1.StatusList, string, error) {
		res, err := read(ctx, c, &apiv1.ListStatusListsRequest{Issuer: issuer.String(), PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListStatusListsRequest, apiv1.ListStatusListsResponse] {
				return n.identity.ListStatusLists
			})
		return res.GetStatusLists(), res.GetNextPageToken(), err
	})
}

// ProveCredentialStatus asks for the state proofs of one credential's status and verifies them from the anchor. VerifyCredentialStatus verifies the
// proof again later, without a node.
func (c *Client) ProveCredentialStatus(ctx context.Context, ref CredentialRef, anchor *light.Anchor) (*StatusProof, CredentialStatus, error) {
	p := &StatusProof{}
	var err error
	if p.List, err = c.stateProof(ctx, statuslist.HeadKey(ref.Issuer, ref.List)); err != nil {
		return nil, CredentialStatus{}, err
	}
	bits, err := readHead(p.List.Exists, p.List.Value, ref)
	if err != nil {
		return nil, CredentialStatus{}, err
	}
	place, _ := statuslist.PlaceOf(ref.Issuer, ref.List, bits, ref.Index)
	if p.Chunk, err = c.stateProof(ctx, place.Key()); err != nil {
		return nil, CredentialStatus{}, err
	}
	status, err := VerifyCredentialStatus(ref, p, anchor)
	return p, status, err
}

// StatusProof proves a credential's status offline: the list as the ledger has it, which says how many bits an entry has and never changes in
// that, and the chunk of it that has the entry.
type StatusProof struct {
	List, Chunk light.StateProof
}

// VerifyCredentialStatus verifies a proof from an anchor, without a node, and returns the status as of the block that the proof of the chunk is of.
// Codes of light.Anchor.VerifyStateProof, and identity.unknown_list, identity.bad_index, proof.wrong_key.
func VerifyCredentialStatus(ref CredentialRef, p *StatusProof, anchor *light.Anchor) (CredentialStatus, error) {
	if string(p.List.Key) != string(statuslist.HeadKey(ref.Issuer, ref.List)) {
		return CredentialStatus{}, otherKey()
	}
	if _, err := anchor.VerifyStateProof(p.List, noPolicy); err != nil {
		return CredentialStatus{}, err
	}
	bits, err := readHead(p.List.Exists, p.List.Value, ref)
	if err != nil {
		return CredentialStatus{}, err
	}
	place, within := statuslist.PlaceOf(ref.Issuer, ref.List, bits, ref.Index)
	if string(p.Chunk.Key) != string(place.Key()) {
		return CredentialStatus{}, otherKey()
	}
	at, err := anchor.VerifyStateProof(p.Chunk, noPolicy)
	if err != nil {
		return CredentialStatus{}, err
	}
	out := CredentialStatus{Height: at.Height - 1, Time: at.Time}
	if p.Chunk.Exists {
		out.Status, _ = statuslist.List{Bits: bits, Entries: p.Chunk.Value}.Get(within)
	}
	return out, nil
}

// readHead says how many bits the entries of a list have, if it has the one that is meant.
func readHead(exists bool, value []byte, ref CredentialRef) (bits uint32, err error) {
	head := &identityv1.StatusList{}
	if !exists {
		return 0, fault.New("identity.unknown_list", fmt.Sprintf("%s has no status list %d.", ref.Issuer, ref.List), "issuer", ref.Issuer, "list", ref.List)
	}
	if err := head.UnmarshalVT(value); err != nil {
		return 0, fmt.Errorf("the status list cannot be read: %w", err)
	}
	if !statuslist.Bits(head.GetBits()) {
		return 0, fmt.Errorf("the status list has entries of %d bits", head.GetBits())
	}
	if ref.Index >= head.GetSize() {
		return 0, fault.New("identity.bad_index", fmt.Sprintf("The list has the entries 0 to %d.", head.GetSize()-1), "index", ref.Index, "size", head.GetSize())
	}
	return head.GetBits(), nil
}

func otherKey() error {
	return fault.New("proof.wrong_key", "The proof is of another list or another part of it than has the credential's status.")
}
