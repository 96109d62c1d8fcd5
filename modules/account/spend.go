package account

import (
	"bytes"
	"fmt"

	"github.com/holiman/uint256"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// spans is into how many parts a window is divided. What was spent counts until the whole part in which it was is out of the window, so up
// to a 24th longer than the window; never shorter.
const spans = 24

// maxSpent bounds how many parts are remembered when windows of several lengths follow each other.
const maxSpent = 64

// payment is money that leaves an account, to be shown with so many decimals.
type payment struct {
	asset    string
	decimals uint32
	amount   uint256.Int
	to       tx.Address
}

func (p payment) show(amount uint256.Int) string {
	return tx.ShowUnits(amount, p.decimals) + " " + p.asset
}

// Spend is asked by every action that takes units out of the actor's reach, before it does so, and counts them. For an account with one key
// it does nothing, and reads nothing. Codes account.too_few_keys, account.receiver_not_allowed, account.over_transaction_limit,
// account.over_window_limit, account.must_wait.
func (m *Module) Spend(c *exec.Context, asset string, decimals uint32, amount uint256.Int, to tx.Address) error {
	if !c.Ruled {
		return nil
	}
	rule, ok := rules.Get(c.View, c.Actor)
	if !ok {
		return nil // it went earlier in this transaction
	}
	if agreed, _ := c.Agreed(); !agreed {
		if err := enough(c.Actor, rule, spends, weigh(rule, c.Witnessed)); err != nil {
			return err
		}
	}
	if err := mayReceive(c.Actor, rule, to); err != nil {
		return err
	}
	for _, l := range rule.GetLimits() {
		if l.GetAsset() == asset {
			return spend(c, rule, l, payment{asset, decimals, amount, to})
		}
	}
	return nil
}

func mayReceive(actor tx.Address, rule *accountv1.Rule, to tx.Address) error {
	if len(rule.GetReceivers()) == 0 {
		return nil
	}
	for _, r := range rule.GetReceivers() {
		if bytes.Equal(r, to[:]) {
			return nil
		}
	}
	return fault.New("account.receiver_not_allowed", "The rule of "+actor.String()+" does not name "+to.String()+
		" among those who may receive from it. Change the rule first.", "account", actor, "receiver", to)
}

// spend counts a payment under a limit.
func spend(c *exec.Context, rule *accountv1.Rule, l *accountv1.Limit, p payment) error {
	place := expense{c.Actor, p.asset}
	u, ok := usages.Get(c.View, place)
	if !ok {
		u = &accountv1.Usage{}
	}
	var inTx, atOnce uint256.Int
	if bytes.Equal(u.GetTx(), c.Tx[:]) {
		inTx, atOnce = stored(u.GetInTx()), stored(u.GetAtOnce())
	}
	inTx = sum(inTx, p.amount)
	if over(inTx, l.GetPerTransaction()) {
		return fault.New("account.over_transaction_limit", fmt.Sprintf("%s would leave %s in this transaction; its rule allows %s in one. Pay less, or change the rule.",
			p.show(inTx), c.Actor, p.show(stored(l.GetPerTransaction()))), "account", c.Actor, "asset", p.asset, "amount", inTx.Dec(), "limit", l.GetPerTransaction())
	}
	if _, waited := c.Agreed(); !waited {
		atOnce = sum(atOnce, p.amount)
		if over(atOnce, l.GetWaitOver()) {
			return mustWait(c.Actor, rule, "A payment of "+p.show(atOnce))
		}
	}
	if err := withinWindow(c, l, u, p); err != nil {
		return err
	}
	u.Tx, u.InTx, u.AtOnce = c.Tx[:], tx.FormatAmount(inTx), tx.FormatAmount(atOnce)
	usages.Set(c.View, place, u)
	return nil
}

// withinWindow adds a payment to what was spent in the limit's window.
func withinWindow(c *exec.Context, l *accountv1.Limit, u *accountv1.Usage, p payment) error {
	if l.GetPerWindow() == "" {
		u.Spent = nil
		return nil
	}
	window := l.GetWindowMs()
	u.Spent = within(u.GetSpent(), c.Time, window)
	total := sum(total(u.GetSpent()), p.amount)
	if over(total, l.GetPerWindow()) {
		return overWindow(c, l, u, p)
	}
	if n := len(u.GetSpent()); n > 0 && c.Time < u.GetSpent()[n-1].GetUntil() {
		last := u.GetSpent()[n-1]
		last.Amount = tx.FormatAmount(sum(stored(last.GetAmount()), p.amount))
		return nil
	}
	width := window / spans
	u.Spent = append(u.Spent, &accountv1.Spent{Until: (c.Time/width + 1) * width, Amount: tx.FormatAmount(p.amount)})
	if len(u.GetSpent()) > maxSpent {
		oldest, next := u.GetSpent()[0], u.GetSpent()[1]
		next.Amount = tx.FormatAmount(sum(stored(oldest.GetAmount()), stored(next.GetAmount())))
		u.Spent = u.GetSpent()[1:]
	}
	return nil
}

// overWindow says what is left, and from when on the amount could be paid.
func overWindow(c *exec.Context, l *accountv1.Limit, u *accountv1.Usage, p payment) error {
	limit, spent := stored(l.GetPerWindow()), total(u.GetSpent())
	var left uint256.Int
	if limit.Gt(&spent) {
		left.Sub(&limit, &spent)
	}
	why := fmt.Sprintf("The rule of %s allows %s in %s, of which %s are left", c.Actor, p.show(limit), span(l.GetWindowMs()), p.show(left))
	kv := []any{"account", c.Actor, "asset", p.asset, "amount", p.amount.Dec(), "left", left.Dec()}
	if p.amount.Gt(&limit) {
		return fault.New("account.over_window_limit", why+fmt.Sprintf("; %s can never be paid. Pay less, or change the rule.", p.show(p.amount)), kv...)
	}
	free := c.Time
	for _, s := range u.GetSpent() {
		if after := sum(spent, p.amount); !after.Gt(&limit) {
			break
		}
		amount := stored(s.GetAmount())
		spent.Sub(&spent, &amount)
		free = s.GetUntil() + l.GetWindowMs()
	}
	return fault.New("account.over_window_limit", why+fmt.Sprintf("; %s can be paid in %s. Wait, pay less, or change the rule.", p.show(p.amount), span(free-c.Time)),
		append(kv, "free_at", free)...)
}

// within are the spans that have not left a window of milliseconds that ends now.
func within(list []*accountv1.Spent, now, window int64) []*accountv1.Spent {
	for len(list) > 0 && list[0].GetUntil()+window <= now {
		list = list[1:]
	}
	return list
}

func total(list []*accountv1.Spent) (t uint256.Int) {
	for _, s := range list {
		t = sum(t, stored(s.GetAmount()))
	}
	return t
}

// forgetUsage drops what is remembered of assets that a rule does not limit, or of all if there is none.
func forgetUsage(v *state.View, address tx.Address, rule *accountv1.Rule) {
	limited := map[string]bool{}
	for _, l := range rule.GetLimits() {
		limited[l.GetAsset()] = true
	}
	var gone []expense
	usages.Ascend(v, address[:], func(e expense, _ *accountv1.Usage) bool {
		if !limited[e.asset] {
			gone = append(gone, e)
		}
		return true
	})
	for _, e := range gone {
		usages.Delete(v, e)
	}
}

var most = func() (n uint256.Int) {
	n.SetAllOne()
	n.Rsh(&n, 128)
	return n
}()

// sum adds amounts; beyond what an amount can be it stays at the largest, which is over every limit but that itself.
func sum(a, b uint256.Int) uint256.Int {
	a.Add(&a, &b)
	if a.Gt(&most) {
		return most
	}
	return a
}

// over says whether an amount is more than a limit, if there is one.
func over(amount uint256.Int, limit string) bool {
	if limit == "" {
		return false
	}
	l := stored(limit)
	return amount.Gt(&l)
}

// stored reads an amount the ledger wrote.
func stored(s string) uint256.Int {
	amount, err := tx.ParseAmount(s)
	if err != nil {
		panic(fmt.Sprintf("account: stored amount: %v", err))
	}
	return amount
}
