package light

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
)

const timeFormat = "2006-01-02 15:04:05.000 UTC"

// String says in a few lines what was verified and what it rests on.
func (v *Verified) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "transaction  %s\n", hex.EncodeToString(v.ID[:]))
	fmt.Fprintf(&b, "outcome      %s\n", statusWords(v.Outcome))
	fmt.Fprintf(&b, "executed     in block %d, %s\n", v.Outcome.GetHeight(), v.Executed.Format(timeFormat))
	fmt.Fprintf(&b, "events       %d\n", len(v.Outcome.GetEvents()))
	fmt.Fprintf(&b, "witnesses    %s\n", v.Witnesses())
	b.WriteString(v.Grounds.String())
	return b.String()
}

// Witnesses says which of the witnesses that were asked for have cosigned the receipt and when, or that none has.
func (v *Verified) Witnesses() string {
	var known []string
	for _, c := range v.Cosignatures {
		known = append(known, c.Witness.Name+", "+time.Unix(c.Time, 0).UTC().Format(timeFormat))
	}
	s := strings.Join(known, "; ")
	if s == "" {
		s = "none that you named has cosigned"
	}
	if v.Others > 0 {
		s += fmt.Sprintf(" (cosigned by %d that you did not name, not verified)", v.Others)
	}
	return s
}

// String says in a few lines what was verified and what it rests on.
func (v *VerifiedCheckpoint) String() string {
	c := v.Checkpoint
	var b strings.Builder
	fmt.Fprintf(&b, "checkpoint   height %d, %s\n", c.Height, v.Time.Format(timeFormat))
	fmt.Fprintf(&b, "header       %s\n", hex.EncodeToString(c.Header[:]))
	fmt.Fprintf(&b, "history      %s\n", count(c.Size, "outcome"))
	for _, s := range v.Cosignatures {
		fmt.Fprintf(&b, "cosigned     by %s, %s\n", s.Witness.Name, time.Unix(s.Time, 0).UTC().Format(timeFormat))
	}
	b.WriteString(v.Grounds.String())
	return b.String()
}

// String says what a verification rests on.
func (g Grounds) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "network      %s\n", g.Network)
	fmt.Fprintf(&b, "rests on     %s\n", g.Basis)
	switch g.Changes {
	case 0:
	case 1:
		b.WriteString("then         1 change of validators, signed by more than two thirds of the validators before it\n")
	default:
		fmt.Fprintf(&b, "then         %d changes of validators, each signed by more than two thirds of the validators before it\n", g.Changes)
	}
	fmt.Fprintf(&b, "signed       header %d of %s, by %d of %s with %d of %d power\n",
		g.Height, g.Time.Format(timeFormat), g.Signatures, count(uint64(g.Validators), "validator"), g.Power, g.TotalPower)
	return b.String()
}

// String says where an anchor comes from, in one line.
func (b Basis) String() string {
	var s string
	if b.Genesis {
		s = "the genesis keys of " + count(uint64(b.Validators), "validator")
	} else {
		s = fmt.Sprintf("a checkpoint of %s (height %d, %s)", b.Time.Format(timeFormat), b.Height, count(uint64(b.Validators), "validator"))
		var names []string
		for _, c := range b.Cosignatures {
			names = append(names, c.Witness.Name)
		}
		if len(names) > 0 {
			s += ", cosigned by " + strings.Join(names, ", ")
		}
	}
	if b.Through != nil {
		s += ", verified from " + b.Through.String()
	}
	return s
}

func statusWords(o *ledgerv1.Outcome) string {
	if o.GetStatus() == ledgerv1.Status_STATUS_OK {
		return "ok"
	}
	return fmt.Sprintf("failed: %s [%s]", o.GetRefusal().GetMessage(), o.GetRefusal().GetCode())
}

func count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
