package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits of a payment file.
const (
	maxPayBytes = 256 << 20
	maxPayRows  = 1_000_000
	// maxPayFaults is how many bad rows are listed.
	maxPayFaults = 50
	maxMemo      = 256
	maxReference = 64
)

// payRow is one payment of a file.
type payRow struct {
	// Number of the row, from 1, not counting the heading; Line is where it starts in the file.
	Number    int
	Line      int
	To        party
	Units     string
	Memo      string
	Reference string
}

// payFile is a checked payment file.
type payFile struct {
	// Digest is SHA-256 of the file, byte for byte.
	Digest [32]byte
	Rows   []payRow
}

// payFaults lists what is wrong with a payment file, with line numbers.
type payFaults []string

func (f payFaults) Error() string {
	return "the file has mistakes; nothing was paid:\n" + listFaults(f)
}

// listFaults is the first of many faults, a line each.
func listFaults(faults []string) string {
	shown, rest := faults, ""
	if len(faults) > maxPayFaults {
		shown, rest = faults[:maxPayFaults], fmt.Sprintf("\n  and %d more", len(faults)-maxPayFaults)
	}
	return "  " + strings.Join(shown, "\n  ") + rest
}

// parsePayFile reads CSV (RFC 4180, UTF-8 with or without a byte order mark) whose heading names the columns to, amount
// and optionally memo and reference, in any order. resolve reads an account. Every mistake is reported, with its line.
func parsePayFile(content []byte, decimals uint32, resolve func(string) (party, error)) (*payFile, error) {
	file := &payFile{Digest: sha256.Sum256(content)}
	if len(content) > maxPayBytes {
		return nil, payFaults{fmt.Sprintf("%d bytes; at most %d are read", len(content), maxPayBytes)}
	}
	text := bytes.TrimPrefix(content, []byte("\ufeff"))
	if !utf8.Valid(text) {
		return nil, payFaults{fmt.Sprintf("line %d: not UTF-8; save the file as UTF-8", badLine(text))}
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	heading, err := r.Read()
	if err != nil {
		return nil, payFaults{"line 1: a heading is needed: to,amount[,memo,reference]"}
	}
	columns, err := readHeading(heading)
	if err != nil {
		return nil, payFaults{"line 1: " + err.Error()}
	}
	var faults payFaults
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // quotes that do not match: where rows end is unknown from here on
			faults = append(faults, csvFault(err))
			break
		}
		line, _ := r.FieldPos(0)
		if len(file.Rows)+len(faults) >= maxPayRows {
			return nil, payFaults{fmt.Sprintf("line %d: more than %d rows; split the file", line, maxPayRows)}
		}
		row, err := columns.row(fields, decimals, resolve)
		if err != nil {
			faults = append(faults, fmt.Sprintf("line %d: %v", line, err))
			continue
		}
		row.Number, row.Line = len(file.Rows)+1, line
		file.Rows = append(file.Rows, row)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	if len(file.Rows) == 0 {
		return nil, payFaults{"there are no rows below the heading"}
	}
	return file, nil
}

// badLine is the line of the first byte that is not UTF-8.
func badLine(text []byte) int {
	line := 1
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		text = text[size:]
	}
	return line
}

func csvFault(err error) string {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return fmt.Sprintf("line %d: %v", parse.Line, parse.Err)
	}
	return err.Error()
}

// payColumns says where each column is; -1: absent.
type payColumns struct{ to, amount, memo, reference, count int }

func readHeading(fields []string) (payColumns, error) {
	c := payColumns{-1, -1, -1, -1, len(fields)}
	for i, name := range fields {
		var slot *int
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "to":
			slot = &c.to
		case "amount":
			slot = &c.amount
		case "memo":
			slot = &c.memo
		case "reference":
			slot = &c.reference
		default:
			return c, fmt.Errorf("column %q is not known; the columns are to,amount[,memo,reference]", name)
		}
		if *slot >= 0 {
			return c, fmt.Errorf("column %q comes twice", name)
		}
		*slot = i
	}
	if c.to < 0 || c.amount < 0 {
		return c, errors.New("the columns to and amount are needed: to,amount[,memo,reference]")
	}
	return c, nil
}

func (c payColumns) row(fields []string, decimals uint32, resolve func(string) (party, error)) (row payRow, err error) {
	if len(fields) != c.count {
		return row, fmt.Errorf("%s, the heading has %d; quote a field that contains a comma", plural(len(fields), "field"), c.count)
	}
	if row.To, err = resolve(strings.TrimSpace(fields[c.to])); err != nil {
		return row, fmt.Errorf("to: %w", err)
	}
	if row.Units, err = client.ParseUnits(fields[c.amount], decimals); err != nil {
		return row, err
	}
	if row.Units == "0" {
		return row, errors.New("amount: nothing to pay")
	}
	if c.memo >= 0 {
		row.Memo = strings.Clone(fields[c.memo])
	}
	if c.reference >= 0 {
		row.Reference = strings.Clone(fields[c.reference])
	}
	if len(row.Memo) > maxMemo {
		return row, fmt.Errorf("memo: %d bytes, at most %d", len(row.Memo), maxMemo)
	}
	if len(row.Reference) > maxReference {
		return row, fmt.Errorf("reference: %d bytes, at most %d", len(row.Reference), maxReference)
	}
	return row, nil
}

// payOnce is the once key of an attempt to pay a row: SHA-256("dure/pay/v1\n" || network id || payer || file digest ||
// row number || attempt), numbers as 8 bytes big-endian. It depends on nothing but what is paid, so a rerun on any
// machine on any day uses the same key, which the ledger takes once.
func payOnce(network string, payer tx.Address, file [32]byte, row, attempt int) [32]byte {
	h := sha256.New()
	h.Write([]byte("dure/pay/v1\n"))
	h.Write([]byte(network))
	h.Write(payer[:])
	h.Write(file[:])
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(row)))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(attempt)))
	return [32]byte(h.Sum(nil))
}
