package all_test

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/asset"
	"github.com/dureledger/dure/modules/device"
	"github.com/dureledger/dure/modules/network"
)

var (
	people = []string{"seoul", "busan", "jeju", "daegu", "alice", "bob", "carol", "dan"}
	assets = []string{"krw", "krw2", "gold"}
)

// world draws transactions over a few accounts, assets and documents, and keeps its own books from the events alone.
type world struct {
	*moduletest.Ledger
	t         *rapid.T
	done      int                 // transactions that succeeded
	ready     map[string]int64    // account and new key of a recovery: from when on its events let it be finished
	recovered int                 // accounts
	keys      map[string][]byte   // account: the key that acts, after its events
	books     map[string]*big.Int // asset and address: what can be spent; asset and "held " and address: what is held
	who       whoBooks
	held      int // how often a fact was found to hold
}

// Whatever members and accounts try, in any order: no invariant breaks, no money is made or lost, a refused transaction
// changes nothing, and the events tell the whole story of every balance.
func TestRandomActions(t *testing.T) {
	tried, done, held := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := &world{Ledger: moduletest.New(), t: t, books: map[string]*big.Int{}, ready: map[string]int64{}, keys: map[string][]byte{}}
		for _, name := range []string{"alice", "bob", "carol"} {
			w.must("seoul", &txv1.Action_AccountOpen{AccountOpen: open(name)})
		}
		w.must("alice", &txv1.Action_AssetCreate{AssetCreate: &assetv1.Create{Asset: "krw"}})
		w.must("alice", &txv1.Action_AssetIssue{AssetIssue: &assetv1.Issue{Asset: "krw", To: address("bob"), Amount: "1000"}})
		w.must("seoul", &txv1.Action_DeviceRegisterModel{DeviceRegisterModel: &devicev1.RegisterModel{Model: "meter", Title: "Meter"}})
		w.must("seoul", &txv1.Action_DeviceRegisterFirmware{DeviceRegisterFirmware: &devicev1.RegisterFirmware{
			Model: "meter", Number: 1, Version: "1", Digest: append([]byte{1}, make([]byte, 31)...)}})
		w.must("seoul", &txv1.Action_DeviceEnrol{DeviceEnrol: &devicev1.Enrol{Device: address("carol"), Model: "meter", Serial: "1", Owner: address("bob"), Firmware: 1}})
		w.must("seoul", openFeed("speed", false))
		w.must("seoul", admitTo("speed", "carol"))
		w.must("bob", fundFeed("speed", "100"))
		w.must("seoul", registerSchema("shop"))
		w.must("seoul", giveRight("busan", w.Now+24*3600*1000))
		w.must("busan", &txv1.Action_NetworkVote{NetworkVote: &networkv1.Vote{Proposal: 1}})
		w.must("jeju", &txv1.Action_NetworkVote{NetworkVote: &networkv1.Vote{Proposal: 1}})
		n := rapid.IntRange(10, 50).Draw(t, "transactions")
		for range n {
			w.step(w.call)
		}
		tried, done, held = tried+n, done+w.done, held+w.held
	})
	if held == 0 {
		t.Error("no fact ever held: the test says nothing about them")
	}
	t.Logf("%d of %d transactions succeeded", done, tried)
	if done*5 < tried {
		t.Error("nearly everything is refused: the test says little about what is allowed")
	}
}

func (w *world) must(actor string, call any) {
	r := w.Apply([]*txv1.Action{action(actor, call)}, moduletest.Key(actor))
	if r.Err != nil {
		w.t.Fatal(r.Err)
	}
	w.book(r.Events)
}

