// Package all is the one table of the ledger's modules, and where they are wired to each other.
//
// Modules never import each other. What one needs of another it declares as an interface, and New gives it.
// The order of the table is the order of genesis: accounts before members, both before what they own.
package all

import (
	"fmt"

	"github.com/holiman/uint256"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/account"
	"github.com/dureledger/dure/modules/asset"
	"github.com/dureledger/dure/modules/device"
	"github.com/dureledger/dure/modules/identity"
	"github.com/dureledger/dure/modules/network"
	"github.com/dureledger/dure/modules/record"
	"github.com/dureledger/dure/modules/stream"
)

// New wires the modules into what exec.New runs. Modules hold no state, so one set serves any number of ledgers.
func New() exec.Rules { return NewUpTo(network.AppVersion) }

// NewUpTo is New of a binary that knows another newest app version: for tests of an upgrade.
func NewUpTo(appVersion uint64) exec.Rules {
	accounts := account.New(members{}, devices{}, classes{})
	identities := identityOf(accounts)
	net := network.New(accounts, identities, appVersion)
	assets := asset.New(accounts, reserves{}, accounts)
	return exec.Rules{
		Modules: []exec.Module{
			accounts,
			net,
			assets,
			record.New(accounts),
			device.New(accounts, members{}),
			stream.New(accounts, Devices{}, assets),
			identities,
		},
		Accounts:   accounts,
		Network:    net,
		AppVersion: appVersion,
	}
}

// Identity is the module that says which rights and facts hold.
func Identity() *identity.Module { return identityOf(account.New(members{}, devices{}, classes{})) }

func identityOf(accounts *account.Module) *identity.Module { return identity.New(accounts, members{}) }

// All is the table of modules.
func All() []exec.Module { return New().Modules }

// CheckAll verifies the invariants of every module over a whole state: for tests and audits, as it reads everything.
func CheckAll(r state.Reader) error {
	for _, m := range All() {
		if err := m.Check(r); err != nil {
			return fmt.Errorf("invariant of %s: %w", m.Name(), err)
		}
	}
	return nil
}

// members lets modules/account ask modules/network, which itself needs modules/account.
type members struct{}

func (members) IsMember(g state.Getter, a tx.Address) bool { return network.IsMember(g, a) }

// devices lets modules/account tell and ask modules/device, which itself needs modules/account.
type devices struct{}

func (devices) KeyChanged(v *state.View, account, key tx.Address) {
	device.KeyChanged(v, account, key)
}

func (devices) IsDevice(g state.Getter, a tx.Address) bool {
	_, ok := device.Get(g, a)
	return ok
}

// classes lets modules/account ask modules/asset, which itself needs modules/account.
type classes struct{}

func (classes) Exists(g state.Getter, id string) bool {
	_, ok := asset.Get(g, id)
	return ok
}

// reserves lists for modules/asset what others have reserved: modules/stream, which itself needs modules/asset.
type reserves struct{}

func (reserves) AscendReserves(r state.Reader, fn func(asset string, amount uint256.Int) bool) {
	stream.AscendFunds(r, func(_, asset string, amount uint256.Int) bool { return fn(asset, amount) })
}

// Devices is what modules/stream and those who ask stream.Value need of modules/device.
type Devices struct{}

// Get returns a device and whether the account is one.
func (Devices) Get(g state.Getter, a tx.Address) (*devicev1.Device, bool) { return device.Get(g, a) }

// Doubted says why nothing may be relied on that a device said of one time and the ledger had at another; empty if nothing speaks against it.
func (Devices) Doubted(d *devicev1.Device, taken, anchored int64) string {
	return device.Doubted(d, taken, anchored).GetReason()
}
