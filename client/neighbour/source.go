package neighbour

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/coap"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

// Want says which checkpoint is wanted.
type Want struct {
	// Trusted is the height whose header whoever asks trusts, 0 for genesis; Size how many outcomes the history has that it knows.
	Trusted int64
	Size    uint64
	// Witnessed: the newest that as many witnesses have cosigned as the network asks for.
	Witnessed bool
}

// Source is where proofs come from. It need not be trusted. What it does not have is client.ErrNotFound; code proof.before_anchor means that it has
// nothing newer than what is trusted.
type Source interface {
	// Checkpoint is the wanted checkpoint, with a proof from its history of Want.Size, unless that is 0 or the source cannot make one.
	Checkpoint(ctx context.Context, w Want) (*proof.Extension, error)
	// Receipt is the receipt of a transaction, 64 hex digits, for who trusts the header of a height.
	Receipt(ctx context.Context, transaction string, trusted int64) ([]byte, error)
}

// Node is a member's node as a source.
type Node struct{ Client *client.Client }

// Checkpoint implements Source.
func (n Node) Checkpoint(ctx context.Context, w Want) (*proof.Extension, error) {
	file, path, err := n.Client.CheckpointSince(ctx, w.Trusted, w.Size, w.Witnessed)
	if err != nil {
		return nil, plain(err)
	}
	return &proof.Extension{Old: w.Size, Path: path, Checkpoint: file}, nil
}

// Receipt implements Source.
func (n Node) Receipt(ctx context.Context, transaction string, trusted int64) ([]byte, error) {
	file, err := n.Client.Receipt(ctx, transaction, trusted)
	return file, plain(err)
}

// plain gives a node's refusal the code that it has.
func plain(err error) error {
	var refusal *client.Refusal
	if errors.As(err, &refusal) && !refusal.Retryable && !errors.Is(err, client.ErrNotFound) {
		return fault.New(refusal.Code, refusal.Message)
	}
	return err
}

// Peer is a gateway or a neighbour as a source, on a connection to it.
type Peer struct{ Conn *coap.Client }

// Checkpoint implements Source.
func (p Peer) Checkpoint(ctx context.Context, w Want) (*proof.Extension, error) {
	raw, err := p.get(ctx, pathOf(w), maxProof)
	if err != nil {
		return nil, err
	}
	return proof.DecodeExtension(raw)
}

// Receipt implements Source.
func (p Peer) Receipt(ctx context.Context, transaction string, trusted int64) ([]byte, error) {
	return p.get(ctx, receiptPath(transaction, trusted), maxProof)
}

func (p Peer) get(ctx context.Context, path string, most int) ([]byte, error) {
	a, err := p.Conn.Get(ctx, path, most)
	switch {
	case err != nil:
		return nil, err
	case a.OK():
		return a.Body, nil
	case a.Code == codes.NotFound:
		return nil, client.ErrNotFound
	}
	code, words := "neighbour.refused", strings.ToValidUTF8(string(a.Body), "?")
	if found := codeInWords.FindStringSubmatch(words); found != nil {
		code, words = found[2], found[1]
	}
	return nil, fault.New(code, "It was refused: "+words, "code", a.Code)
}

// codeInWords is a refusal for people with its code in brackets.
var codeInWords = regexp.MustCompile(`^(.*) \[([a-z]+\.[a-z_]+)\]$`)

// Dialled is a gateway or a neighbour as a source that is connected to when it is asked, and again when the connection was lost.
type Dialled struct {
	Dial func(context.Context) (*coap.Client, error)

	mu   sync.Mutex
	conn *coap.Client
}

// Checkpoint implements Source.
func (d *Dialled) Checkpoint(ctx context.Context, w Want) (*proof.Extension, error) {
	p, err := d.peer(ctx)
	if err != nil {
		return nil, err
	}
	return p.Checkpoint(ctx, w)
}

// Receipt implements Source.
func (d *Dialled) Receipt(ctx context.Context, transaction string, trusted int64) ([]byte, error) {
	p, err := d.peer(ctx)
	if err != nil {
		return nil, err
	}
	return p.Receipt(ctx, transaction, trusted)
}

// Close ends the connection, if there is one.
func (d *Dialled) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		d.conn.Close()
	}
}

func (d *Dialled) peer(ctx context.Context) (Peer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		select {
		case <-d.conn.Done():
			d.conn = nil
		default:
			return Peer{d.conn}, nil
		}
	}
	conn, err := d.Dial(ctx)
	if err != nil {
		return Peer{}, err
	}
	d.conn = conn
	return Peer{conn}, nil
}
