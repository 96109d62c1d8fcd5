package exec

import (
	"fmt"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
)

// Upgrader is a module whose stored form changes with the app version.
type Upgrader interface {
	Module
	// Upgrade rewrites what the module stores from version to-1 to version to. It runs once, in the block in which the
	// members' vote raises the app version, after the block's transactions, and must depend on the state alone: every
	// member runs it in the same block. The next block runs by the new version.
	Upgrade(v *state.View, to uint64)
}

// Screener is a module with calls that the ledger allows and that this binary should not be the one to bring about.
type Screener interface {
	Module
	// Screen refuses such a call before it is ordered. What it lets through promises nothing.
	Screen(g state.Getter, call any) *fault.Error
}

// upgrade follows a rise of the app version in this block. It refuses, and the block must not be adopted, when this
// binary does not know the version: the block's result is then for a newer binary to compute.
func (r *run) upgrade() *fault.Error {
	from, to := r.parameters.GetAppVersion(), r.ledger.rules.Network.Parameters(r.view).GetAppVersion()
	if refusal := r.ledger.rules.knows(to); refusal != nil {
		return refusal
	}
	for version := from + 1; version <= to; version++ {
		for _, m := range r.ledger.rules.Modules {
			u, ok := m.(Upgrader)
			if !ok {
				continue
			}
			if refusal := r.upgradeModule(u, version); refusal != nil {
				return refusal
			}
		}
	}
	return nil
}

func (r *run) upgradeModule(u Upgrader, to uint64) (refusal *fault.Error) {
	defer func() {
		if p := recover(); p != nil {
			refusal = fault.New("internal", fmt.Sprintf("module %s broke off while it upgraded the state to app version %d (%v); nothing of the block "+
				"is kept: report it, install a repaired binary, and start the node again", u.Name(), to, p), "module", u.Name(), "app_version", to)
		}
	}()
	u.Upgrade(r.view, to)
	r.view.Settle()
	return nil
}

// knows refuses an app version that is newer than the rules.
func (rules Rules) knows(version uint64) *fault.Error {
	if rules.AppVersion == 0 || version <= rules.AppVersion {
		return nil
	}
	return fault.New("network.unknown_version", fmt.Sprintf("the members have voted for app version %d and this binary knows versions up to %d; "+
		"upgrade the binary and start the node again: it goes on where it stopped", version, rules.AppVersion),
		"app_version", version, "newest", rules.AppVersion)
}
