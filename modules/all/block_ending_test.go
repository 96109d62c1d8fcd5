package all_test

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/asset"
	"github.com/dureledger/dure/modules/network"
)

const (
	ok     = ledgerv1.Status_STATUS_OK
	failed = ledgerv1.Status_STATUS_FAILED
	void   = ledgerv1.Status_STATUS_VOID
)

const once = "an invoice"

// endings says how a transaction ends: make brings the chain into a condition and gives the transaction.
var endings = []struct {
	name   string
	status ledgerv1.Status
	code   string
	make   func(c *chain) *tx.Tx
}{
	{"a payment", ok, "", func(c *chain) *tx.Tx { return c.pay("ana", "ben", "1") }},
	{"a payment with a once key, far ahead", ok, "", func(c *chain) *tx.Tx {
		return c.onceTx(29*24*3600*1000, transfer("ana", "ben", "krw", "1"))
	}},
	{"expired", void, "tx.expired", func(c *chain) *tx.Tx {
		body := c.body(transfer("ana", "ben", "krw", "1"))
		body.NotAfter = c.now + 999
		return c.sign(body, "ana")
	}},
	{"valid to this very millisecond", ok, "", func(c *chain) *tx.Tx {
		body := c.body(transfer("ana", "ben", "krw", "1"))
		body.NotAfter = c.now + 1000
		return c.sign(body, "ana")
	}},
	{"as far ahead as allowed", ok, "", func(c *chain) *tx.Tx {
		body := c.body(transfer("ana", "ben", "krw", "1"))
		body.NotAfter = c.now + 1000 + network.DefaultParameters().GetWindowMs()
		return c.sign(body, "ana")
	}},
	{"too far ahead", void, "tx.too_far_ahead", func(c *chain) *tx.Tx {
		body := c.body(transfer("ana", "ben", "krw", "1"))
		body.NotAfter = c.now + 1001 + network.DefaultParameters().GetWindowMs()
		return c.sign(body, "ana")
	}},
	{"too far ahead with once", void, "tx.too_far_ahead", func(c *chain) *tx.Tx {
		return c.onceTx(1001+network.DefaultParameters().GetOnceWindowMs(), transfer("ana", "ben", "krw", "1"))
	}},
	{"at the end of time", void, "tx.too_far_ahead", func(c *chain) *tx.Tx {
		body := c.body(transfer("ana", "ben", "krw", "1"))
		body.NotAfter = 1<<63 - 1
		return c.sign(body, "ana")
	}},
	{"expired with once", void, "tx.expired", func(c *chain) *tx.Tx { return c.onceTx(999, transfer("ana", "ben", "krw", "1")) }},
	{"applied before", void, "tx.duplicate", func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1")
		c.seal(t)
		return t
	}},
	{"failed before", void, "tx.duplicate", func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1001")
		c.seal(t)
		return t
	}},
	{"applied before, with once", void, "tx.duplicate", func(c *chain) *tx.Tx {
		t := c.onceTx(60_000, transfer("ana", "ben", "krw", "1"))
		c.seal(t)
		return t
	}},
	{"a once key used by another transaction", void, "tx.once_used", func(c *chain) *tx.Tx {
		c.seal(c.onceTx(60_000, transfer("ana", "ben", "krw", "1")))
		return c.onceTx(60_000, transfer("ana", "ben", "krw", "1"))
	}},
	{"a once key used by a failed transaction", void, "tx.once_used", func(c *chain) *tx.Tx {
		c.seal(c.onceTx(60_000, transfer("ana", "ben", "krw", "1001")))
		return c.onceTx(60_000, transfer("ana", "ben", "krw", "1"))
	}},
	{"a once key long after its transaction expired", void, "tx.once_used", func(c *chain) *tx.Tx {
		c.seal(c.onceTx(60_000, transfer("ana", "ben", "krw", "1")))
		c.now += 365 * 24 * 3600 * 1000
		return c.onceTx(60_000, transfer("ana", "ben", "krw", "1"))
	}},
	{"the once key of another actor", ok, "", func(c *chain) *tx.Tx {
		body := c.body(transfer("ben", "ana", "krw", "1"))
		body.Once = onceKey32(once)
		c.seal(c.sign(body, "ben"))
		return c.onceTx(60_000, transfer("ana", "ben", "krw", "1"))
	}},
	{"a once key that a void transaction named", ok, "", func(c *chain) *tx.Tx {
		body := c.body(transfer("ana", "ben", "krw", "1"))
		body.Once = onceKey32(once)
		c.seal(c.sign(body, "ben"))
		return c.onceTx(60_000, transfer("ana", "ben", "krw", "1"))
	}},
	{"signed by somebody else", void, "account.not_authorised", func(c *chain) *tx.Tx {
		return c.sign(c.body(transfer("ana", "ben", "krw", "1")), "ben")
	}},
	{"signed by nobody", void, "account.not_authorised", func(c *chain) *tx.Tx {
		return c.sign(c.body(transfer("ana", "ben", "krw", "1")))
	}},
	{"signed by one of two actors", void, "account.not_authorised", func(c *chain) *tx.Tx {
		return c.sign(c.body(transfer("ana", "ben", "krw", "1"), transfer("ben", "ana", "krw", "1")), "ana")
	}},
	{"signed by both actors", ok, "", func(c *chain) *tx.Tx {
		return c.sign(c.body(transfer("ana", "ben", "krw", "1"), transfer("ben", "ana", "krw", "2")), "ana", "ben")
	}},
	{"of an account that is not there", void, "account.unknown", func(c *chain) *tx.Tx {
		return c.sign(c.body(transfer("nobody", "ben", "krw", "1")), "nobody")
	}},
	{"of a frozen account", failed, "account.frozen", func(c *chain) *tx.Tx {
		c.seal(c.sign(c.body(freeze("seoul", "ana")), "seoul"))
		return c.pay("ana", "ben", "1")
	}},
	{"of a frozen account, not signed by it", void, "account.not_authorised", func(c *chain) *tx.Tx {
		c.seal(c.sign(c.body(freeze("seoul", "ana")), "seoul"))
		return c.sign(c.body(transfer("ana", "ben", "krw", "1")), "ben")
	}},
	{"of a frozen account and one that has not signed", void, "account.not_authorised", func(c *chain) *tx.Tx {
		c.seal(c.sign(c.body(freeze("seoul", "ana")), "seoul"))
		return c.sign(c.body(transfer("ana", "ben", "krw", "1"), transfer("ben", "ana", "krw", "1")), "ana")
	}},
	{"a once key used by a frozen account", void, "tx.once_used", func(c *chain) *tx.Tx {
		c.seal(c.sign(c.body(freeze("seoul", "ana")), "seoul"))
		c.seal(c.onceTx(60_000, transfer("ana", "ben", "krw", "1")))
		return c.onceTx(60_000, transfer("ana", "ben", "krw", "1"))
	}},
	{"an overdraft", failed, "asset.insufficient_balance", func(c *chain) *tx.Tx { return c.pay("ana", "ben", "1001") }},
	{"beyond 2^128", failed, "asset.overflow", func(c *chain) *tx.Tx {
		a := moduletest.Address("ben")
		issue := &txv1.Action_AssetIssue{AssetIssue: &assetv1.Issue{Asset: "mega", To: a[:], Amount: "2"}}
		return c.sign(c.body(moduletest.Action("seoul", issue)), "seoul")
	}},
	{"an amount of 2^128", failed, "amount.too_large", func(c *chain) *tx.Tx {
		return c.pay("ana", "ben", "340282366920938463463374607431768211456")
	}},
	{"larger than the network takes", void, "tx.too_large", func(c *chain) *tx.Tx {
		a := transfer("ana", "ben", "krw", "1")
		a.GetAssetTransfer().Memo = strings.Repeat("long ", 50)
		actions := make([]*txv1.Action, 80)
		for i := range actions {
			actions[i] = a
		}
		return c.sign(c.body(actions...), "ana")
	}},
	{"more work than allowed", failed, "tx.too_much_work", func(c *chain) *tx.Tx { return c.trapTx("work") }},
	{"an action of a later app version", failed, "tx.unsupported", func(c *chain) *tx.Tx {
		later := &txv1.Action_RecordSupersede{RecordSupersede: &recordv1.Supersede{}}
		return c.sign(c.body(moduletest.Action("ana", later)), "ana")
	}},
	{"an action that no module knows", failed, "tx.unsupported", func(c *chain) *tx.Tx {
		unknown := &txv1.Action_RecordCosign{RecordCosign: &recordv1.Cosign{}}
		return c.sign(c.body(moduletest.Action("ana", unknown)), "ana")
	}},
	{"the last of three actions fails", failed, "asset.insufficient_balance", func(c *chain) *tx.Tx {
		return c.sign(c.body(transfer("ana", "ben", "krw", "1"), transfer("ben", "cho", "krw", "1001"), transfer("cho", "ana", "krw", "2002")),
			"ana", "ben", "cho")
	}},
	{"a module panics", failed, "internal", func(c *chain) *tx.Tx { return c.trapTx("panic") }},
	{"a module panics half-way", failed, "internal", func(c *chain) *tx.Tx { return c.trapTx("write and panic", transfer("ana", "ben", "krw", "1")) }},
	{"a module follows a nil pointer", failed, "internal", func(c *chain) *tx.Tx { return c.trapTx("nil pointer") }},
	{"a module returns an untyped error", failed, "internal", func(c *chain) *tx.Tx { return c.trapTx("plain error") }},
	{"a module returns a nil refusal", failed, "internal", func(c *chain) *tx.Tx { return c.trapTx("nil refusal") }},
	{"a module emits what cannot be written", failed, "internal", func(c *chain) *tx.Tx { return c.trapTx("bad event") }},
	{"a module refuses with what cannot be written", failed, "internal", func(c *chain) *tx.Tx { return c.trapTx("bad refusal") }},
}

