package index_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
)

// payments is a history of transfers among many accounts, made without executing them.
type payments struct {
	entries []index.Entry
	never   chan struct{}
}

// newPayments makes n transfers of which each is between two of 10,000 accounts; memos are empty or as people write them.
func newPayments(n int, memos bool) *payments {
	p := &payments{never: make(chan struct{})}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same history every time
	account := func() []byte {
		var b [20]byte
		binary.BigEndian.PutUint64(b[:], random.Uint64N(10_000)*0x9e3779b97f4a7c15)
		return b[:]
	}
	for i := range n {
		from, to, amount := account(), account(), fmt.Sprint(1+random.Uint64N(100_000))
		call := &assetv1.Transfer{Asset: indextest.Asset, To: to, Amount: amount}
		if memos {
			call.Memo = fmt.Sprintf("점심값 invoice %d", i)
		}
		body, _ := proto.Marshal(&txv1.Body{NotAfter: int64(i), Salt: uint64(i), Actions: []*txv1.Action{
			{Actor: from, Call: &txv1.Action_AssetTransfer{AssetTransfer: call}},
		}})
		witness := &txv1.Witness{}
		raw, _ := proto.Marshal(&txv1.Transaction{Kind: &txv1.Transaction_Native{Native: &txv1.Native{Body: body, Witnesses: []*txv1.Witness{witness}}}})
		id := sha256.Sum256(body)
		p.entries = append(p.entries, index.Entry{Raw: raw, Outcome: &ledgerv1.Outcome{
			Id: id[:], Seq: uint64(i), Height: int64(i/1000) + 1, Position: uint32(i % 1000), Time: indextest.Start + int64(i/1000), Status: ledgerv1.Status_STATUS_OK,
			Events: []*ledgerv1.Event{{Kind: &ledgerv1.Event_AssetMoved{AssetMoved: &assetv1.Moved{Asset: indextest.Asset, From: from, To: to, Amount: amount}}}},
		}})
	}
	return p
}

func (p *payments) Entries(from uint64, most int) ([]index.Entry, error) {
	return p.entries[from:min(from+uint64(most), p.Size())], nil
}
func (p *payments) Size() uint64              { return uint64(len(p.entries)) }
func (p *payments) Advanced() <-chan struct{} { return p.never }

// BenchmarkFollow indexes payments from nothing, and says what processor time each takes in this process.
func BenchmarkFollow(b *testing.B) {
	benchmark(b, func(b *testing.B) keeper { return file{filepath.Join(b.TempDir(), "index.db")} })
}

func benchmark(b *testing.B, place func(*testing.B) keeper) {
	l, err := indextest.New()
	if err != nil {
		b.Fatal(err)
	}
	for _, memos := range []bool{false, true} {
		b.Run(fmt.Sprintf("memos=%v", memos), func(b *testing.B) {
			p := newPayments(b.N, memos)
			x, err := place(b).open(l)
			if err != nil {
				b.Fatal(err)
			}
			defer x.Close()
			b.ResetTimer()
			began := processorTime(b)
			catchUp(b, x, p)
			b.ReportMetric(float64((processorTime(b)-began).Microseconds())/float64(b.N), "cpu-µs/tx")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
		})
	}
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
