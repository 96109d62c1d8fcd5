package moduletest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx/txtest"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/stream"
)

// NetworkID is what readings are signed for.
const NetworkID = txtest.NetworkID

// Reading signs a reading of a device by the key of a name, mostly the device's own. It panics on what cannot be written.
func Reading(device, by string, r reading.Reading) []byte {
	sum := sha256.Sum256([]byte(by))
	key, err := reading.Key(Key(by).Kind, txtest.Secret(binary.BigEndian.Uint64(sum[:])))
	if err != nil {
		panic(err)
	}
	raw, err := reading.Sign(NetworkID, Address(device), &r, key)
	if err != nil {
		panic(fmt.Sprintf("moduletest: %v", err))
	}
	return raw
}

// AddReading adds a reading to an anchor, to the source that a device has in it for the key or to a new one.
func AddReading(a *streamv1.Anchor, device, by string, r reading.Reading) {
	address, key, raw := Address(device), Key(by), Reading(device, by, r)
	for _, s := range a.GetSources() {
		if string(s.GetDevice()) == string(address[:]) && string(s.GetPublicKey()) == string(key.Public) {
			s.Readings = append(s.GetReadings(), raw)
			return
		}
	}
	a.Sources = append(a.GetSources(), &streamv1.Source{Device: address[:], Kind: key.Kind, PublicKey: key.Public, Readings: [][]byte{raw}})
}

// read adds what a script writes as read=DEVICE,BOOT.SEQUENCE,FEED,VALUE,UNIT,AGO or, signed by another's key, with ,NAME after it.
func (p *player) read(a *streamv1.Anchor, word string) error {
	parts := strings.Split(word, ",")
	if len(parts) != 6 && len(parts) != 7 {
		return fmt.Errorf("want DEVICE,BOOT.SEQUENCE,FEED,VALUE,UNIT,AGO, not %q", word)
	}
	r := reading.Reading{Feed: parts[2], Unit: parts[4]}
	if _, err := fmt.Sscanf(parts[1], "%d.%d", &r.Boot, &r.Sequence); err != nil {
		return err
	}
	var err error
	if r.Value, err = reading.ParseDecimal(parts[3]); err != nil {
		return err
	}
	ago, err := duration(parts[5])
	if err != nil {
		return err
	}
	r.Time = p.Now - ago
	by := parts[len(parts)-1]
	if len(parts) == 6 {
		by = parts[0]
	}
	p.names.add(parts[0])
	p.names.add(by)
	AddReading(a, parts[0], by, r)
	return nil
}

// verdicts shows what came of readings, in order: accepted, quarantined:rate …
func verdicts(b []byte) string {
	out := make([]string, len(b))
	for i, v := range b {
		verdict, reason := streamv1.Verdict(v>>4).String(), streamv1.Reason(v&15).String()
		out[i] = strings.ToLower(strings.TrimPrefix(verdict, "VERDICT_"))
		if v&15 != 0 {
			out[i] += ":" + strings.ToLower(strings.TrimPrefix(reason, "REASON_"))
		}
	}
	return strings.Join(out, ",")
}

// feedValue shows what a feed says now and why each source does or does not count.
func (p *player) feedValue(feed, maxAge string) (string, error) {
	most := int64(0)
	if maxAge != "" {
		var err error
		if most, err = duration(maxAge); err != nil {
			return "", err
		}
	}
	a, err := stream.Value(p.View, all.Devices{}, feed, p.Now, most)
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "none %s: %s", fault.Code(err), p.inWords(fault.As(err).Message))
	} else {
		fmt.Fprintf(&b, "%s %s of %d sources", reading.FormatUnits(a.Value, int(a.Decimals)), a.Unit, a.Counted)
	}
	for _, s := range a.Sources {
		fmt.Fprintf(&b, "\n  %s value=%d age=%s firmware=%d level=%s missing=%d", p.names.word(s.Device[:]), s.Value, time.Duration(s.Age)*time.Millisecond,
			s.Firmware, strings.ToLower(s.Level.String()), s.Missing)
		if s.LeftOut != "" {
			fmt.Fprintf(&b, " left_out=%q", s.LeftOut)
		}
	}
	return b.String(), nil
}