// onceTx is a transaction of ana's with the once key, valid for ms from now.
func (c *chain) onceTx(ms int64, actions ...*txv1.Action) *tx.Tx {
	body := c.body(actions...)
	body.NotAfter, body.Once = c.now+ms, onceKey32(once)
	return c.sign(body, "ana")
}

// trapTx runs other actions of ana's and then makes the trap do something.
func (c *chain) trapTx(what string, before ...*txv1.Action) *tx.Tx {
	return c.sign(c.body(append(before, trapAction(what))...), "ana")
}

// endingChain has the trap and a small limit of bytes.
func endingChain(t *testing.T) *chain {
	g := chainGenesis()
	g.Network.Parameters = network.DefaultParameters()
	g.Network.Parameters.MaxTxBytes = 16 << 10
	rules := trapRules()
	c := chainFrom(t, rules, g)
	c.check = func(r state.Reader) error { return checkModules(rules, r) }
	return c
}

func TestEndings(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			c := endingChain(t)
			subject := e.make(c)
			before, size := c.ledger.Tree(), c.ledger.HistorySize()
			refusal := c.rules.Admit(before, c.rules.Network.Parameters(before), subject)
			r := c.seal(subject)
			var got *ledgerv1.Refusal
			if e.status == void {
				got = checkVoid(t, c, r, before, size, subject)
			} else {
				got = checkApplied(t, c, r, before, size, subject, e.status)
			}
			if got.GetCode() != e.code {
				t.Errorf("code %q, want %q (%s)", got.GetCode(), e.code, got.GetMessage())
			}
			if e.code != "" && len(strings.Fields(got.GetMessage())) < 4 {
				t.Errorf("message %q says too little", got.GetMessage())
			}
			admitted := ""
			if refusal != nil {
				admitted = refusal.Code
			}
			checkAdmit(t, admitted, e.status, e.code)
		})
	}
}

