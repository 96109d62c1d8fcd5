package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/csv"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits of a list of devices.
const (
	maxEnrolBytes = 64 << 20
	maxEnrolRows  = 100_000
	maxCSR        = 16 << 10
	maxSerial     = 64
)

// enrolRow is one device of a list.
type enrolRow struct {
	Line   int
	Serial string
	Owner  party
	Key    tx.Key
}

// address of the account that the device gets: its key's.
func (r enrolRow) address() tx.Address { return r.Key.Address() }

// enrolFile is a checked list.
type enrolFile struct {
	// Digest is SHA-256 of the list, byte for byte.
	Digest [32]byte
	Rows   []enrolRow
}

// enrolFaults is what is wrong with a list, with line numbers.
type enrolFaults []string

func (f enrolFaults) Error() string {
	return "the list has mistakes; nothing was sent:\n" + listFaults(f)
}

// parseEnrolFile reads CSV (RFC 4180, UTF-8) whose heading names the columns serial, owner and csr or public_key or both, in any order.
// Paths of CSRs are relative to dir; resolve reads an account. Every mistake is reported, with its line.
func parseEnrolFile(content []byte, dir string, resolve func(string) (party, error)) (*enrolFile, error) {
	file := &enrolFile{Digest: sha256.Sum256(content)}
	body := bytes.TrimPrefix(content, []byte("\ufeff"))
	if !utf8.Valid(body) {
		return nil, enrolFaults{fmt.Sprintf("line %d: not UTF-8; save the file as UTF-8", badLine(body))}
	}
	r := csv.NewReader(bytes.NewReader(body))
	heading, err := r.Read()
	if err != nil {
		return nil, enrolFaults{"line 1: a heading is needed: serial,owner,csr or serial,owner,public_key"}
	}
	columns, err := enrolHeading(heading)
	if err != nil {
		return nil, enrolFaults{"line 1: " + err.Error()}
	}
	var faults enrolFaults
	serials, keys := map[string]int{}, map[tx.Address]int{}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, csv.ErrFieldCount) {
			faults = append(faults, csvFault(err))
			break
		}
		line, _ := r.FieldPos(0)
		if len(file.Rows)+len(faults) >= maxEnrolRows {
			return nil, enrolFaults{fmt.Sprintf("line %d: more than %d rows; split the list", line, maxEnrolRows)}
		}
		var row enrolRow
		if err == nil {
			row, err = columns.row(fields, dir, resolve)
		} else {
			err = fmt.Errorf("%s, the heading has %d; quote a field that contains a comma", plural(len(fields), "field"), len(heading))
		}
		if err == nil && serials[row.Serial] > 0 {
			err = fmt.Errorf("the serial number %s is that of line %d", row.Serial, serials[row.Serial])
		}
		if err == nil && keys[row.address()] > 0 {
			err = fmt.Errorf("the key is that of line %d; each device has its own", keys[row.address()])
		}
		if err != nil {
			faults = append(faults, fmt.Sprintf("line %d: %v", line, err))
			continue
		}
		row.Line = line
		serials[row.Serial], keys[row.address()] = line, line
		file.Rows = append(file.Rows, row)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	if len(file.Rows) == 0 {
		return nil, enrolFaults{"there are no rows below the heading"}
	}
	return file, nil
}

// enrolColumns says where each column is; -1: absent.
type enrolColumns struct{ serial, owner, csr, key int }

func enrolHeading(fields []string) (enrolColumns, error) {
	names := []string{"serial", "owner", "csr", "public_key"}
	at := [...]int{-1, -1, -1, -1}
	for i, field := range fields {
		n := slices.Index(names, strings.ToLower(strings.TrimSpace(field)))
		switch {
		case n < 0:
			return enrolColumns{}, fmt.Errorf("column %q is not known; the columns are %s", field, strings.Join(names, ", "))
		case at[n] >= 0:
			return enrolColumns{}, fmt.Errorf("column %q comes twice", field)
		}
		at[n] = i
	}
	c := enrolColumns{at[0], at[1], at[2], at[3]}
	if c.serial < 0 || c.owner < 0 || c.csr < 0 && c.key < 0 {
		return c, errors.New("the columns serial, owner and csr or public_key are needed")
	}
	return c, nil
}

func (c enrolColumns) row(fields []string, dir string, resolve func(string) (party, error)) (row enrolRow, err error) {
	field := func(i int) string {
		if i < 0 {
			return ""
		}
		return strings.TrimSpace(fields[i])
	}
	row.Serial = field(c.serial)
	if err := text.Check("device.bad_text", "serial number", row.Serial, 1, maxSerial); err != nil {
		return row, err
	}
	if row.Owner, err = resolve(field(c.owner)); err != nil {
		return row, fmt.Errorf("owner: %w", err)
	}
	csr, key := field(c.csr), field(c.key)
	switch {
	case csr != "" && key != "", csr == "" && key == "":
		return row, errors.New("want either a csr or a public_key")
	case key != "":
		row.Key, err = parsePublic(key)
	default:
		if !filepath.IsAbs(csr) {
			csr = filepath.Join(dir, csr)
		}
		row.Key, err = readCSR(csr)
	}
	if err == nil && row.Key.Kind != accountv1.KeyKind_KEY_KIND_P256 && row.Key.Kind != accountv1.KeyKind_KEY_KIND_ED25519 {
		err = errors.New("devices have P-256 or Ed25519 keys")
	}
	return row, err
}

// readCSR is the key of a certificate signing request (PKCS #10, RFC 2986) in PEM, whose signature shows that the device has it.
func readCSR(path string) (tx.Key, error) {
	content, err := readSmall(path, maxCSR)
	if err != nil {
		return tx.Key{}, err
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
		return tx.Key{}, fmt.Errorf("%s is no certificate request in PEM", path)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return tx.Key{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := request.CheckSignature(); err != nil {
		return tx.Key{}, fmt.Errorf("%s is not signed by the key in it, so nothing shows that the device has that key: %w", path, err)
	}
	if key, err := tx.KeyOf(request.PublicKey); err == nil {
		return key, nil
	}
	return tx.Key{}, fmt.Errorf("%s: devices have P-256 or Ed25519 keys", path)
}
