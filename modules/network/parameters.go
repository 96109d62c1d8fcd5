package network

import (
	"fmt"
	"math"
	"strings"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/text"
)

const (
	second = 1000
	minute = 60 * second
	day    = 24 * 3600 * second

	kib = 1 << 10
	mib = 1 << 20

	maxOrigins = 16
	maxOrigin  = 256
	maxRPID    = 253 // a domain name, RFC 1035
)

// MaxWindowMs is the longest window_ms that members can choose, in milliseconds. Whoever remembers ids longer remembers
// every id that could be replayed.
const MaxWindowMs = 10 * minute

// DefaultParameters are those of a network whose genesis file sets none.
func DefaultParameters() *networkv1.Parameters {
	return &networkv1.Parameters{
		AppVersion:          1,
		MaxTxBytes:          64 * kib,
		MaxTxWork:           1_000_000,
		WindowMs:            2 * minute,
		OnceWindowMs:        30 * day,
		MaxSealerBytes:      4 * mib,
		MaxSealerSignatures: 30_000,
		RpId:                "localhost",
		ProposalMs:          7 * day,
	}
}

// checkParameters keeps members from voting themselves into a network that cannot run or cannot vote any more.
func checkParameters(p *networkv1.Parameters) error {
	for _, limit := range []struct {
		name        string
		value       int64
		least, most int64
		unit        string
	}{
		// The least lets a transaction hold a post-quantum witness; the most fits a batch.
		{"max_tx_bytes", int64(p.GetMaxTxBytes()), 16 * kib, 256 * kib, "bytes"},
		// The least lets members vote; the most bounds the time of a block.
		{"max_tx_work", signed(p.GetMaxTxWork()), 100_000, 100_000_000, "units of work"},
		{"window_ms", p.GetWindowMs(), 10 * second, 10 * minute, "milliseconds"},
		{"once_window_ms", p.GetOnceWindowMs(), 10 * second, 90 * day, "milliseconds"},
		// The least fits two full batches; the most, by all members, a block of consensus.
		{"max_sealer_bytes", signed(p.GetMaxSealerBytes()), mib, 64 * mib, "bytes"},
		{"max_sealer_signatures", signed(p.GetMaxSealerSignatures()), 1000, 1_000_000, "signature checks"},
		{"proposal_ms", p.GetProposalMs(), minute, 90 * day, "milliseconds"},
	} {
		if limit.value < limit.least || limit.value > limit.most {
			return fault.New("network.bad_parameter", fmt.Sprintf("%s must be %d to %d %s, not %d.", limit.name, limit.least, limit.most,
				limit.unit, limit.value), "parameter", limit.name, "value", limit.value, "least", limit.least, "most", limit.most)
		}
	}
	if p.GetOnceWindowMs() < p.GetWindowMs() {
		return fault.New("network.bad_parameter", "once_window_ms must not be less than window_ms.",
			"parameter", "once_window_ms", "value", p.GetOnceWindowMs(), "least", p.GetWindowMs())
	}
	if err := checkWebAuthn(p); err != nil {
		return err
	}
	return checkWitnesses(p)
}

// signed turns what an int64 cannot hold into the largest one, which is above every limit.
func signed(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// checkWebAuthn checks the form of what passkeys are bound to. An origin is a scheme and host, without a path (RFC 6454).
func checkWebAuthn(p *networkv1.Parameters) error {
	if err := text.Check("network.bad_parameter", "rp_id", p.GetRpId(), 1, maxRPID); err != nil {
		return err
	}
	if len(p.GetOrigins()) > maxOrigins {
		return fault.New("network.bad_parameter", fmt.Sprintf("There may be at most %d origins.", maxOrigins), "parameter", "origins", "value", len(p.GetOrigins()))
	}
	for _, o := range p.GetOrigins() {
		if err := text.Check("network.bad_parameter", "origins", o, 1, maxOrigin); err != nil {
			return err
		}
		scheme, host, ok := strings.Cut(o, "://")
		if !ok || scheme == "" || host == "" || strings.ContainsAny(host, "/?# ") {
			return fault.New("network.bad_parameter", fmt.Sprintf("%q is not an origin such as https://bank.example.", o), "parameter", "origins", "value", o)
		}
	}
	return nil
}