// checkVoid: nothing of a void transaction remains but its sealer's count.
func checkVoid(t *testing.T, c *chain, r *exec.Result, before *state.Tree, size uint64, subject *tx.Tx) *ledgerv1.Refusal {
	t.Helper()
	if len(r.Applied) != 0 || len(r.Voids) != 1 {
		t.Fatalf("%d applied and %d void, want one void", len(r.Applied), len(r.Voids))
	}
	v := r.Voids[0]
	if v.ID != subject.ID || v.Hash != subject.Hash || v.Position != 0 {
		t.Errorf("void %x at %d, want %x", v.ID, v.Position, subject.ID)
	}
	sealer := moduletest.Address("daegu")
	if len(r.Changes) != 1 || !bytes.Equal(r.Changes[0].Key, network.MemberKey(sealer)) {
		t.Errorf("%d changes, want the sealer's alone", len(r.Changes))
	}
	was, _ := network.Member(before, sealer)
	is, _ := network.Member(c.ledger.Tree(), sealer)
	was.Voids++
	if !proto.Equal(was, is) {
		t.Errorf("the sealer is %v, want %v", is, was)
	}
	if c.ledger.HistorySize() != size {
		t.Errorf("the history has %d outcomes, had %d", c.ledger.HistorySize(), size)
	}
	place, known := c.ledger.Find(subject.ID, subject.Body.GetNotAfter())
	if known && place.Height == r.Height {
		t.Error("the window remembers it")
	}
	return exec.Refusal(v.Refusal, 0)
}

