package neighbour

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"golang.org/x/sync/singleflight"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/coap"
	"github.com/dureledger/dure/ledger/fault"
)

const (
	// proofsKept is how many answers are kept, for those who fetch them block by block or ask again while the source is away.
	proofsKept = 256
	// maxProof is the longest receipt or checkpoint that is passed on, bytes.
	maxProof = 1 << 20
	// maxAsking bounds the answers that are fetched at a time.
	maxAsking = 64

	pathCheckpoint = "/checkpoint/"
	pathWitnessed  = "/witnessed/"
	pathReceipt    = "/receipt/"
)

// Proofs answers requests for proofs from a source. All blocks of an answer must be of the same bytes, and a node may prove the same thing by
// other signatures later: so the first block asks the source for a checkpoint anew, and others come from what is kept; receipts are asked for once.
type Proofs struct {
	source Source
	kept   *lru.Cache[string, []byte]
	asking singleflight.Group
	busy   chan struct{}
}

// NewProofs makes one.
func NewProofs(s Source) *Proofs {
	kept, err := lru.New[string, []byte](proofsKept)
	if err != nil {
		panic(err) // a size below 1
	}
	return &Proofs{source: s, kept: kept, busy: make(chan struct{}, maxAsking)}
}

// Has says whether the receipt of a transaction is kept, for who trusts genesis.
func (p *Proofs) Has(transaction string) bool { return p.kept.Contains(receiptPath(transaction, 0)) }

// Kept is the receipt of a transaction for who trusts genesis, if it is kept.
func (p *Proofs) Kept(transaction string) ([]byte, bool) {
	return p.kept.Get(receiptPath(transaction, 0))
}

// Keep keeps the receipt of a transaction for who trusts genesis.
func (p *Proofs) Keep(transaction string, file []byte) {
	if len(file) <= maxProof {
		p.kept.Add(receiptPath(transaction, 0), file)
	}
}

// Serve answers a request, later, if it is for a proof; refuse makes the answer when the source has none.
func (p *Proofs) Serve(r *coap.Request, refuse func(error) coap.Response) bool {
	fetch, path, err := p.wanted(r.Path)
	switch {
	case fetch == nil && err == nil:
		return false
	case !r.Get(message.AppOctets):
	case err != nil:
		r.Answer(coap.Refusal(codes.BadRequest, err.Error()))
	default:
		go func() {
			body, err := p.get(r, path, fetch)
			if err != nil {
				r.Answer(refuse(err))
				return
			}
			r.Content(message.AppOctets, body)
		}()
	}
	return true
}

type fetcher func(context.Context) ([]byte, error)

var wantedPath = regexp.MustCompile(`^(?:(/checkpoint/|/witnessed/)(0|[1-9][0-9]{0,17})/(0|[1-9][0-9]{0,17})|/receipt/([0-9a-f]{64})(?:/(0|[1-9][0-9]{0,17}))?)$`)

// wanted is how to get what is at a path, which is given back as it is kept; nil if there is nothing of ours.
func (p *Proofs) wanted(path string) (fetcher, string, error) {
	if !strings.HasPrefix(path, pathCheckpoint) && !strings.HasPrefix(path, pathWitnessed) && !strings.HasPrefix(path, pathReceipt) {
		return nil, "", nil
	}
	m := wantedPath.FindStringSubmatch(path)
	if m == nil {
		return nil, "", errors.New("ask for /checkpoint/HEIGHT/SIZE, /witnessed/HEIGHT/SIZE, /receipt/ID or /receipt/ID/HEIGHT: decimal, and an id of 64 hex digits in lower case")
	}
	number := func(s string) int64 {
		n, _ := strconv.ParseInt(s, 10, 64) // at most 18 digits
		return n
	}
	if m[4] != "" {
		id, trusted := m[4], number(m[5])
		return func(ctx context.Context) ([]byte, error) { return p.source.Receipt(ctx, id, trusted) }, receiptPath(id, trusted), nil
	}
	w := Want{Trusted: number(m[2]), Size: uint64(number(m[3])), Witnessed: m[1] == pathWitnessed}
	return func(ctx context.Context) ([]byte, error) {
		e, err := p.source.Checkpoint(ctx, w)
		if err != nil {
			return nil, err
		}
		return e.Encode(), nil
	}, pathOf(w), nil
}

func pathOf(w Want) string {
	path := pathCheckpoint
	if w.Witnessed {
		path = pathWitnessed
	}
	return fmt.Sprintf("%s%d/%d", path, w.Trusted, w.Size)
}

func receiptPath(id string, trusted int64) string {
	return fmt.Sprintf("%s%s/%d", pathReceipt, id, trusted)
}

// get is what is at a path. What a source that does not answer gave before is as good as ever: it is a proof.
func (p *Proofs) get(r *coap.Request, path string, fetch fetcher) ([]byte, error) {
	kept, ok := p.kept.Get(path)
	if ok && (!r.First() || strings.HasPrefix(path, pathReceipt)) {
		return kept, nil
	}
	got, err, _ := p.asking.Do(path, func() (any, error) {
		select {
		case p.busy <- struct{}{}:
			defer func() { <-p.busy }()
		default:
			return nil, fault.New("gateway.queue_full", "So many proofs are fetched that there is no room for more. Ask again in some seconds.")
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Session.Life()), coap.AdmitTime) // others wait for it as well
		defer cancel()
		body, err := fetch(ctx)
		if err == nil && len(body) > maxProof {
			err = fmt.Errorf("neighbour: what is at %s has %d bytes", path, len(body))
		}
		if err != nil {
			return nil, err
		}
		p.kept.Add(path, body)
		return body, nil
	})
	switch {
	case err == nil:
		return got.([]byte), nil
	case ok && fault.Code(err) == "" && !errors.Is(err, client.ErrNotFound):
		return kept, nil
	}
	return nil, err
}
