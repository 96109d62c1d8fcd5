package coap

import (
	"context"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/dureledger/dure/gateway"
)

const (
	// receiptsKept is how many receipts are kept while devices fetch them block by block.
	receiptsKept = 256
	// maxReceipt is the longest receipt that is passed on, bytes.
	maxReceipt = 1 << 20
)

// receipts asks for a receipt once, however many blocks of it are fetched. All blocks must be of the same bytes, and a node may prove the same
// thing by other signatures later.
type receipts struct {
	handler gateway.Handler
	kept    *lru.Cache[string, []byte]
	asking  singleflight.Group
}

func newReceipts(h gateway.Handler) *receipts {
	kept, err := lru.New[string, []byte](receiptsKept)
	if err != nil {
		panic(err) // a size below 1
	}
	return &receipts{handler: h, kept: kept}
}

// has says whether a receipt is kept.
func (r *receipts) has(id string) bool { return r.kept.Contains(id) }

func (r *receipts) keep(id string, file []byte) {
	if len(file) <= maxReceipt {
		r.kept.Add(id, file)
	}
}

func (r *receipts) get(ctx context.Context, id string) ([]byte, error) {
	if file, ok := r.kept.Get(id); ok {
		return file, nil
	}
	file, err, _ := r.asking.Do(id, func() (any, error) {
		ctx, cancel := context.WithTimeout(ctx, gateway.AdmitTime)
		defer cancel()
		file, err := r.handler.Receipt(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(file) > maxReceipt {
			return nil, fmt.Errorf("coap: the receipt of %s has %d bytes", id, len(file))
		}
		r.kept.Add(id, file)
		return file, nil
	})
	if err != nil {
		return nil, err
	}
	return file.([]byte), nil
}
