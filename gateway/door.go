package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dureledger/dure/client/neighbour"
	"github.com/dureledger/dure/ledger/tx"
)

// AdmitTime bounds a look at the ledger while a device waits.
const AdmitTime = 10 * time.Second

// DoorConfig is what every door is told when it is opened.
type DoorConfig struct {
	Handler Handler
	// Certificate shows devices which gateway this is. It is asked at each handshake, so that a renewed one may take its place.
	Certificate func() (*tls.Certificate, error)
	// Devices bounds how many are connected at a time; 0 means 20,000.
	Devices int
	// Registry takes the metrics; nil: nobody does.
	Registry prometheus.Registerer
	Log      *slog.Logger
}

// DefaultDevices is how many devices may be connected by a door when nothing is said.
const DefaultDevices = 20_000

// Door is a way in, such as MQTT. The gateway tells it what the ledger says of devices. Its methods return at once.
type Door interface {
	// Changed: whoever is here as the device has to be asked about again, with Admit.
	Changed(device tx.Address)
	// Commanded: a transaction has a command for a device, which may not be here. What is to be handed to it, Commands has.
	Commanded(device tx.Address, transaction string)
	// Challenge tells a device, which may not be here, that it is asked for evidence: a nonce, 64 hex digits.
	Challenge(device tx.Address, nonce string)
}

// Handler is what doors ask and give what devices send: a *Gateway.
type Handler interface {
	// Admit says whether a key may speak for a device now; KindOf the error says what it means.
	Admit(ctx context.Context, device tx.Address, key tx.Key) error
	// Nonce is what the ledger asks a device to answer, 64 hex digits, "" if nobody asks.
	Nonce(ctx context.Context, device tx.Address) (string, error)
	// Commands are the receipts of a device's open commands, but those of transactions that were given; an error when more are to come, as when
	// the wanted transaction is not known yet.
	Commands(ctx context.Context, device tx.Address, wanted string, given func(transaction string) bool) ([]Command, error)
	// Source has receipts and checkpoints, which the gateway does not vouch for.
	neighbour.Source
	// Reading and Transaction take a message. done is called once, from any goroutine, and must not wait.
	Reading(ctx context.Context, device tx.Address, key tx.Key, raw []byte, done func(Answer))
	Transaction(device tx.Address, raw []byte, done func(Answer))
	// MaxMessage is how long a message may be, bytes.
	MaxMessage() int
}
