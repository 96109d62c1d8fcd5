package client

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
)

// maxAnswer bounds what a node may make us read in one message, in bytes.
const maxAnswer = 64 << 20

// node is one node and its services.
type node struct {
	address string
	ledger  apiv1connect.LedgerServiceClient
	account apiv1connect.AccountServiceClient
	asset   apiv1connect.AssetServiceClient
	record  apiv1connect.RecordServiceClient
	device  apiv1connect.DeviceServiceClient
	stream  apiv1connect.StreamServiceClient
	network apiv1connect.NetworkServiceClient
	// identity knows organisations, attributes, status lists and consent.
	identity apiv1connect.IdentityServiceClient
	// pass shows who reads; nil without a Reader.
	pass *pass
	// checked once the node has said that it belongs to the pinned network.
	checked atomic.Bool
}

func newNode(address string, hc *http.Client, p *pass) *node {
	var limit connect.ClientOption = connect.WithReadMaxBytes(maxAnswer)
	if p != nil {
		p.service = apiv1connect.NewAccessServiceClient(hc, address, limit)
		limit = connect.WithClientOptions(limit, connect.WithInterceptors(p))
	}
	// What the ledger answers is mostly digests: packing them costs a busy node more than it saves.
	plain := connect.WithAcceptCompression("gzip", nil, nil)
	return &node{
		address: address, pass: p,
		ledger:  apiv1connect.NewLedgerServiceClient(hc, address, limit, plain),
		account: apiv1connect.NewAccountServiceClient(hc, address, limit),
		asset:   apiv1connect.NewAssetServiceClient(hc, address, limit),
		record:  apiv1connect.NewRecordServiceClient(hc, address, limit),
		device:  apiv1connect.NewDeviceServiceClient(hc, address, limit),
		stream:  apiv1connect.NewStreamServiceClient(hc, address, limit),
		network: apiv1connect.NewNetworkServiceClient(hc, address, limit),

		identity: apiv1connect.NewIdentityServiceClient(hc, address, limit),
	}
}

// Network is the id of the network the client is pinned to. If none was configured, the first node that answers
// decides it, once.
func (c *Client) Network(ctx context.Context) (string, error) {
	if id := c.pinned(); id != "" {
		return id, nil
	}
	if _, err := c.Status(ctx); err != nil {
		return "", err
	}
	return c.pinned(), nil
}

func (c *Client) pinned() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.network
}

// admit makes sure that n belongs to the pinned network, and pins its network if none is.
func (c *Client) admit(ctx context.Context, n *node) error {
	if n.checked.Load() {
		return nil
	}
	res, err := n.ledger.GetStatus(ctx, connect.NewRequest(&apiv1.GetStatusRequest{}))
	if err != nil {
		return err
	}
	got := res.Msg.GetNetwork()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.network == "" {
		c.network = got
	}
	if got != c.network {
		return &WrongNetwork{Node: n.address, Want: c.network, Got: got}
	}
	n.checked.Store(true)
	return nil
}

// order lists the nodes from the preferred one on.
func (c *Client) order() []*node {
	c.mu.Lock()
	first := c.preferred
	c.mu.Unlock()
	out := make([]*node, 0, len(c.nodes))
	for i := range c.nodes {
		out = append(out, c.nodes[(first+i)%len(c.nodes)])
	}
	return out
}

// prefer makes n the first to be asked from now on.
func (c *Client) prefer(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.nodes {
		if c.nodes[i] == n {
			c.preferred = i
		}
	}
}

// passOver makes the node after n preferred, if n is.
func (c *Client) passOver(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes[c.preferred] == n {
		c.preferred = (c.preferred + 1) % len(c.nodes)
	}
}

// method is one call of a generated service client.
type method[Req, Res any] func(context.Context, *connect.Request[Req]) (*connect.Response[Res], error)

// trace says how a call went.
type trace struct {
	// node that gave the answer.
	node *node
	// sent: an attempt on another node, or an earlier one, may have arrived before it was lost.
	sent bool
}

// call asks the nodes in turn until one answers, going round with growing pauses until the client's patience ends.
// It returns the node's refusal as *Refusal, or *Unreachable when no node answered.
func call[Req, Res any](ctx context.Context, c *Client, timeout time.Duration, req *Req, of func(*node) method[Req, Res]) (*Res, trace, error) {
	deadline := c.cfg.Clock.Now().Add(c.cfg.Patience)
	lost := &Unreachable{}
	for round := 0; ; round++ {
		lost.lastRound = nil
		for _, n := range c.order() {
			res, err := callOne(ctx, c, n, timeout, req, of)
			if err == nil {
				c.prefer(n)
				return res, trace{n, lost.Sent}, nil
			}
			if nobody := (*NoReader)(nil); errors.As(err, &nobody) {
				return nil, trace{n, lost.Sent}, nobody
			}
			if refusal := (*Refusal)(nil); errors.As(err, &refusal) && !refusal.Retryable {
				return nil, trace{n, lost.Sent}, refusal
			}
			lost.add(n.address, err)
			if ctx.Err() != nil {
				return nil, trace{sent: lost.Sent}, lost.because(ctx.Err())
			}
			c.passOver(n)
		}
		if !c.cfg.Clock.Now().Before(deadline) || lost.hopeless() {
			return nil, trace{sent: lost.Sent}, lost
		}
		if err := c.cfg.Clock.Sleep(ctx, max(backoff(round), lost.retryAfter())); err != nil {
			return nil, trace{sent: lost.Sent}, lost.because(err)
		}
	}
}

// callOne asks one node once. What the node refused comes back as *Refusal, anything else as it is.
func callOne[Req, Res any](ctx context.Context, c *Client, n *node, timeout time.Duration, req *Req, of func(*node) method[Req, Res]) (*Res, error) {
	res, err := attempt(ctx, c, n, timeout, req, of)
	if !errors.Is(err, errWho) {
		return res, err
	}
	if err := n.pass.reading.find(ctx); err != nil { // a person may be asked, who takes longer than a read
		return nil, err
	}
	return attempt(ctx, c, n, timeout, req, of)
}

func attempt[Req, Res any](ctx context.Context, c *Client, n *node, timeout time.Duration, req *Req, of func(*node) method[Req, Res]) (*Res, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := c.admit(ctx, n); err != nil {
		return nil, unsent(readError(err))
	}
	res, err := of(n)(ctx, connect.NewRequest(req))
	if err != nil {
		return nil, readError(err)
	}
	return res.Msg, nil
}
