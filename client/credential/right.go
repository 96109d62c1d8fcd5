package credential

import (
	"fmt"
	"time"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// record is a right to issue as the ledger keeps it.
type record struct {
	// giver is the account that gave it; zero: the members.
	giver       tx.Address
	since, ends time.Time
	// revoked is zero if it was not, and reason says why it was: ended, requested, mistake, breach or compromised.
	revoked time.Time
	reason  string
	depth   uint32
}

// end ends the right at a time, unless it was over before.
func (r *record) end(at time.Time, reason string) {
	if r.revoked.IsZero() || at.Before(r.revoked) {
		r.revoked, r.reason = at, reason
	}
}

// noOrganisation is the reason when a holder was none for all of the time.
const noOrganisation = "no organisation since"

// while ends the right with its holder's being an organisation: since a time, zero for a member, until it was dismissed, zero if it was not.
func (r *record) while(since, dismissed time.Time, reason string) {
	if since.After(r.since) {
		r.end(r.since, noOrganisation)
	}
	if dismissed.After(r.since) {
		r.end(dismissed, reason)
	}
}

// maxChain is how many rights may rest on one another: four times passed on after the members gave it.
const maxChain = 5

// judge says whether an issuer could issue a schema at a time, and whether that is still worth something now. find gives the right of a holder, nil if it
// never had one.
//
// Each right up to the members' must have held then. One that has ended since, by its time or because it was over or asked for, leaves what was issued before as it is: a school
// that closes does not take its diplomas back. One that was taken back because of a mistake, a breach or a compromised key takes all with it, as nobody knows since when.
func judge(find func(holder tx.Address) (*record, error), issuer tx.Address, schema string, at, now time.Time) (Right, error) {
	out := Right{}
	refused := func(why string) (Right, error) {
		return Right{}, fault.New("credential.not_licensed", "The issuer "+issuer.String()+" had no right to issue "+schema+" that counts: "+why+". Do not rely on the credential.", "issuer", issuer,
			"schema", schema)
	}
	below := (*record)(nil)
	for holder, step := issuer, 0; ; step++ {
		r, err := find(holder)
		if err != nil {
			return Right{}, err
		}
		switch {
		case r == nil:
			return refused("nobody gave one to " + holder.String())
		case step == maxChain:
			return refused("too many rights rest on one another")
		case at.Before(r.since.Add(-clockSkew)):
			return refused(holder.String() + " has it since " + clock(r.since) + ", and the credential is of " + clock(at))
		case !at.Before(r.ends):
			return refused("that of " + holder.String() + " had ended at " + clock(r.ends))
		case !r.revoked.IsZero() && (r.reason != "ended" && r.reason != "requested" || !at.Before(r.revoked)):
			return refused(fmt.Sprintf("that of %s was taken back at %s (%s)", holder, clock(r.revoked), r.reason))
		case below != nil && (below.since.Before(r.since) || r.depth <= below.depth):
			return refused("it rests on a right of " + holder.String() + " that was given later or may not be passed on")
		}
		if below == nil {
			out.Giver, out.Ends = r.giver, r.ends
		}
		if out.Over == "" {
			out.Over = over(holder, r, now)
		}
		if r.giver == (tx.Address{}) {
			return out, nil
		}
		holder, below = r.giver, r
	}
}

func over(holder tx.Address, r *record, now time.Time) string {
	switch {
	case !r.revoked.IsZero():
		return "the right of " + holder.String() + " was given up or taken back at " + clock(r.revoked) + " (" + r.reason + ")"
	case !now.Before(r.ends):
		return "the right of " + holder.String() + " ended at " + clock(r.ends)
	}
	return ""
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// clockSkew is how far the time in a credential, its issuer's, may be from that of a block.
const clockSkew = time.Minute