func (w *world) step(draw func() (actor string, call any)) {
	w.Now += rapid.Int64Range(0, 10*60*1000).Draw(w.t, "pass")
	var actions []*txv1.Action
	for range rapid.SampledFrom([]int{1, 1, 1, 1, 2, 3}).Draw(w.t, "actions") {
		actor, call := draw()
		if w.seldom("stranger") {
			actor = w.person()
		}
		actions = append(actions, action(actor, call))
	}
	before := w.View.Changes()
	r := w.Apply(actions, w.signers()...)
	if r.Err == nil {
		w.done++
	} else {
		if code := fault.Code(r.Err); code == "" || len(r.Events) > 0 {
			w.t.Fatalf("refused with code %q and %d events: %v", code, len(r.Events), r.Err)
		}
		if !moduletest.SameChanges(before, w.View.Changes()) {
			w.t.Fatalf("a refused transaction changed the state: %v", r.Err)
		}
	}
	w.book(r.Events)
	if err := w.Check(); err != nil {
		w.t.Fatalf("%v\nafter %v", err, actions)
	}
	w.compare()
}

// seldom is true one time in ten: for what should mostly be right, so that refusals do not crowd out everything else.
func (w *world) seldom(what string) bool { return rapid.IntRange(0, 9).Draw(w.t, what) == 9 }

// signers are nearly always everybody, so that what is refused is refused for better reasons than a signature.
func (w *world) signers() (keys []tx.Key) {
	if w.seldom("signer") {
		return []tx.Key{moduletest.Key(w.person())}
	}
	for _, name := range people {
		keys = append(keys, moduletest.Key(name), moduletest.Key(name+"2"))
	}
	return keys
}

func (w *world) person() string   { return rapid.SampledFrom(people).Draw(w.t, "person") }
func (w *world) member() string   { return rapid.SampledFrom(moduletest.Members).Draw(w.t, "member") }
func (w *world) somebody() []byte { return address(w.person()) }

func (w *world) asset() string {
	if w.seldom("other asset") {
		return rapid.SampledFrom(assets).Draw(w.t, "asset")
	}
	return "krw"
}

func (w *world) amount() string {
	if !w.seldom("odd amount") {
		return rapid.SampledFrom([]string{"1", "7", "100", "400"}).Draw(w.t, "amount")
	}
	return rapid.SampledFrom([]string{
		"0", "340282366920938463463374607431768211455", "170141183460469231731687303715884105728",
		"340282366920938463463374607431768211456", "01", "",
	}).Draw(w.t, "odd")
}

func (w *world) digest() []byte {
	d := [32]byte{byte(rapid.IntRange(1, 4).Draw(w.t, "digest"))}
	return d[:]
}

func (w *world) key(name string) tx.Key {
	return moduletest.Key(name + rapid.SampledFrom([]string{"", "2"}).Draw(w.t, "key"))
}

// call draws an action and who has the best chance to succeed with it.
func (w *world) call() (actor string, call any) {
	switch rapid.Uint32().Draw(w.t, "module") % 11 { // low numbers come more often
	case 8:
		return w.accountCall()
	case 1:
		return w.recordCall()
	case 7:
		return w.deviceCall()
	case 0, 9, 10:
		return w.streamCall()
	case 2, 3:
		return w.networkCall()
	case 5, 6:
		return w.identityCall()
	}
	return w.assetCall()
}

func (w *world) accountCall() (string, any) {
	switch rapid.IntRange(0, 10).Draw(w.t, "account") {
	case 0:
		k := w.key(w.person())
		return w.member(), &txv1.Action_AccountOpen{AccountOpen: &accountv1.Open{Kind: k.Kind, PublicKey: k.Public}}
	case 1:
		who := w.person()
		k := w.key(who)
		return who, &txv1.Action_AccountRotateKey{AccountRotateKey: &accountv1.RotateKey{Kind: k.Kind, PublicKey: k.Public}}
	case 2:
		return "seoul", &txv1.Action_AccountFreeze{AccountFreeze: &accountv1.Freeze{Account: w.somebody(), Reason: "audit",
			Basis: accountv1.Basis(rapid.IntRange(3, 6).Draw(w.t, "basis")), EndsAt: w.Now + rapid.Int64Range(0, 3*3600*1000).Draw(w.t, "ends"),
			Renew: rapid.IntRange(0, 3).Draw(w.t, "renew") == 3}}
	case 3:
		return "seoul", &txv1.Action_AccountUnfreeze{AccountUnfreeze: &accountv1.Unfreeze{Account: w.somebody()}}
	}
	return w.recoveryCall()
}