// checkApplied: an outcome that is failed leaves only itself, and the once key if there is one.
func checkApplied(t *testing.T, c *chain, r *exec.Result, before *state.Tree, size uint64, subject *tx.Tx, want ledgerv1.Status) *ledgerv1.Refusal {
	t.Helper()
	o := one(t, r)
	if o.GetStatus() != want {
		t.Fatalf("%v (%s), want %v", o.GetStatus(), o.GetRefusal().GetMessage(), want)
	}
	if [32]byte(o.GetId()) != subject.ID || [32]byte(o.GetTxHash()) != subject.Hash || o.GetSeq() != size ||
		o.GetHeight() != r.Height || o.GetTime() != r.Time || o.GetPosition() != 0 || o.GetWork() == 0 {
		t.Errorf("outcome %v", o)
	}
	if c.ledger.HistorySize() != size+1 {
		t.Errorf("the history has %d outcomes, had %d", c.ledger.HistorySize(), size)
	}
	if _, known := c.ledger.Find(subject.ID, subject.Body.GetNotAfter()); known == (len(subject.Body.GetOnce()) > 0) {
		t.Errorf("in the window: %t", known)
	}
	if want == failed && (c.ledger.Tree().Root() != before.Root() || len(o.GetEvents()) != 0) {
		t.Errorf("it left %d changes and %d events", len(r.Changes), len(o.GetEvents()))
	}
	if want == ok && (len(r.Changes) == 0 || len(o.GetEvents()) != len(subject.Body.GetActions()) || o.GetRefusal() != nil) {
		t.Errorf("it left %d changes, %d events and refusal %v", len(r.Changes), len(o.GetEvents()), o.GetRefusal())
	}
	return o.GetRefusal()
}

// checkAdmit: what is refused before ordering would have been void for the same reason; what would be void by authority
// or a once key is refused before ordering.
func checkAdmit(t *testing.T, admit string, status ledgerv1.Status, code string) {
	t.Helper()
	want := ""
	if status == void && (strings.HasPrefix(code, "account.") || code == "tx.once_used") {
		want = code
	}
	if admit != want && (admit != code || status != void) {
		t.Errorf("admission says %q, want %q, as it ends %v %s", admit, want, status, code)
	}
}

// A refusal says which action it is about.
func TestRefusalNamesTheAction(t *testing.T) {
	c := newChain(t)
	o := one(t, c.seal(c.sign(c.body(transfer("ana", "ben", "krw", "1"), transfer("ben", "ana", "krw", "9999")), "ana", "ben")))
	if o.GetRefusal().GetAction() != 1 {
		t.Errorf("refused action %d, want 1", o.GetRefusal().GetAction())
	}
	c.seal(c.sign(c.body(freeze("seoul", "ben")), "seoul"))
	o = one(t, c.seal(c.sign(c.body(transfer("ana", "ben", "krw", "1"), transfer("ben", "ana", "krw", "1")), "ana", "ben")))
	if o.GetRefusal().GetCode() != "account.frozen" || o.GetRefusal().GetAction() != 1 {
		t.Errorf("refused %s of action %d, want the frozen account's, 1", o.GetRefusal().GetCode(), o.GetRefusal().GetAction())
	}
}

