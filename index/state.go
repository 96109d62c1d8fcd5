package index

import (
	"math"

	"github.com/holiman/uint256"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/account"
	"github.com/dureledger/dure/modules/asset"
	"github.com/dureledger/dure/modules/device"
	"github.com/dureledger/dure/modules/network"
	"github.com/dureledger/dure/modules/record"
)

// What the state itself answers is read through these, so that those who show it need not know the modules.

// ReadAccount is an account as the state has it, and whether it exists.
func ReadAccount(r state.Reader, address tx.Address) (*accountv1.Account, bool) {
	return account.Get(r, address)
}

// ReadAsset is an asset class as the state has it, and whether it exists.
func ReadAsset(r state.Reader, id string) (*assetv1.Class, bool) { return asset.Get(r, id) }

// Frozen says whether an account is frozen at a time in unix milliseconds.
func Frozen(a *accountv1.Account, now int64) bool { return account.Frozen(a, now) }

// Ground is the name of a ground for freezing, such as court_order.
func Ground(b accountv1.Basis) string { return account.Ground(b) }

// ReadFreezes are the last freezes and renewals of an account, at most 8, the newest last.
func ReadFreezes(r state.Reader, address tx.Address) []*accountv1.FreezeState {
	return account.FreezesOf(r, address)
}

// ReadRecovery is an account's recovery at a time in unix milliseconds.
func ReadRecovery(r state.Reader, address tx.Address, now int64) *accountv1.Recovery {
	return account.RecoveryOf(r, address, now)
}

// ReadBalance is what an account may spend of an asset, and what it has set aside in holds, in smallest units.
func ReadBalance(r state.Reader, holder tx.Address, id string) (available, held uint256.Int) {
	return asset.Balance(r, id, holder)
}

// ReadHold is an open hold as the state has it, and whether there is one.
func ReadHold(r state.Reader, id [16]byte) (*assetv1.HoldState, bool) { return asset.Hold(r, id) }

// ReadRecord is the record of a digest by a recorder as the state has it, and whether there is one.
func ReadRecord(r state.Reader, k RecordKey) (*recordv1.Record, bool) {
	return record.Get(r, k.Digest, k.Recorder)
}

// MaxRecorders bounds the records of one digest that are read.
const MaxRecorders = 1000

// ReadRecords calls fn for each record of a digest, in order of recorder, at most MaxRecorders.
func ReadRecords(r state.Reader, digest [32]byte, fn func(RecordKey, *recordv1.Record)) {
	n := 0
	record.Ascend(r, digest, func(recorder tx.Address, rec *recordv1.Record) bool {
		fn(RecordKey{digest, recorder}, rec)
		n++
		return n < MaxRecorders
	})
}

// ReadDevice is a device as the state has it, and whether there is one.
func ReadDevice(r state.Reader, address tx.Address) (*devicev1.Device, bool) {
	return device.Get(r, address)
}

// ReadCommands is what a device was told to do, the oldest first.
func ReadCommands(r state.Reader, address tx.Address) []*devicev1.Command {
	return device.Commands(r, address)
}

// ReadDevices is a page of the devices of a maker's model that are not revoked, in order of serial number. Codes page.bad_token, page.too_large.
func ReadDevices(r state.Reader, maker tx.Address, model string, p Page) ([]tx.Address, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	query := "devices" + string(maker[:]) + model
	after, err := p.after(query)
	if err != nil {
		return nil, "", err
	}
	var out []tx.Address
	last, next := string(after), ""
	device.AscendDevices(r, device.Model{Maker: maker, Name: model}, last, func(serial string, address tx.Address) bool {
		if len(out) == size {
			next = token(query, []byte(last))
			return false
		}
		out, last = append(out, address), serial
		return true
	})
	return out, next, nil
}

// ReadModel is a maker's model, and whether there is one.
func ReadModel(r state.Reader, maker tx.Address, name string) (*devicev1.Model, bool) {
	return device.GetModel(r, device.Model{Maker: maker, Name: name})
}

// ReadFirmware is a firmware of a maker's model, and whether there is one.
func ReadFirmware(r state.Reader, maker tx.Address, model string, number uint64) (*devicev1.Firmware, bool) {
	return device.GetFirmware(r, device.Model{Maker: maker, Name: model}, number)
}

// ReadFirmwares calls fn for each firmware of a maker's model, in order of number, until it returns false.
func ReadFirmwares(r state.Reader, maker tx.Address, model string, fn func(number uint64, f *devicev1.Firmware) bool) {
	device.AscendFirmware(r, device.Model{Maker: maker, Name: model}, fn)
}

// Rely says whether anything speaks against what a device said at a time, in unix milliseconds.
func Rely(r state.Reader, address tx.Address, at int64) device.Reliance {
	return device.Rely(r, address, at)
}

// ReadKnownFaults lists what is known against the firmware that a device has shown last.
func ReadKnownFaults(r state.Reader, address tx.Address) []*devicev1.KnownFault {
	return device.KnownFaults(r, address)
}

// RelyOn is Rely for what a device, nil if there is none, said of one time and the ledger had at another.
func RelyOn(d *devicev1.Device, taken, anchored int64) device.Reliance {
	return device.RelyOn(d, taken, anchored)
}

// ReadMembers lists the members in order of address.
func ReadMembers(r state.Reader) []*networkv1.Member { return network.Members(r) }

// ReadEvidence returns what the ledger holds against validators that signed twice, by the first 20 bytes of the SHA-256 of
// their keys: at most 16 pieces each.
func ReadEvidence(r state.Reader) map[[20]byte]*networkv1.Evidence {
	out := map[[20]byte]*networkv1.Evidence{}
	network.AllEvidence(r, func(v network.Validator, e *networkv1.Evidence) bool {
		out[v] = e
		return true
	})
	return out
}

// ValidatorOf names a validator key as ReadEvidence does.
func ValidatorOf(key []byte) [20]byte { return network.ValidatorOf(key) }

// ReadMember is a member, and whether there is one of this address.
func ReadMember(r state.Reader, address tx.Address) (*networkv1.Member, bool) {
	return network.Member(r, address)
}

// ReadParameters are the network's rules of the moment.
func ReadParameters(r state.Reader) *networkv1.Parameters { return network.Parameters(r) }

// ReadProposals is a page of proposals, newest first, open or not. Their ids have no gaps, so the state alone lists them.
// Codes page.bad_token, page.too_large.
func ReadProposals(r state.Reader, p Page) ([]*networkv1.Proposal, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	below, err := p.afterSeq("proposals", math.MaxInt64)
	if err != nil {
		return nil, "", err
	}
	var out []*networkv1.Proposal
	for id := min(below-1, network.NewestProposal(r)); below > 0 && id > 0; id-- {
		if len(out) == size {
			return out, seqToken("proposals", id+1), nil
		}
		if p, ok := network.Proposal(r, id); ok {
			out = append(out, p)
		}
	}
	return out, "", nil
}

// ProposalState says whether a proposal is "open", "enacted" or "expired" at a time in unix milliseconds.
func ProposalState(p *networkv1.Proposal, now int64) string { return network.StateOf(p, now) }
