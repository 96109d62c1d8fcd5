package torture

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

const (
	// patience is how long a client goes on with one operation.
	patience = 12 * time.Second
	// validity of the clients' transactions: what is undecided is decided soon.
	validity = 15 * time.Second
	// clientsPerGroup contend for a group's money; the last asks one member only.
	clientsPerGroup = 3
	// lot is how many bulk transfers go in one request.
	lot = 40
)

// workload is the clients of one round.
type workload struct {
	net     *Network
	cast    []Holder
	network string
	history *history
	seed    uint64 // of the round
	round   int

	stop context.CancelFunc
	done sync.WaitGroup
}

// start sets the clients going. rate is how many bulk transfers a second are offered.
func (w *workload) start(ctx context.Context, rate int) {
	ctx, w.stop = context.WithCancel(ctx)
	id := 0
	for g := range groups {
		for k := range clientsPerGroup {
			p := &player{workload: w, id: id, group: g, member: -1, chance: rand.New(rand.NewPCG(w.seed, uint64(id+1)))}
			members := p.chance.Perm(w.net.Size())
			if k == clientsPerGroup-1 {
				members = members[:1]
				p.member = members[0]
			}
			p.client = w.net.Client(members...)
			p.other = w.net.Client(p.chance.Perm(w.net.Size())...)
			id++
			w.done.Go(func() { p.play(ctx) })
		}
	}
	for i := range w.net.Size() {
		p := &player{workload: w, id: id, member: i, chance: rand.New(rand.NewPCG(w.seed, uint64(id+1)))}
		p.client = w.net.client(time.Millisecond, i)
		id++
		w.done.Go(func() { p.look(ctx) })
	}
	p := &player{workload: w, id: id, member: -1, chance: rand.New(rand.NewPCG(w.seed, uint64(id+1)))}
	p.client = w.net.Client(p.chance.Perm(w.net.Size())...)
	w.done.Go(func() { p.pour(ctx, rate) })
}

// end lets every client finish what it does.
func (w *workload) end() {
	w.stop()
	w.done.Wait()
}

// player is one client.
type player struct {
	*workload
	id, group, member int
	chance            *rand.Rand
	client, other     *client.Client
	claims            int
}

// play does one operation after the other until ctx ends.
func (p *player) play(ctx context.Context) {
	for p.pause(ctx, time.Duration(5+p.chance.IntN(40))*time.Millisecond) {
		switch n := p.chance.IntN(10); {
		case n < 5:
			p.transfer()
		case n < 8:
			p.read()
		default:
			p.claim()
		}
	}
}

func (p *player) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// transfer moves money within the group, often more than there is.
func (p *player) transfer() {
	to := 1 + p.chance.IntN(groupSize-1)
	from := p.chance.IntN(groupSize)
	c := &call{Op: opTransfer, From: inGroup(p.group, from), To: inGroup(p.group, (from+to)%groupSize), Amount: uint64(1 + p.chance.IntN(700))}
	p.submit(c, nil)
	p.history.add(c)
}

// claim uses a once key that the group's other clients use at about the same time. All pay from the group's till, whose
// key it is.
func (p *player) claim() {
	p.claims++
	key := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%d/%d", p.seed, p.round, p.group, p.claims))
	c := &call{Op: opClaim, From: till(p.group), To: till(groups + p.id%(tills-groups)), Amount: 1, Key: fmt.Sprintf("%x", key[:8])}
	p.submit(c, &key)
	p.history.add(c)
}

// read is a linearizable read: a marker transaction is ordered after the read began, so the state after its block is
// one of a moment within the read. The balances of that height may come from any member.
func (p *player) read() {
	marker := &call{Op: opBulk, From: till(p.id % tills), To: till((p.id + 1) % tills), Amount: 1}
	p.submit(marker, nil)
	p.history.add(marker)
	if marker.Verdict != isOK {
		return
	}
	c := &call{Op: opRead, Client: p.id, Group: p.group, Member: -1, Invoked: marker.Invoked, Height: marker.Height, Verdict: isUndecided}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range groupSize {
		amount, ok := p.balanceAt(ctx, inGroup(p.group, i), marker.Height)
		if !ok {
			break
		}
		c.Balances = append(c.Balances, amount)
	}
	c.Returned = p.history.now()
	if len(c.Balances) == groupSize {
		c.Verdict = isOK
	}
	p.history.add(c)
}

