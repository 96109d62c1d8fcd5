package simnet_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

// signer is a signer's process: started and killed.
type signer struct {
	t       *testing.T
	home    node.SignerHome
	network string
	node    string
	cancel  context.CancelFunc
	ended   chan error
}

func (s *signer) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.ended = cancel, make(chan error, 1)
	go func() { s.ended <- s.home.Run(ctx, s.network, s.node, slog.New(slog.NewTextHandler(io.Discard, nil))) }()
}

func (s *signer) stop() {
	s.t.Helper()
	s.cancel()
	if err := <-s.ended; err != nil {
		s.t.Error(err)
	}
}

// One member's validator key lives in a signer. When the signer dies its member stops voting and says so, follows the
// others and takes payments; when the signer is back it votes again. Another signer is not let in.
func TestSignerApart(t *testing.T) {
	for _, kind := range []accountv1.KeyKind{accountv1.KeyKind_KEY_KIND_ED25519, accountv1.KeyKind_KEY_KIND_ML_DSA_65} {
		t.Run(tx.KindName(kind), func(t *testing.T) {
			t.Parallel() // it mostly waits
			signerApart(t, kind)
		})
	}
}

func signerApart(t *testing.T, kind accountv1.KeyKind) {
	const apart = 3
	home := node.SignerHome(filepath.Join(t.TempDir(), "signer"))
	card, err := home.Create(kind)
	if err != nil {
		t.Fatal(err)
	}
	stranger := node.SignerHome(filepath.Join(t.TempDir(), "stranger"))
	if _, err := stranger.Create(accountv1.KeyKind_KEY_KIND_ED25519); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := &signer{t: t, home: home}
	n := simnet.StartSeats(t, 4, func(seats []node.Seat) {
		seats[apart].Validator, seats[apart].ValidatorListen, seats[apart].ValidatorSigner = &node.Validator{Public: card.ValidatorKey}, listen, card.ID
	}, func(file []byte, seats []node.Seat) {
		g, err := genesis.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := node.ReadCard(seats[apart].Home.Card())
		if err != nil {
			t.Fatal(err)
		}
		s.network, s.node = g.NetworkID, node.ID(m)+"@"+listen
		s.start()
	})
	c := n.Client()
	sum := sha256.Sum256(card.ValidatorKey)
	address := fmt.Sprintf("%X", sum[:20])
	votes := func() bool { pay(t, c, 0, 1, "1"); return voted(t, n, address) }
	n.Eventually(votes, "the member with a signer does not vote")

	s.stop()
	n.Eventually(func() bool { return strings.Contains(n.Log(apart), "does not vote until it is back") }, "nothing in the log")
	n.Eventually(func() bool { return !votes() }, "the member votes without its signer")
	for range 3 {
		pay(t, n.Client(apart), 1, 0, "1")
		if voted(t, n, address) {
			t.Error("the member votes without its signer")
		}
	}
	sameRoots(t, n, 0, apart)

	other := &signer{t: t, home: stranger, network: s.network, node: s.node}
	other.start()
	n.Eventually(func() bool { return strings.Contains(n.Log(apart), "validator.signer names "+card.ID) }, "a stranger was not refused")
	other.stop()

	s.start()
	n.Eventually(votes, "the member does not vote again")
	n.StopNode(apart) // and with the signer still there, the node may come back
	n.StartNode(apart)
	n.Eventually(votes, "the member does not vote after its node was started again")
	s.stop()
}

// voted says whether a validator signed the newest block.
func voted(t *testing.T, n *simnet.Network, validator string) bool {
	t.Helper()
	res, err := http.Get(n.URL(0) + "/cometbft/commit")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Result struct {
			SignedHeader struct {
				Commit struct {
					Signatures []struct {
						Flag    int    `json:"block_id_flag"`
						Address string `json:"validator_address"`
					} `json:"signatures"`
				} `json:"commit"`
			} `json:"signed_header"`
		} `json:"result"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	for _, s := range answer.Result.SignedHeader.Commit.Signatures {
		if s.Address == validator && s.Flag == 2 {
			return true
		}
	}
	return false
}
