package device

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/client/neighbour"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// Config says which device this is, and through whom it speaks.
type Config struct {
	// Dir is the device's own folder: its count of starts and the readings that are not committed.
	Dir string
	// Network is the id of the network, as dure status shows it.
	Network string
	// Address is the device's account.
	Address tx.Address
	// Key signs readings and the connection, Signer transactions; both are the device's one key, such as package hardware opens.
	Key    crypto.Signer
	Signer tx.Signer
	// Gateway is a gateway's door: mqtts://host:port, coaps://host:port, or host:port, which is MQTT's.
	Gateway string
	// TLS says whom to believe to be the gateway (RootCAs, ServerName), over CoAP as well. The device's certificate is added.
	TLS *tls.Config
	// Measure returns the SHA-256 of the firmware that runs. nil: challenges are not answered.
	Measure func(context.Context) ([32]byte, error)
	// Anchor is what the device trusts of the network: light.FromGenesis or FromCheckpoint. Commands are believed by it alone.
	Anchor *light.Anchor
	// Command does what the maker or owner tells the device to do, and says for people what came of it, at most 256 bytes; an error is a
	// command that was not done. It is called for one command at a time, and never twice for the same. nil: none are taken, but updates.
	Command func(context.Context, Command) (note string, err error)
	// Update takes commands of kind update. nil: Command gets them.
	Update *Update
	// Neighbour has the device hand proofs to its neighbours while it runs; nil: it does not. Listen and Allow are looked at, and Source when the
	// gateway is reached over MQTT; a gateway over CoAP is the source itself. Anchor is needed, and the newest checkpoint is kept in Dir.
	Neighbour *neighbour.Config
	// Buffer is how many readings are kept while there is no network; 0 means 10,000.
	Buffer int
	// Settled is told of each reading that is done with; may be nil. It must not wait.
	Settled func(Settled)
	// Now is the device's clock; nil means time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// Number names a reading of a device.
type Number struct{ Boot, Sequence uint64 }

// Settled is a reading that is done with.
type Settled struct {
	Number
	// Committed: it is on the ledger. Otherwise the ledger will never take it.
	Committed bool
	// Said is what the gateway said of it, such as "late".
	Said string
}

// Device signs, keeps and sends. Report may be called from any goroutine.
type Device struct {
	cfg    Config
	boot   uint64
	buffer *buffer

	mu       sync.Mutex
	sequence uint64

	challenges chan string
	receipts   chan []byte
	diary      *diary
}

// Open counts a start of the device. Only one Device may be open with a folder.
func Open(cfg Config) (*Device, error) {
	if (cfg.Command != nil || cfg.Update != nil) && cfg.Anchor == nil {
		return nil, errors.New("device: commands are checked against an Anchor, and there is none. Make one of the network's genesis file: light.FromGenesis")
	}
	if cfg.Update != nil && cfg.Measure == nil {
		return nil, errors.New("device: a device that takes updates has to say what it runs: Measure")
	}
	if cfg.Neighbour != nil && cfg.Anchor == nil {
		return nil, errors.New("device: what is handed to neighbours is checked against an Anchor, and there is none. Make one of the network's genesis file: light.FromGenesis")
	}
	if _, _, err := parseGateway(cfg.Gateway); err != nil {
		return nil, err
	}
	if cfg.Buffer <= 0 {
		cfg.Buffer = 10_000
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Settled == nil {
		cfg.Settled = func(Settled) {}
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("device: %w", err)
	}
	boot, err := countStart(filepath.Join(cfg.Dir, "starts"))
	if err != nil {
		return nil, err
	}
	buffer, err := openBuffer(cfg.Dir, cfg.Buffer)
	if err != nil {
		return nil, err
	}
	d := &Device{cfg: cfg, boot: boot, buffer: buffer, challenges: make(chan string, 1), receipts: make(chan []byte, maxReceipts)}
	if d.diary, err = openDiary(filepath.Join(cfg.Dir, "commands")); err != nil {
		return nil, errors.Join(err, buffer.close())
	}
	return d, nil
}

// Close gives the folder back. Run must have ended.
func (d *Device) Close() error { return d.buffer.close() }

// Boot is the number of this start.
func (d *Device) Boot() uint64 { return d.boot }

// Waiting is how many readings are not committed yet.
func (d *Device) Waiting() int { return d.buffer.waiting() }

// Report signs a reading and returns when it is on the disk, to be sent by Run. Codes device.buffer_full, reading.malformed.
func (d *Device) Report(feed string, value reading.Decimal, unit string, at time.Time) (Number, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.buffer.room(); err != nil {
		return Number{}, err
	}
	r := &reading.Reading{Boot: d.boot, Sequence: d.sequence + 1, Feed: feed, Unit: unit, Value: value, Time: at.UnixMilli()}
	raw, err := reading.Sign(d.cfg.Network, d.cfg.Address, r, d.cfg.Key)
	if err != nil {
		return Number{}, err
	}
	d.sequence++ // whatever becomes of the disk: what was signed is not signed again
	if err := d.buffer.add(raw); err != nil {
		return Number{}, err
	}
	return Number{d.boot, d.sequence}, nil
}

const (
	// answerTime is how long a gateway may take for an answer: longer than it tries itself.
	answerTime = 2 * time.Minute
	// retryPause is the wait before a reading is sent again that the gateway had no room or no answer for.
	retryPause = time.Second
)

// Run keeps the device connected, sends what is kept, answers challenges and does what it is told, until ctx ends.
func (d *Device) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	var wg sync.WaitGroup
	if d.cfg.Measure != nil {
		wg.Go(func() { d.answer(ctx, l) })
	}
	if d.obeys() {
		wg.Go(func() { d.obey(ctx, l) })
	}
	if d.cfg.Neighbour != nil {
		stop, err := d.neighbour(ctx, l)
		if err != nil {
			cancel()
			wg.Wait()
			return err
		}
		defer stop()
	}
	err = d.send(ctx, l)
	cancel()
	wg.Wait()
	return err
}

// send sends the oldest reading again and again until it is done with, then the next.
func (d *Device) send(ctx context.Context, l line) error {
	for {
		raw, err := d.buffer.oldest()
		if err != nil {
			return err
		}
		if raw == nil {
			select {
			case <-ctx.Done():
				return nil
			case <-d.buffer.added:
				continue
			}
		}
		settled, done := l.publish(ctx, toReading, raw)
		if !done {
			if !pause(ctx, retryPause) {
				return nil
			}
			continue
		}
		if err := d.buffer.drop(); err != nil {
			return err
		}
		if r, err := reading.Parse(raw); err == nil {
			settled.Number = Number{r.Boot, r.Sequence}
		}
		d.cfg.Settled(settled)
	}
}

// pause waits, and says whether ctx goes on.
func pause(ctx context.Context, t time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(t):
		return true
	}
}