// balanceAt asks until a member has the height.
func (p *player) balanceAt(ctx context.Context, account int, height int64) (amount uint64, ok bool) {
	for {
		b, _, err := p.other.Balance(ctx, Asset, p.cast[account].Address(), height)
		if err == nil {
			_, err = fmt.Sscan(b.GetAmount(), &amount)
			return amount, err == nil
		}
		if !p.pause(ctx, 20*time.Millisecond) {
			return 0, false
		}
	}
}

// submit signs and submits a transfer and writes down what became of it.
func (p *player) submit(c *call, once *[32]byte) {
	c.Client, c.Group, c.Member = p.id, p.group, p.member
	s, err := p.sign(c, once)
	if err != nil {
		panic(err) // a mistake of this package
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c.Invoked = p.history.now()
	outcome, err := p.client.Submit(ctx, s)
	c.Returned = p.history.now()
	c.judge(outcome, err)
}

func (p *player) sign(c *call, once *[32]byte) (*client.Signed, error) {
	from := p.cast[c.From]
	draft := client.NewTransaction(p.network).Valid(validity).Salt(p.chance.Uint64()).
		Transfer(from.Address(), p.cast[c.To].Address(), Asset, fmt.Sprint(c.Amount))
	if once != nil {
		draft.Once(*once)
	}
	s, err := draft.Sign(time.Now(), from.Signer)
	if err != nil {
		return nil, err
	}
	c.ID, c.raw, c.notAfter = s.ID, s.Raw, s.NotAfter
	return s, nil
}

// judge writes down what the client was told.
func (c *call) judge(o *apiv1.Outcome, err error) {
	var refusal *client.Refusal
	var lost *client.Undecided
	var never *client.Unreachable
	switch {
	case errors.As(err, &lost):
		c.Verdict = isUndecided
	case errors.As(err, &refusal):
		c.Verdict, c.Code, c.Winner = isRefused, refusal.Code, refusal.Fields["tx"]
	case errors.As(err, &never): // nothing was sent
		c.Verdict, c.Code = isRefused, "unreachable"
	case err != nil:
		c.Verdict = isUndecided
	case o.GetStatus() == client.StatusVoid:
		c.Verdict, c.Code, c.Winner = isRefused, o.GetCode(), o.GetFields()["tx"]
	default:
		c.Verdict, c.Code, c.Height, c.Seq = o.GetStatus(), o.GetCode(), o.GetHeight(), o.GetSeq()
	}
	if err != nil {
		c.Detail = err.Error()
	}
}

// look reads balances from one member, as it has them.
func (p *player) look(ctx context.Context) {
	for p.pause(ctx, time.Duration(30+p.chance.IntN(60))*time.Millisecond) {
		c := &call{Op: opGlance, Client: p.id, Member: p.member, Account: p.chance.IntN(groups * groupSize), Invoked: p.history.now(), Verdict: isOK}
		one, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		b, height, err := p.client.Balance(one, Asset, p.cast[c.Account].Address(), 0)
		cancel()
		var amount uint64
		if err != nil {
			continue // dead or cut off: nothing was shown
		}
		if _, err := fmt.Sscan(b.GetAmount(), &amount); err != nil {
			c.Verdict, c.Detail = isUndecided, err.Error()
		}
		c.Returned, c.Height, c.Balances = p.history.now(), height, []uint64{amount}
		p.history.add(c)
	}
}

// pour submits lots of transfers between tills, rate a second as far as the network takes them.
func (p *player) pour(ctx context.Context, rate int) {
	every := time.Second * lot / time.Duration(max(rate, 1))
	for next := time.Now(); ; next = next.Add(every) {
		if now := time.Now(); next.Before(now) {
			next = now
		}
		if !p.pause(ctx, time.Until(next)) {
			return
		}
		calls, signed := make([]*call, lot), make([]*client.Signed, lot)
		for i := range calls {
			from := p.chance.IntN(tills)
			calls[i] = &call{Op: opBulk, Client: p.id, Member: -1, From: till(from), To: till((from + 1 + p.chance.IntN(tills-1)) % tills), Amount: uint64(1 + p.chance.IntN(9))}
			s, err := p.sign(calls[i], nil)
			if err != nil {
				panic(err) // a mistake of this package
			}
			signed[i] = s
		}
		began := p.history.now()
		one, cancel := context.WithTimeout(context.Background(), patience)
		results := p.client.SubmitMany(one, signed)
		cancel()
		for i, r := range results {
			calls[i].Invoked, calls[i].Returned = began, p.history.now()
			calls[i].judge(r.Outcome, r.Err)
		}
		p.history.add(calls...)
	}
}
