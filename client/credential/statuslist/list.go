package statuslist

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/dureledger/dure/ledger/fault"
)

// What an entry says (section 7.1). Others are for issuers to agree on.
const (
	Valid     = 0
	Invalid   = 1
	Suspended = 2
)

// MaxEntries is the most bytes of entries that are unpacked: 8 million credentials of one bit.
const MaxEntries = 1 << 20

// List is a status list. The first entry is in the lowest bits of the first byte (section 4.1).
type List struct {
	// Bits of an entry: 1, 2, 4 or 8.
	Bits    int
	Entries []byte
}

// New makes a list of so many entries, all valid. Code credential.bad_status_list.
func New(bits, size int) (List, error) {
	if err := checkBits(bits); err != nil {
		return List{}, err
	}
	if size < 1 || size > MaxEntries*8/bits {
		return List{}, bad(fmt.Sprintf("it would have %d entries of %d bits", size, bits))
	}
	return List{bits, make([]byte, (size*bits+7)/8)}, nil
}

func checkBits(bits int) error {
	switch bits {
	case 1, 2, 4, 8:
		return nil
	}
	return bad(fmt.Sprintf("an entry has %d bits; 1, 2, 4 and 8 are possible", bits))
}

func bad(what string) error {
	return fault.New("credential.bad_status_list", "This is no status list that can be relied on: "+what+".")
}

// Size is how many entries there are.
func (l List) Size() int { return len(l.Entries) * 8 / l.Bits }

func (l List) place(index int) (at, shift int, err error) {
	if index < 0 || index >= l.Size() {
		return 0, 0, fault.New("credential.status_out_of_range", fmt.Sprintf("The credential has entry %d of a status list of %d. Whether it was revoked cannot be told, so it is "+
			"refused. Ask the issuer for a new one.", index, l.Size()), "index", index, "size", l.Size())
	}
	bit := index * l.Bits
	return bit / 8, bit % 8, nil
}

// Status is what an entry says. Code credential.status_out_of_range.
func (l List) Status(index int) (int, error) {
	at, shift, err := l.place(index)
	if err != nil {
		return 0, err
	}
	return int(l.Entries[at]) >> shift & (1<<l.Bits - 1), nil
}

// Set changes an entry. Code credential.status_out_of_range, credential.bad_status_list.
func (l List) Set(index, status int) error {
	at, shift, err := l.place(index)
	if err != nil {
		return err
	}
	mask := 1<<l.Bits - 1
	if status < 0 || status > mask {
		return bad(fmt.Sprintf("a status of %d does not fit in %d bits", status, l.Bits))
	}
	l.Entries[at] = byte(int(l.Entries[at])&^(mask<<shift) | status<<shift)
	return nil
}

// Decode unpacks a list: its bits and lst, which is zlib (RFC 1950) in base64url (section 4.2). Code credential.bad_status_list.
func Decode(bits int, lst string) (List, error) {
	if err := checkBits(bits); err != nil {
		return List{}, err
	}
	packed, err := base64.RawURLEncoding.Strict().DecodeString(lst)
	if err != nil {
		return List{}, bad("lst is not base64url")
	}
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return List{}, bad("lst is not packed by zlib")
	}
	entries, err := io.ReadAll(io.LimitReader(r, MaxEntries+1))
	if err != nil {
		return List{}, bad("lst is damaged")
	}
	if len(entries) == 0 || len(entries) > MaxEntries {
		return List{}, bad(fmt.Sprintf("it has no entries, or more than %d bytes of them", MaxEntries))
	}
	return List{bits, entries}, nil
}

// Encode packs the entries as lst.
func (l List) Encode() (string, error) {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.BestCompression)
	if err == nil {
		_, err = w.Write(l.Entries)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return "", fmt.Errorf("statuslist: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b.Bytes()), nil
}