// The events of a transaction of several actors each name their own.
func TestEventsKeepTheirActors(t *testing.T) {
	c := newChain(t)
	o := one(t, c.seal(c.sign(c.body(transfer("ana", "ben", "krw", "1"), transfer("ben", "cho", "krw", "2"), transfer("cho", "ana", "krw", "3")),
		"ana", "ben", "cho")))
	for i, name := range holders {
		from := moduletest.Address(name)
		if e := o.GetEvents()[i]; e.GetAction() != uint32(i) || !bytes.Equal(e.GetAssetMoved().GetFrom(), from[:]) {
			t.Errorf("event %d: %v, want it of action %[1]d from %s", i, e, from)
		}
	}
}

// One action sees what the one before did, and so do the transactions of a block.
func TestActionsSeeEachOther(t *testing.T) {
	c := newChain(t)
	r := c.seal(
		c.sign(c.body(transfer("ana", "ben", "krw", "1000"), transfer("ben", "cho", "krw", "2000")), "ana", "ben"),
		c.pay("cho", "ana", "3000"),
		c.pay("ben", "ana", "1"),
	)
	var got []ledgerv1.Status
	for _, a := range r.Applied {
		got = append(got, a.Outcome.GetStatus())
	}
	if len(got) != 3 || got[0] != ok || got[1] != ok || got[2] != failed {
		t.Fatalf("%v", got)
	}
	if has, _ := asset.Balance(c.ledger.Tree(), "krw", moduletest.Address("ana")); has.Dec() != "3000" {
		t.Errorf("ana has %s, want 3000", has.Dec())
	}
}

// Parameters hold from the block after the one that changed them.
func TestParametersHoldFromTheNextBlock(t *testing.T) {
	c := newChain(t)
	p := network.DefaultParameters()
	p.WindowMs = 10_000
	c.enact(&networkv1.Change{Kind: &networkv1.Change_SetParameters{SetParameters: p}}, c.pay("ana", "ben", "1"))
	if last := c.blocks[len(c.blocks)-1]; len(last.Voids) != 0 {
		t.Errorf("in the block that changes the window: %v", last.Voids[0].Refusal)
	}
	if r := c.seal(c.pay("ana", "ben", "1")); len(r.Voids) != 1 || r.Voids[0].Refusal.Code != "tx.too_far_ahead" {
		t.Errorf("in the next block: %d void", len(r.Voids))
	}
}

// Who is frozen appeals, but takes nothing else through with it, in whatever order; when the freeze ends all is as before.
func TestFrozenOnlyAppeals(t *testing.T) {
	c := newChain(t)
	c.seal(c.sign(c.body(freeze("seoul", "ben")), "seoul"))
	appeal := func() *txv1.Action {
		return moduletest.Action("ben", &txv1.Action_AccountAppeal{AccountAppeal: &accountv1.Appeal{Text: "I have my phone"}})
	}
	pay := func(from, to string) *txv1.Action { return transfer(from, to, "krw", "1") }
	for _, tc := range []struct {
		actions []*txv1.Action
		action  uint32 // that is refused
	}{
		{[]*txv1.Action{appeal(), pay("ben", "ana")}, 1},
		{[]*txv1.Action{pay("ben", "ana"), appeal()}, 0},
		{[]*txv1.Action{pay("ana", "ben"), appeal(), pay("ana", "ben"), pay("ben", "ana")}, 3},
	} {
		o := one(t, c.seal(c.sign(c.body(tc.actions...), "ana", "ben")))
		if o.GetRefusal().GetCode() != "account.frozen" || o.GetRefusal().GetAction() != tc.action {
			t.Errorf("refused %q of action %d, want the frozen account's, %d", o.GetRefusal().GetCode(), o.GetRefusal().GetAction(), tc.action)
		}
	}
	if o := one(t, c.seal(c.sign(c.body(pay("ana", "ben"), appeal()), "ana", "ben"))); o.GetStatus() != ledgerv1.Status_STATUS_OK {
		t.Errorf("an appeal beside what others do: %v", o.GetRefusal())
	}
}
