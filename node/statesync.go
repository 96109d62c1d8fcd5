package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/consensus"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/proof"
)

// syncTimeout bounds one question to a server of sync.servers.
const syncTimeout = 10 * time.Second

// syncer finds out whether to begin with a snapshot, and what to trust then.
type syncer struct {
	servers []string
	genesis *genesis.Genesis
	pin     *light.Anchor // of sync.checkpoint
	pinned  *proof.Checkpoint
	store   *storage
	http    *http.Client
	log     *slog.Logger
}

// stateSync says how to begin, nil for beginning with the first block: the node has data, no servers are set, or none of
// them has a snapshot.
func (n *Node) stateSync(ctx context.Context, g *genesis.Genesis) (*consensus.Sync, error) {
	if len(n.config.SyncServers) == 0 || n.storage.LastHeight() > 0 {
		return nil, nil //nolint:nilnil // both are answers
	}
	s := &syncer{genesis: g, store: n.storage, http: &http.Client{Timeout: syncTimeout}, log: n.log}
	for _, server := range n.config.SyncServers {
		if !strings.Contains(server, "://") {
			server = "http://" + server
		}
		s.servers = append(s.servers, strings.TrimRight(server, "/"))
	}
	if err := s.readPin(n.config.SyncCheckpoint); err != nil {
		return nil, err
	}
	if !s.anySnapshot(ctx) {
		n.log.Warn("none of sync.servers has a snapshot; beginning with the first block")
		return nil, nil //nolint:nilnil // as above
	}
	return &consensus.Sync{Servers: s.servers, Trust: s.trust}, nil
}

func (s *syncer) readPin(file string) error {
	if file == "" {
		return nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("setting sync.checkpoint: %w", err)
	}
	if s.pin, err = light.FromCheckpoint(raw, proof.Policy{}); err == nil {
		s.pinned, err = proof.DecodeCheckpoint(raw)
	}
	if err == nil && s.pinned.Network != s.genesis.NetworkID {
		err = fmt.Errorf("it is of network %s", s.pinned.Network)
	}
	if err != nil {
		return fmt.Errorf("setting sync.checkpoint: %s: %w", file, err)
	}
	return nil
}

// anySnapshot asks the servers whether they have a snapshot. It is a hint: what peers offer counts.
func (s *syncer) anySnapshot(ctx context.Context) bool {
	for _, server := range s.servers {
		heights, err := s.snapshotsOf(ctx, server)
		if err != nil {
			s.log.Warn("a server of sync.servers does not answer", "server", server, "error", err)
		}
		if len(heights) > 0 {
			return true
		}
	}
	return false
}

func (s *syncer) snapshotsOf(ctx context.Context, server string) ([]int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+snapshotsPath, nil)
	if err != nil {
		return nil, err
	}
	response, err := s.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer snapshotList
	err = json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&answer)
	return answer.Heights, err
}

// trust asks the servers for a checkpoint that reaches to atLeast and verifies it from the genesis file and, if one is
// set, from sync.checkpoint.
func (s *syncer) trust(ctx context.Context, atLeast int64) (*consensus.Trust, error) {
	var failure error
	for _, server := range s.servers {
		t, err := s.trustOf(ctx, server, atLeast)
		if err == nil {
			return t, nil
		}
		s.log.Warn("a server of sync.servers shows no checkpoint that holds", "server", server, "error", err)
		failure = errors.Join(failure, fmt.Errorf("%s: %w", server, err))
	}
	return nil, failure
}

func (s *syncer) trustOf(ctx context.Context, server string, atLeast int64) (*consensus.Trust, error) {
	anchor, err := light.FromGenesis(s.genesis.File)
	if err != nil {
		return nil, err
	}
	file, c, err := s.checkpoint(ctx, server, anchor, 0)
	if err != nil {
		return nil, err
	}
	if c.Height < atLeast {
		return nil, fmt.Errorf("its newest header that can be proven is of block %d, not %d", c.Height, atLeast)
	}
	t := &consensus.Trust{From: 1, Through: c.Height, Changes: c.Evidence.Changes}
	for _, m := range s.genesis.GetNetwork().GetMembers() {
		if m.GetPower() > 0 {
			t.Validators = append(t.Validators, proof.Validator{Key: m.GetValidatorKey(), Power: m.GetPower()})
		}
	}
	if s.pin != nil {
		_, p, err := s.checkpoint(ctx, server, s.pin, s.pinned.Height)
		if err != nil {
			return nil, err
		}
		t = &consensus.Trust{From: s.pinned.Height, Through: p.Height, Changes: p.Evidence.Changes, Validators: s.pinned.Validators}
	}
	return t, s.store.keepTrail(file)
}

func (s *syncer) checkpoint(ctx context.Context, server string, anchor *light.Anchor, trusted int64) ([]byte, *proof.Checkpoint, error) {
	client := apiv1connect.NewLedgerServiceClient(s.http, server)
	answer, err := client.GetCheckpoint(ctx, connect.NewRequest(&apiv1.GetCheckpointRequest{TrustedHeight: trusted}))
	if err != nil {
		return nil, nil, err
	}
	v, err := anchor.VerifyCheckpoint(answer.Msg.GetCheckpoint(), proof.Policy{})
	if err != nil {
		return nil, nil, err
	}
	return answer.Msg.GetCheckpoint(), v.Checkpoint, nil
}

// snapshotsPath is where a node says which snapshots it has.
const snapshotsPath = "/sync/snapshots"

type snapshotList struct {
	Heights []int64 `json:"heights"`
}

// ServeHTTP lists the snapshots.
func (s *snapshots) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	heights, err := s.heights()
	if err != nil {
		http.Error(w, "the snapshots cannot be listed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(snapshotList{heights}) // the caller has gone
}

// forgetUnfinished removes what a node that was beginning with a snapshot had stored when it was killed: consensus had not
// taken it over. It comes before anything is opened.
func (n *Node) forgetUnfinished() error {
	if _, err := os.Stat(store.MetaFile(n.home.data("ledger"), snapshotMeta)); err != nil {
		return nil //nolint:nilerr // it did not begin with one
	}
	begun, err := consensus.Begun(n.home.data("consensus"), n.log)
	if err != nil || begun {
		return err
	}
	n.log.Warn("this node was stopped while it began with a snapshot; it begins anew")
	for _, part := range []string{"ledger", "snapshots", "index.db", "index.db-wal", "index.db-shm"} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(n.home.data(""), part)))
	}
	if err = errors.Join(err, consensus.Forget(n.home.data("consensus"))); err != nil {
		return fmt.Errorf("what is left of a snapshot cannot be removed: %w", err)
	}
	return nil
}