func (w *world) assetCall() (string, any) {
	const issuer = "alice"
	switch rapid.IntRange(0, 12).Draw(w.t, "asset action") {
	case 0:
		return w.person(), &txv1.Action_AssetCreate{AssetCreate: &assetv1.Create{Asset: rapid.SampledFrom(assets).Draw(w.t, "asset"), Cap: w.amount()}}
	case 1, 2:
		return issuer, &txv1.Action_AssetIssue{AssetIssue: &assetv1.Issue{Asset: w.asset(), To: w.somebody(), Amount: w.amount()}}
	case 3:
		return "bob", &txv1.Action_AssetRedeem{AssetRedeem: &assetv1.Redeem{Asset: w.asset(), Amount: w.amount()}}
	case 4, 5, 6:
		h := &assetv1.Hold{Asset: w.asset(), Amount: w.amount(), Payee: w.somebody(),
			ExpiresAt: w.Now + rapid.Int64Range(0, 4*3600*1000).Draw(w.t, "expires")}
		if rapid.Bool().Draw(w.t, "arbiter") {
			h.Arbiter = w.somebody()
		}
		return "bob", &txv1.Action_AssetHold{AssetHold: h}
	case 7, 8, 9:
		return w.release()
	case 10:
		if w.seldom("pause") {
			return issuer, &txv1.Action_AssetPause{AssetPause: &assetv1.Pause{Asset: w.asset()}}
		}
		return issuer, &txv1.Action_AssetUnpause{AssetUnpause: &assetv1.Unpause{Asset: w.asset()}}
	}
	return "bob", &txv1.Action_AssetTransfer{AssetTransfer: &assetv1.Transfer{Asset: w.asset(), To: w.somebody(), Amount: w.amount()}}
}

// release ends one of the open holds, by somebody who has a part in it.
func (w *world) release() (string, any) {
	var open []asset.HoldID
	asset.AscendHolds(w.View, func(id asset.HoldID, _ *assetv1.HoldState) bool {
		open = append(open, id)
		return true
	})
	r := &assetv1.Release{Hold: make([]byte, 16), Pay: rapid.SampledFrom([]string{"0", "1", "7"}).Draw(w.t, "pay")}
	if len(open) == 0 {
		return w.person(), &txv1.Action_AssetRelease{AssetRelease: r}
	}
	id := rapid.SampledFrom(open).Draw(w.t, "hold")
	h, _ := asset.Hold(w.View, id)
	r.Hold = id[:]
	party := rapid.SampledFrom([][]byte{h.Payer, h.Payee, h.Arbiter, h.Arbiter}).Draw(w.t, "party")
	return nameOf(party), &txv1.Action_AssetRelease{AssetRelease: r}
}

func nameOf(a []byte) string {
	for _, name := range people {
		if string(address(name)) == string(a) {
			return name
		}
	}
	return "nobody"
}

func (w *world) recordCall() (string, any) {
	said := &recordv1.Add{Digest: w.digest(), Size: 1, MediaType: "text/plain", Title: "a"}
	switch rapid.IntRange(0, 3).Draw(w.t, "record") {
	case 0:
		return "bob", &txv1.Action_RecordAdd{RecordAdd: said}
	case 1:
		return "bob", &txv1.Action_RecordSupersede{RecordSupersede: &recordv1.Supersede{OldDigest: w.digest(), New: said}}
	case 2:
		return w.person(), &txv1.Action_RecordCosign{RecordCosign: &recordv1.Cosign{Digest: w.digest(), Recorder: address("bob")}}
	}
	return "bob", &txv1.Action_RecordWithdraw{RecordWithdraw: &recordv1.Withdraw{Digest: w.digest()}}
}

