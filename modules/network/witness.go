package network

import (
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits of witnesses; all of them fit a transaction of the least max_tx_bytes.
const (
	MaxWitnesses   = 64
	MaxWitnessName = 64 // bytes

	maxWitness = MaxWitnessName + len("+") + 2*4 + len("+") + 44 // bytes of name+keyid+key
)

// checkWitnesses refuses witnesses that nobody could tell apart or count on, and a least number that cannot be met.
func checkWitnesses(p *networkv1.Parameters) error {
	list := p.GetWitnesses()
	if len(list) > MaxWitnesses {
		return badWitness(fmt.Sprintf("There may be at most %d witnesses.", MaxWitnesses), "witnesses", len(list))
	}
	var known []proof.Witness
	for _, text := range list {
		if len(text) > maxWitness {
			return badWitness(fmt.Sprintf("A witness's key has at most %d bytes, its name at most %d.", maxWitness, MaxWitnessName), "witnesses", len(text))
		}
		w, err := proof.ParseWitness(text)
		if err != nil {
			return badWitness(fmt.Sprintf("%q is not a witness's key, which reads name+keyid+key.", text), "witnesses", text)
		}
		if tx.CheckKey(tx.Key{Kind: accountv1.KeyKind_KEY_KIND_ED25519, Public: w.Key}) != nil {
			return badWitness("The key of the witness "+w.Name+" is not a usable Ed25519 key.", "witnesses", text)
		}
		for _, other := range known {
			if other.Name == w.Name || other.Key.Equal(w.Key) {
				return badWitness("The witnesses "+other.Name+" and "+w.Name+" have the same name or key. Each counts once.", "witnesses", text)
			}
		}
		known = append(known, w)
	}
	if int64(p.GetLeastWitnesses()) > int64(len(list)) {
		return badWitness(fmt.Sprintf("least_witnesses must be 0 to the number of witnesses, %d, not %d.", len(list), p.GetLeastWitnesses()), "least_witnesses", p.GetLeastWitnesses())
	}
	return nil
}

func badWitness(message, parameter string, value any) *fault.Error {
	return fault.New("network.bad_parameter", message, "parameter", parameter, "value", value)
}

// Witnesses are those that the network knows, and how many of them a checkpoint should carry cosignatures of.
func Witnesses(g state.Getter) (list []proof.Witness, least int) {
	p := Parameters(g)
	for _, text := range p.GetWitnesses() {
		if w, err := proof.ParseWitness(text); err == nil { // what is stored has been checked
			list = append(list, w)
		}
	}
	return list, int(p.GetLeastWitnesses())
}
