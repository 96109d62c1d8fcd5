package record

import (
	"bytes"
	"fmt"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// cosign adds the actor's signature to another account's record. A superseded record may still be cosigned, as one
// may vouch for an old version; a withdrawn one may not.
func (m *Module) cosign(c *exec.Context, call *recordv1.Cosign) error {
	recorder, err := tx.ToAddress(call.GetRecorder())
	if err != nil {
		return fault.New("record.bad_address", "The recorder is not a 20-byte address.", "field", "recorder", "bytes", len(call.GetRecorder()))
	}
	place, r, err := find(c.View, call.GetDigest(), recorder)
	if err != nil {
		return err
	}
	if recorder == c.Actor {
		return fault.New("record.own", "An account vouches for its own record by making it; others may cosign.",
			"digest", place.digest, "recorder", recorder)
	}
	if r.GetState() == recordv1.State_STATE_WITHDRAWN {
		return withdrawn(place)
	}
	for _, s := range r.GetCosignatures() {
		if bytes.Equal(s.GetAccount(), c.Actor[:]) {
			return fault.New("record.already_cosigned", c.Actor.String()+" has cosigned the record already.",
				"digest", place.digest, "recorder", recorder, "account", c.Actor)
		}
	}
	if len(r.GetCosignatures()) >= MaxCosignatures {
		return fault.New("record.too_many_cosignatures", fmt.Sprintf("The record has %d cosignatures, the most there can be.", MaxCosignatures),
			"digest", place.digest, "recorder", recorder)
	}
	r.Cosignatures = append(r.Cosignatures, &recordv1.Cosignature{Account: c.Actor[:], SignedAt: c.Time})
	records.Set(c.View, place, r)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_RecordCosigned{
		RecordCosigned: &recordv1.Cosigned{Digest: place.digest[:], Recorder: recorder[:], Account: c.Actor[:]},
	}})
	return nil
}

func withdrawn(place id) error {
	return fault.New("record.withdrawn", "The record of "+place.digest.String()+" by "+place.recorder.String()+" has been withdrawn.",
		"digest", place.digest, "recorder", place.recorder)
}