// deviceCall draws on one model of seoul's, of which anybody may be a device.
func (w *world) deviceCall() (string, any) {
	const maker, model = "seoul", "meter"
	who := rapid.SampledFrom([]string{"alice", "bob", "carol"}).Draw(w.t, "device")
	number := rapid.Uint64Range(0, 3).Draw(w.t, "number")
	boss := rapid.SampledFrom([]string{maker, "dan"}).Draw(w.t, "boss")
	switch rapid.IntRange(0, 13).Draw(w.t, "device action") {
	case 0:
		return maker, &txv1.Action_DeviceRegisterModel{DeviceRegisterModel: &devicev1.RegisterModel{Model: model, Title: "Meter"}}
	case 1, 2:
		digest := w.digest()
		return maker, &txv1.Action_DeviceRegisterFirmware{DeviceRegisterFirmware: &devicev1.RegisterFirmware{
			Model: model, Number: number, Version: "1", Digest: digest, Pcrs: 1, PcrDigest: digest, Follows: rapid.Uint64Range(0, 2).Draw(w.t, "follows")}}
	case 3:
		if w.seldom("fault") {
			return maker, &txv1.Action_DeviceReportFault{DeviceReportFault: &devicev1.ReportFault{Model: model, Number: number, Id: who, Text: "t"}}
		}
		if w.seldom("withdraw") {
			return maker, &txv1.Action_DeviceWithdrawFirmware{DeviceWithdrawFirmware: &devicev1.WithdrawFirmware{Model: model, Number: number, Reason: "r"}}
		}
		return maker, &txv1.Action_DeviceEnrol{DeviceEnrol: &devicev1.Enrol{Device: address(who), Model: model, Serial: who, Owner: w.somebody(), Firmware: number}}
	case 4, 5:
		return w.member(), &txv1.Action_DeviceChallenge{DeviceChallenge: &devicev1.Challenge{Device: address(who)}}
	case 6, 7, 8:
		d, _ := device.Get(w.View, moduletest.Address(who))
		if len(d.GetAttester()) > 0 && d.GetNonce() != nil {
			resets := uint32(d.GetBoot()>>32) + rapid.Uint32Range(0, 1).Draw(w.t, "resets")
			quote := moduletest.Quote([32]byte(d.GetNonce().GetValue()), resets, 1, [32]byte(w.digest()))
			return w.person(), &txv1.Action_DevicePresentQuote{DevicePresentQuote: &devicev1.PresentQuote{
				Device: address(who), Quote: quote, Signature: moduletest.QuoteSignature(who, quote)}}
		}
		return who, &txv1.Action_DeviceAttest{DeviceAttest: &devicev1.Attest{
			Nonce: d.GetNonce().GetValue(), Boot: d.GetBoot() + rapid.Uint64Range(0, 1).Draw(w.t, "boot"), Firmware: w.digest()}}
	case 9:
		return boss, &txv1.Action_DeviceSuspend{DeviceSuspend: &devicev1.Suspend{Device: address(who), Reason: "r"}}
	case 10:
		return boss, &txv1.Action_DeviceReadmit{DeviceReadmit: &devicev1.Readmit{Device: address(who), Reason: "r"}}
	case 11:
		return maker, &txv1.Action_DeviceVouch{DeviceVouch: &devicev1.Vouch{Device: address(who), Hardware: devicev1.Hardware_HARDWARE_TPM, Key: address(who)}}
	case 12:
		if w.seldom("attester") {
			return maker, &txv1.Action_DeviceSetAttester{DeviceSetAttester: &devicev1.SetAttester{
				Device: address(who), PublicKey: moduletest.Attester(who).Key().Public}}
		}
	}
	if w.seldom("revoke") {
		return boss, &txv1.Action_DeviceRevoke{DeviceRevoke: &devicev1.Revoke{Device: address(who), Reason: "r"}}
	}
	return w.person(), &txv1.Action_DeviceTransfer{DeviceTransfer: &devicev1.Transfer{Device: address(who), Owner: w.somebody()}}
}

