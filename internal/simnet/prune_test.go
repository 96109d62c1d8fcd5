package simnet_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/dureledger/dure/client/light"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/simnet"
)

// A member that keeps only the newest blocks still proves the first outcome, across a change of validators, and starts again.
// Headers stay as long as evidence of misbehaviour may refer to them; only the blocks themselves go at once.
func TestOldBlocksGoReceiptsStay(t *testing.T) {
	net := simnet.StartWith(t, 1, map[string]string{"blocks.keep": "10", "snapshot.interval": "0"})
	c := net.Client()
	first := pay(t, c, 0, 1, "1")
	zero := simnet.Address(simnet.Signer(0))
	admit(t, net, 1, &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: zero[:], Power: 11}}})
	for range 12 {
		pay(t, c, 0, 1, "1")
	}
	net.Eventually(func() bool {
		pay(t, c, 0, 1, "1")
		return oldestBlock(t, net) > 5
	}, "block 5 is still there")
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	prove := func() {
		t.Helper()
		if _, v, err := c.Prove(t.Context(), first.GetId(), anchor); err != nil || v.Changes != 1 {
			t.Errorf("the first receipt: %+v, %v", v, err)
		}
	}
	prove()
	net.StopNode(0)
	net.StartNode(0)
	pay(t, c, 0, 1, "1")
	prove()
}

// oldestBlock is the height of the oldest block that member 0 has in full.
func oldestBlock(t *testing.T, net *simnet.Network) int64 {
	t.Helper()
	response, err := http.Get(net.URL(0) + "/cometbft/status")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var status struct {
		Result struct {
			SyncInfo struct {
				Earliest int64 `json:"earliest_block_height,string"`
			} `json:"sync_info"`
		} `json:"result"`
	}
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		t.Fatal(err)
	}
	return status.Result.SyncInfo.Earliest
}
