package all_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/network"
	"github.com/dureledger/dure/modules/stream"
)

// Every action of the format has one handler, named after it, of a version that this binary offers.
func TestEveryActionIsHandled(t *testing.T) {
	handled := map[string]bool{}
	for _, m := range all.All() {
		for _, h := range m.Handlers() {
			if handled[h.Name] {
				t.Errorf("%s has two handlers", h.Name)
			}
			handled[h.Name] = true
			if !strings.HasPrefix(h.Name, m.Name()+".") {
				t.Errorf("%s is an action of module %s", h.Name, m.Name())
			}
			if h.Since < 1 || h.Since > network.AppVersion {
				t.Errorf("%s is of app version %d; this binary knows 1 to %d", h.Name, h.Since, network.AppVersion)
			}
			if want := callType(h.Name); h.Call != want {
				t.Errorf("%s takes %v, want %v", h.Name, h.Call, want)
			}
		}
	}
	calls := (&txv1.Action{}).ProtoReflect().Descriptor().Oneofs().ByName("call").Fields()
	for i := range calls.Len() {
		name := strings.Replace(string(calls.Get(i).Name()), "_", ".", 1)
		if !handled[name] {
			t.Errorf("%s has no handler", name)
		}
	}
}

// callType is the generated wrapper of an action's call.
func callType(name string) reflect.Type {
	a := (&txv1.Action{}).ProtoReflect()
	field := a.Descriptor().Fields().ByName(protoreflect.Name(strings.ReplaceAll(name, ".", "_")))
	if field == nil {
		return nil
	}
	a.Mutable(field)
	return reflect.TypeOf(a.Interface().(*txv1.Action).GetCall())
}

// CheckAll must see a broken ledger, whichever module broke: take any one entry away and somebody misses it.
func TestCheckAllSees(t *testing.T) {
	changes := busyLedger(t).View.Changes()
	if err := all.CheckAll(state.NewTree().Apply(changes)); err != nil {
		t.Fatal(err)
	}
	for i, c := range changes {
		broken := slices.Delete(slices.Clone(changes), i, i+1)
		if c.Value != nil && !spare(c.Key) && all.CheckAll(state.NewTree().Apply(broken)) == nil {
			t.Errorf("nobody misses %q", c.Key)
		}
	}
}

// What a feed has to pay from is units that somebody else has not: one more, and the supply is not all there.
func TestFundsAreUnitsOfTheSupply(t *testing.T) {
	l := busyLedger(t)
	f, ok := stream.Get(l.View, "speed")
	if !ok || f.GetFunds() != "10" {
		t.Fatalf("the feed has %q", f.GetFunds())
	}
	f.Funds = "11"
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	l.View.Set(stream.FeedKey("speed"), raw)
	if err := l.Check(); err == nil || !strings.Contains(err.Error(), "supply is 100, but balances, holds and reserves are 101") {
		t.Error(err)
	}
}

// spare are entries without which a ledger is whole: parameters have defaults, members come and go, and so do commands of devices.
func spare(key []byte) bool {
	return string(key) == "Np" || strings.HasPrefix(string(key), "Nm") || strings.HasPrefix(string(key), "Dc")
}

// busyLedger has something of everything, each thing with a reason to be there.
func busyLedger(t *testing.T) *moduletest.Ledger {
	l, err := moduletest.Play(
		"seoul account.open key=alice",
		"seoul account.open key=bob",
		"signed by alice alice2\nalice account.rotate_key key=alice2",
		"seoul asset.create asset=krw",
		"seoul asset.issue asset=krw to=bob amount=100",
		"bob asset.hold asset=krw amount=40 payee=seoul expires_at=+1h",
		"bob record.add digest=v1 size=1 media_type=text/plain title=1",
		"bob record.supersede old_digest=v1 new.digest=v2 new.size=1 new.media_type=text/plain new.title=2",
		"signed by alice2\nalice record.cosign digest=v1 recorder=bob",
		"seoul account.open key=car",
		"seoul device.register_model model=sedan title=Sedan",
		"seoul device.register_firmware model=sedan number=1 version=1 digest=image pcrs=129 pcr_digest=booted",
		"seoul device.enrol device=car model=sedan serial=81 owner=bob firmware=1",
		"busan device.challenge device=car",
		"car device.attest nonce=n1 boot=1 firmware=forged",
		"seoul account.open key=bus",
		"seoul device.enrol device=bus model=sedan serial=82 owner=bob firmware=1",
		`bob device.command device=bus kind=unlock payload="front doors" expires_at=+1h`,
		"bus device.answer command=c1 ok=true",
		"seoul stream.open feed=speed terms.title=Speed terms.unit=km/h terms.most=300 terms.stale_ms=60000 terms.min_sources=1 terms.premium.asset=krw terms.premium.amount=2",
		"seoul stream.admit feed=speed devices=bus",
		"bob stream.fund feed=speed amount=10",
		"bob stream.anchor read=bus,1.1,speed,60,km/h,0s read=bus,1.2,speed,301,km/h,0s",
		"seoul device.set_attester device=car public_key=chip",
		"seoul network.propose change.set_power.member=busan change.set_power.power=1",
		"busan network.vote proposal=1",
		"jeju network.vote proposal=1",
		"seoul network.propose change.set_power.member=busan change.set_power.power=2",
	)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
