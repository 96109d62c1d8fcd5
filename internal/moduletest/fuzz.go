package moduletest

import (
	"errors"
	"os"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// cast are the accounts that fuzzed actions come from.
var cast = []string{"seoul", "busan", "jeju", "daegu", "alice", "bob", "carol", "dan"}

// prelude brings a ledger to where every kind of action can succeed.
var prelude = []string{
	"seoul account.open key=alice",
	"seoul account.open key=bob",
	"busan account.open key=carol",
	"seoul account.open key=dan",
	"signed by dan seoul\ndan account.set_recovery rules.wait_ms=3600000 rules.guardians=alice rules.guardians=carol rules.threshold=2 rules.sponsor=true",
	"signed by alice fresh\nalice account.recover account=dan key=fresh",
	"seoul account.freeze account=dan basis=4 ends_at=+24h",
	"seoul asset.create asset=krw cap=1000000",
	"seoul asset.issue asset=krw to=alice amount=5000",
	"alice asset.hold asset=krw amount=1000 payee=bob arbiter=carol expires_at=+24h",
	"alice record.add digest=deed size=10 media_type=text/plain title=Deed",
	"seoul network.propose change.set_power.member=jeju change.set_power.power=5",
	"seoul device.register_model model=fuzz title=Fuzz",
	"seoul device.register_firmware model=fuzz number=1 version=1 digest=image",
	"signed by seoul carol\nseoul device.enrol device=carol model=fuzz serial=1 owner=bob firmware=1",
	"busan stream.open feed=speed terms.title=Speed terms.unit=km/h terms.most=100 terms.stale_ms=60000 terms.min_sources=1 terms.appeal_ms=60000 terms.premium.asset=krw terms.premium.amount=2",
	"busan stream.admit feed=speed devices=carol",
	"alice stream.fund feed=speed amount=9",
	"seoul identity.admit account=bob name=Bob kind=7",
	"seoul identity.register_schema schema=shop title_ko=가게 title_en=Shop digest=schema fact=true field=kind,fact,food|books",
	"seoul network.propose change.identity.give.schema=shop change.identity.give.holder=bob change.identity.give.ends_at=+1000h change.identity.give.depth=2",
	"busan network.vote proposal=2",
	"jeju network.vote proposal=2",
	"bob identity.delegate schema=shop holder=seoul ends_at=+500h depth=1",
	"bob identity.attest account=alice schema=shop value=food ends_at=+100h",
	"bob identity.open_list list=1 bits=2 size=4096",
	"bob identity.set_status list=1 status=1 indexes=7,4095",
	"alice identity.give_consent recipient=bob digest=terms ends_at=+100h",
	"bob identity.set_service service.name_ko=가게 service.name_en=Shop service.redirect_uris=https://shop.example/cb service.may_ask=phone",
	"signed by jeju new\njeju account.set_rule rule.keys=key=jeju,weight=1 rule.keys=key=new,weight=1 rule.spend=2 rule.manage=2 rule.other=1 rule.wait_ms=60000 rule.limits=asset=krw,per_window=90,wait_over=9",
	"alice asset.transfer asset=krw to=jeju amount=100",
	"signed by jeju\njeju account.propose expires_at=+24h actions=\"jeju asset.transfer asset=krw to=bob amount=5\"",
	"bob stream.anchor read=carol,1.1,speed,60,km/h,0s read=carol,1.2,speed,999,km/h,0s",
}

// Seed is an action to start fuzzing from.
type Seed struct {
	// Actor counts in the cast.
	Actor byte
	// Action is a serialised dure.tx.v1.Action; its actor is replaced.
	Action []byte
}

// Seeds are the actions in the scenarios that match a pattern.
func Seeds(t testing.TB, pattern string) []Seed {
	t.Helper()
	var seeds []Seed
	for _, file := range glob(t, pattern) {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := play(string(script), func(actor string, a *txv1.Action) {
			raw, err := proto.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			seeds = append(seeds, Seed{castIndex(actor), raw})
		}); err != nil {
			t.Fatal(err)
		}
	}
	return seeds
}

func castIndex(name string) byte {
	for i, c := range cast {
		if c == name {
			return byte(i)
		}
	}
	return 0
}

// Fuzz applies an action twice, as some can happen once only, to a ledger with a little of everything. Whatever it asks
// for, refusals are faults that change nothing, nothing panics and the invariants hold.
func Fuzz(t *testing.T, actor byte, raw []byte) {
	name := cast[int(actor)%len(cast)]
	a, err := asDecoded(raw, Address(name))
	if err != nil {
		return
	}
	first, tree := begun()
	l := Over(tree, first.Now)
	l.applied = first.applied
	for range 2 {
		before := l.View.Changes()
		r := l.Apply([]*txv1.Action{a}, Key(name), Key("new"))
		if err := l.Check(); err != nil {
			t.Fatal(err)
		}
		if r.Err == nil {
			continue
		}
		var f *fault.Error
		if !errors.As(r.Err, &f) || f.Code == "internal" {
			t.Fatalf("not a refusal: %v", r.Err)
		}
		if !SameChanges(before, l.View.Changes()) {
			t.Fatalf("a refused action left something: %v", r.Err)
		}
	}
}

// asDecoded is an action of an actor as modules are given it: no transaction carries a field or an enum value that this version does not know.
func asDecoded(raw []byte, actor tx.Address) (*txv1.Action, error) {
	a := &txv1.Action{}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(raw, a); err != nil {
		return nil, err
	}
	a.Actor = actor[:]
	written, err := proto.MarshalOptions{Deterministic: true}.Marshal(a)
	if err != nil {
		return nil, err
	}
	return tx.DecodeAction(written)
}

// beginning is a ledger after the prelude.
func beginning() *Ledger {
	p := &player{Ledger: New()}
	for _, line := range prelude {
		answer, err := p.block(line)
		if err != nil || answer[:2] != "ok" {
			panic("moduletest: prelude: " + line + ": " + answer)
		}
	}
	return p.Ledger
}

// begun is the state after the prelude, played once.
var begun = sync.OnceValues(func() (*Ledger, *state.Tree) {
	l := beginning()
	return l, state.NewTree().Apply(l.View.Changes())
})

// SameChanges says whether two views of a state have the same changes.
func SameChanges(a, b []state.Change) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if string(a[i].Key) != string(b[i].Key) || (a[i].Value == nil) != (b[i].Value == nil) || string(a[i].Value) != string(b[i].Value) {
			return false
		}
	}
	return true
}
