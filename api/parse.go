package api

import (
	"encoding/hex"
	"strings"
	"time"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// What a request says in text is read here, and only here: addresses, ids, digests, times and names of assets.

// maxText is the longest text searched for, in bytes.
const maxText = 200

func parseAddress(field, s string) (tx.Address, error) {
	a, err := tx.ParseAddress(s)
	if err != nil {
		return a, fault.New("request.malformed", field+": "+printable(err.Error()), "field", field)
	}
	return a, nil
}

// optionalAddress is nil for the empty string.
func optionalAddress(field, s string) (*tx.Address, error) {
	if s == "" {
		return nil, nil
	}
	a, err := parseAddress(field, s)
	return &a, err
}

// parseHash reads an id or digest of 32 bytes, with or without 0x.
func parseHash(field, s string) ([32]byte, error) {
	b, err := parseHex(field, s, 32)
	if err != nil {
		return [32]byte{}, err
	}
	return [32]byte(b), nil
}

// parseHex reads exactly n bytes of hex digits, with or without 0x.
func parseHex(field, s string, n int) ([]byte, error) {
	digits := strings.TrimPrefix(s, "0x")
	if len(digits) == 2*n {
		if b, err := hex.DecodeString(digits); err == nil {
			return b, nil
		}
	}
	return nil, fault.New("request.malformed", field+": want "+itoa(2*n)+" hex digits", "field", field)
}

// parseTime reads RFC 3339 into unix milliseconds, 0 for the empty string.
func parseTime(field, s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || len(s) > 40 {
		return 0, fault.New("request.malformed", field+": want a time as in 2026-01-31T09:30:00Z", "field", field)
	}
	return t.UnixMilli(), nil
}

func parseStatus(s string) (ledgerv1.Status, error) {
	switch s {
	case "":
		return ledgerv1.Status_STATUS_UNSPECIFIED, nil
	case "ok":
		return ledgerv1.Status_STATUS_OK, nil
	case "failed":
		return ledgerv1.Status_STATUS_FAILED, nil
	}
	return 0, fault.New("request.malformed", `status: want "ok" or "failed"`, "field", "status")
}

// bounded refuses text longer than any that could match.
func bounded(field, s string) error {
	if len(s) > maxText {
		return fault.New("request.malformed", field+": longer than "+itoa(maxText)+" bytes", "field", field)
	}
	return nil
}
