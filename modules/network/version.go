package network

import (
	"fmt"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
)

// checkRise lets the app version stay or rise by one. It never goes back, as what it brought is in the state. Which
// versions a binary knows must not matter here, or members with different binaries would disagree about the vote.
func checkRise(now, next uint64) error {
	if next == now || next == now+1 {
		return nil
	}
	return fault.New("network.unknown_version", fmt.Sprintf("The app version is %d and can stay or become %d, not %d.", now, now+1, next),
		"app_version", next, "current", now)
}

// checkKnown refuses an app version that this binary does not know.
func (m *Module) checkKnown(version uint64) *fault.Error {
	if version >= 1 && version <= m.appVersion {
		return nil
	}
	return fault.New("network.unknown_version", fmt.Sprintf("App version %d is not one that this binary knows (1 to %d). Upgrade it first.", version, m.appVersion),
		"app_version", version, "newest", m.appVersion)
}

// Screen implements exec.Screener: a member's own node takes neither a proposal nor a vote for an app version that its
// binary does not know, as the vote would stop it. So a version is voted in by members that are ready for it.
func (m *Module) Screen(g state.Getter, call any) *fault.Error {
	var change *networkv1.Change
	switch call := call.(type) {
	case *txv1.Action_NetworkPropose:
		change = call.NetworkPropose.GetChange()
	case *txv1.Action_NetworkVote:
		p, _ := open.Get(g, call.NetworkVote.GetProposal())
		change = p.GetChange()
	}
	set, ok := change.GetKind().(*networkv1.Change_SetParameters)
	if !ok || set.SetParameters.GetAppVersion() <= m.appVersion {
		return nil // the ledger refuses what else is wrong with it
	}
	return m.checkKnown(set.SetParameters.GetAppVersion())
}
