package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/neighbour"
	"github.com/dureledger/dure/gateway/anchor"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/tx"
)

// Config says for whom a gateway works.
type Config struct {
	Client *client.Client
	// Account anchors, with the key of Signer.
	Account tx.Address
	Signer  tx.Signer
	// Queue bounds the readings without an answer, 0 means 16,384; Devices how many devices are remembered, 0 means 65,536.
	Queue, Devices int
	// Registry takes the metrics.
	Registry prometheus.Registerer
	Log      *slog.Logger
}

// Gateway is safe for concurrent use. Make it with New, and let Run run.
type Gateway struct {
	cfg     Config
	network string
	maxTx   int
	roster  *roster
	builder *anchor.Builder
	metrics *metrics
	slots   chan struct{} // full: as many transactions of devices are under way as may be
	work    sync.WaitGroup

	mu    sync.Mutex
	doors []Door
}

const (
	// maxSubmitting bounds the transactions of devices that are under way at a time, submitTime one of them.
	maxSubmitting = 512
	submitTime    = 90 * time.Second
	// bodyRoom is what a transaction has besides readings and keys: network, salt, time, the gateway's witness; bytes.
	bodyRoom = 1024
)

// New makes a gateway on the network of its client, which must answer.
func New(ctx context.Context, cfg Config) (*Gateway, error) {
	info, err := cfg.Client.NetworkInfo(ctx)
	if err != nil {
		return nil, err
	}
	maxTx := int(info.GetParameters().GetFields()["max_tx_bytes"].GetNumberValue())
	if maxTx < 4*bodyRoom {
		return nil, fmt.Errorf("gateway: the node says that a transaction has at most %d bytes", maxTx)
	}
	if cfg.Devices <= 0 {
		cfg.Devices = 65_536
	}
	g := &Gateway{
		cfg: cfg, network: info.GetNetwork(), maxTx: maxTx, slots: make(chan struct{}, maxSubmitting),
		roster: &roster{client: cfg.Client, most: cfg.Devices, devices: map[tx.Address]standing{}},
	}
	ledger := &anchor.Account{Client: cfg.Client, Network: g.network, Address: cfg.Account, Signer: cfg.Signer}
	g.metrics = newMetrics()
	g.builder = anchor.New(anchor.Config{
		Network: g.network, Ledger: ledger, MaxBytes: maxTx - bodyRoom, Queue: cfg.Queue, Sealed: g.metrics.sealed, Log: cfg.Log,
	})
	if cfg.Registry != nil {
		if err := g.metrics.register(cfg.Registry, g.builder.Waiting); err != nil {
			return nil, fmt.Errorf("gateway: %w", err)
		}
	}
	return g, nil
}

// Network is the id of the network that the gateway works for.
func (g *Gateway) Network() string { return g.network }

// MaxMessage is how long a message of a device may be, bytes.
func (g *Gateway) MaxMessage() int { return g.maxTx }

// Open lets a door know what the ledger says of devices.
func (g *Gateway) Open(d Door) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.doors = append(g.doors, d)
}

func (g *Gateway) each(tell func(Door)) {
	g.mu.Lock()
	doors := g.doors
	g.mu.Unlock()
	for _, d := range doors {
		tell(d)
	}
}

// Run works until ctx ends; then it waits until everything that was taken has an answer.
func (g *Gateway) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { g.watch(ctx) })
	wg.Go(func() { g.builder.Run(ctx) })
	wg.Wait()
	g.work.Wait()
}

// Admit says whether a key may speak for a device now. KindOf the error says what it means.
func (g *Gateway) Admit(ctx context.Context, device tx.Address, key tx.Key) error {
	return g.roster.check(ctx, device, key)
}

// Nonce is what the ledger asks a device to answer, 64 hex digits, "" if nobody asks.
func (g *Gateway) Nonce(ctx context.Context, device tx.Address) (string, error) {
	d, err := g.cfg.Client.Device(ctx, device)
	return d.GetNonce(), err
}

// Receipt is the receipt file of a transaction, for who trusts the header of a height, 0 for genesis. It is as the node gives it, and not verified here.
func (g *Gateway) Receipt(ctx context.Context, transaction string, trusted int64) ([]byte, error) {
	return neighbour.Node{Client: g.cfg.Client}.Receipt(ctx, transaction, trusted)
}

// Checkpoint is a checkpoint with the proof that it goes on from what whoever asks knows, not verified here either.
func (g *Gateway) Checkpoint(ctx context.Context, w neighbour.Want) (*proof.Extension, error) {
	return neighbour.Node{Client: g.cfg.Client}.Checkpoint(ctx, w)
}

// Reading takes a reading of a device that was admitted with the key. done is called once, perhaps before Reading returns, and must not
// wait. It looks the device up again when that was long ago; an answer with a code for which Ends is true ends the device's connection.
func (g *Gateway) Reading(ctx context.Context, device tx.Address, key tx.Key, raw []byte, done func(Answer)) {
	done = g.metrics.timed(done)
	err := g.roster.check(ctx, device, key)
	if err == nil {
		err = g.builder.Put(device, key, raw, func(r anchor.Result) { done(ofResult(r)) })
	}
	if err != nil {
		done(refusing(ofReading, err))
	}
}

// Ends says whether an answer with this code is the last that its sender gets: it may not speak for the device any more.
func Ends(code string) bool {
	return code == "gateway.revoked" || code == "gateway.wrong_key" || code == "gateway.no_device"
}

// Transaction takes a transaction that a device signed, in which nobody else acts. done is called once, and must not wait.
func (g *Gateway) Transaction(device tx.Address, raw []byte, done func(Answer)) {
	done = g.metrics.timed(done)
	signed, err := g.readTransaction(device, raw)
	if err != nil {
		done(refusing(ofTransaction, err))
		return
	}
	select {
	case g.slots <- struct{}{}:
	default:
		done(refusing(ofTransaction, fault.New("gateway.queue_full", "So many transactions are under way that the gateway takes no more. Send it again in some seconds.")))
		return
	}
	g.work.Go(func() {
		defer func() { <-g.slots }()
		ctx, cancel := context.WithTimeout(context.Background(), submitTime)
		defer cancel()
		outcome, err := g.cfg.Client.Submit(ctx, signed)
		if err == nil {
			err = client.Check(outcome)
		}
		a := answerOf(ofTransaction, Taken, "", "")
		if err != nil {
			a = refusing(ofTransaction, err)
		}
		a.Transaction = signed.ID
		done(a)
	})
}

func (g *Gateway) readTransaction(device tx.Address, raw []byte) (*client.Signed, error) {
	t, err := tx.Decode(g.network, raw, g.maxTx)
	if err != nil {
		return nil, err
	}
	for _, action := range t.Body.GetActions() {
		if tx.Address(action.GetActor()) != device {
			return nil, fault.New("gateway.not_the_device", fmt.Sprintf("An action of the transaction is by 0x%x, not by the device %s. Whoever else acts submits it "+
				"at a node.", action.GetActor(), device))
		}
	}
	return client.ReadSigned(g.network, raw)
}
