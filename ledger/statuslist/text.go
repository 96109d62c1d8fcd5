package statuslist

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// Text is the entries as `lst` of the status_list claim. Which of the texts that say the same it is may change with the Go version.
func (l List) Text() (string, error) {
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := z.Write(l.Entries); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b.Bytes()), nil
}

// ReadText reads `lst` of a status_list claim with so many bits an entry. More than most bytes of entries are refused.
func ReadText(bits uint32, lst string, most int) (List, error) {
	if !Bits(bits) {
		return List{}, fmt.Errorf("status list: an entry has 1, 2, 4 or 8 bits, not %d", bits)
	}
	// zlib stores what it cannot compress with 5 bytes more for each 64 KiB.
	if base64.RawURLEncoding.DecodedLen(len(lst)) > most+most/1000+64 {
		return List{}, tooLong(most)
	}
	packed, err := base64.RawURLEncoding.Strict().DecodeString(lst)
	if err != nil {
		return List{}, fmt.Errorf("status list: lst: %w", err)
	}
	from := bytes.NewReader(packed)
	z, err := zlib.NewReader(from)
	if err != nil {
		return List{}, fmt.Errorf("status list: lst: %w", err)
	}
	entries, err := io.ReadAll(io.LimitReader(z, int64(most)+1))
	switch {
	case err != nil:
		return List{}, fmt.Errorf("status list: lst: %w", err)
	case len(entries) > most:
		return List{}, tooLong(most)
	case len(entries) == 0:
		return List{}, errors.New("status list: it has no entries")
	case from.Len() > 0:
		return List{}, errors.New("status list: lst: something follows the list")
	}
	return List{bits, entries}, nil
}

func tooLong(most int) error { return fmt.Errorf("status list: more than %d bytes", most) }
