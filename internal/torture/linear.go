package torture

import (
	"errors"
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"
)

// checkFor is how long one check may take.
const checkFor = 2 * time.Minute

// purse is the state of a group: what each of its accounts has.
type purse [groupSize]uint64

// linearizable checks the groups' transfers and reads, and the claims of each once key. start are the balances before
// the first call.
func linearizable(calls []*call, start []uint64) error {
	for g := range groups {
		var init purse
		copy(init[:], start[inGroup(g, 0):])
		if err := check(fmt.Sprintf("transfers and reads of group %d", g), purses(init), pick(calls, func(c *call) bool {
			transfer := c.Op == opTransfer && (c.Verdict == isOK || c.Verdict == isFailed)
			return c.Group == g && (transfer || c.Op == opRead && c.Verdict == isOK)
		})); err != nil {
			return err
		}
	}
	return check("claims of once keys", claims(), pick(calls, func(c *call) bool {
		return c.Op == opClaim && (c.Verdict == isOK || c.Code == "tx.once_used")
	}))
}

func pick(calls []*call, of func(*call) bool) []porcupine.Operation {
	var out []porcupine.Operation
	for _, c := range calls {
		if of(c) {
			out = append(out, porcupine.Operation{ClientId: c.Client, Input: c, Call: c.Invoked, Output: c, Return: c.Returned})
		}
	}
	return out
}

func check(what string, m porcupine.Model, ops []porcupine.Operation) error {
	switch porcupine.CheckOperationsTimeout(m, ops, checkFor) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("whether %s are linearizable could not be found out in %v", what, checkFor)
	}
	return errors.New("NOT LINEARIZABLE: " + what)
}

// purses is a group's accounts: a transfer happens if there is enough, and else has failed; a read sees all at once.
func purses(init purse) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return init },
		Step: func(state, input, _ any) (bool, any) {
			p, c := state.(purse), input.(*call)
			if c.Op == opRead {
				return purse(c.Balances) == p, p
			}
			from, to := c.From-inGroup(c.Group, 0), c.To-inGroup(c.Group, 0)
			enough := p[from] >= c.Amount
			if c.Verdict != isOK || !enough {
				return !enough && c.Verdict == isFailed, p
			}
			p[from] -= c.Amount
			p[to] += c.Amount
			return true, p
		},
	}
}

// claims is a register for each key that is written once: the winner's id, which every loser is told.
func claims() porcupine.Model {
	return porcupine.Model{
		Partition: func(ops []porcupine.Operation) [][]porcupine.Operation {
			byKey := map[string][]porcupine.Operation{}
			for _, op := range ops {
				key := op.Input.(*call).Key
				byKey[key] = append(byKey[key], op)
			}
			out := make([][]porcupine.Operation, 0, len(byKey))
			for _, ops := range byKey {
				out = append(out, ops)
			}
			return out
		},
		Init: func() any { return "" },
		Step: func(state, input, _ any) (bool, any) {
			winner, c := state.(string), input.(*call)
			if c.Verdict == isOK {
				return winner == "", c.ID
			}
			return winner != "" && c.Winner == winner, winner
		},
	}
}