func (w *world) networkCall() (string, any) {
	if open := network.Open(w.View); len(open) > 1 && rapid.IntRange(0, 4).Draw(w.t, "vote") > 0 {
		p := rapid.SampledFrom(open).Draw(w.t, "proposal")
		return w.member(), &txv1.Action_NetworkVote{NetworkVote: &networkv1.Vote{Proposal: p.GetId()}}
	}
	change := &networkv1.Change{}
	switch rapid.IntRange(0, 4).Draw(w.t, "change") {
	case 3, 4:
		change.Kind = &networkv1.Change_Identity{Identity: w.decision()}
	case 0:
		name := w.person()
		change.Kind = &networkv1.Change_AddMember{AddMember: &networkv1.Member{
			Address: address(name), Name: name, NodeKey: moduletest.Key(name + " node").Public, ValidatorKey: moduletest.Key(name + " validator").Public,
			Power: rapid.Int64Range(0, 2).Draw(w.t, "power"),
		}}
	case 1:
		change.Kind = &networkv1.Change_RemoveMember{RemoveMember: address(w.member())}
	case 2:
		change.Kind = &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: address(w.member()), Power: rapid.Int64Range(-1, 2).Draw(w.t, "power")}}
	}
	return w.member(), &txv1.Action_NetworkPropose{NetworkPropose: &networkv1.Propose{Change: change}}
}

// book writes events into the world's own books.
func (w *world) book(events []*ledgerv1.Event) {
	for _, e := range events {
		switch {
		case e.GetAssetMoved() != nil:
			m := e.GetAssetMoved()
			w.add(m.Asset, "", m.From, m.Amount, -1)
			w.add(m.Asset, "", m.To, m.Amount, 1)
		case e.GetAssetHeld() != nil:
			h := e.GetAssetHeld()
			w.add(h.Asset, "", h.Payer, h.Amount, -1)
			w.add(h.Asset, "held ", h.Payer, h.Amount, 1)
		case e.GetAssetReleased() != nil:
			r := e.GetAssetReleased()
			w.add(r.Asset, "held ", r.Payer, r.Paid, -1)
			w.add(r.Asset, "held ", r.Payer, r.Returned, -1)
			w.add(r.Asset, "", r.Payee, r.Paid, 1)
			w.add(r.Asset, "", r.Payer, r.Returned, 1)
		}
		w.bookStream(e)
		w.bookAccount(e)
		w.who.book(e, w)
	}
}

func (w *world) add(asset, kind string, account []byte, amount string, sign int64) {
	if len(account) == 0 { // issued or redeemed
		return
	}
	n, ok := new(big.Int).SetString(amount, 10)
	if !ok {
		w.t.Fatalf("event with amount %q", amount)
	}
	key := fmt.Sprintf("%s %s%s", asset, kind, tx.Address(account))
	if w.books[key] == nil {
		w.books[key] = new(big.Int)
	}
	w.books[key].Add(w.books[key], n.Mul(n, big.NewInt(sign)))
}

// compare finds every balance of the ledger in the books, and nothing in the books that the ledger has not.
func (w *world) compare() {
	for _, a := range assets {
		for _, name := range people {
			address := moduletest.Address(name)
			available, held := asset.Balance(w.View, a, address)
			w.same(fmt.Sprintf("%s %s", a, address), available.ToBig())
			w.same(fmt.Sprintf("%s held %s", a, address), held.ToBig())
		}
	}
	w.compareKeys()
	for _, name := range feedNames {
		w.same("funds of "+name, fundsOf(w.View, name))
	}
	w.compareFacts()
}

func (w *world) same(key string, ledger *big.Int) {
	booked := w.books[key]
	if booked == nil {
		booked = new(big.Int)
	}
	if booked.Cmp(ledger) != 0 {
		w.t.Fatalf("%s: the ledger has %s, its events say %s", key, ledger, booked)
	}
}

func address(name string) []byte {
	a := moduletest.Address(name)
	return a[:]
}

func open(name string) *accountv1.Open {
	k := moduletest.Key(name)
	return &accountv1.Open{Kind: k.Kind, PublicKey: k.Public}
}

func action(actor string, call any) *txv1.Action { return moduletest.Action(actor, call) }
