package consensus

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
)

// A validator that lost its signing state votes for nothing that was under way when it started.
func TestGuardWaitsForALaterBlock(t *testing.T) {
	home := t.TempDir()
	c := Config{Home: home, ValidatorKey: testValidatorKey, Log: slog.New(slog.DiscardHandler)}
	config := cometFolders(home)
	if err := makeFolders(config); err != nil {
		t.Fatal(err)
	}
	a := &app{}
	pv, err := openValidator(config, c, a)
	if err != nil {
		t.Fatal(err)
	}
	guarded, ok := pv.(*guard)
	if !ok {
		t.Fatal("no guard without a signing state")
	}
	sign := func(height int64) error {
		return pv.SignVote("net", &cmtproto.Vote{Type: cmtproto.PrevoteType, Height: height, Timestamp: time.Now()})
	}
	for _, tip := range []*Tip{nil, {Height: 8, Time: time.Now().Add(-time.Hour).UnixMilli()}, {Height: 9, Time: guarded.since.UnixMilli()}} {
		a.tip.Store(tip)
		if err := sign(10); !errors.Is(err, errUnsure) {
			t.Errorf("tip %+v: %v", tip, err)
		}
	}
	a.tip.Store(&Tip{Height: 10, Time: guarded.since.Add(time.Second).UnixMilli()})
	if err := sign(10); !errors.Is(err, errUnsure) {
		t.Errorf("the height of the later block itself: %v", err)
	}
	if err := pv.SignProposal("net", &cmtproto.Proposal{Type: cmtproto.ProposalType, Height: 10}); !errors.Is(err, errUnsure) {
		t.Errorf("a proposal: %v", err)
	}
	if err := sign(11); err != nil {
		t.Errorf("the height after: %v", err)
	}
	pv, err = openValidator(config, c, a)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := pv.(*guard); ok {
		t.Error("guarded although the signing state is there now")
	}
}
