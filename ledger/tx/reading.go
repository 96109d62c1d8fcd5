package tx

import (
	"crypto/sha256"
	"fmt"
	"slices"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
)

// MaxReadings is how many readings one stream.anchor may have.
const MaxReadings = 256

// Source is the readings of one device in a stream.anchor action.
type Source struct {
	// Action is the index of the action.
	Action int
	// Device is whom the readings are said to be of, Key what signed them; whether it may is decided at execution.
	Device Address
	Key    Key
	// Readings are parsed, each from what the action has at its place in the source.
	Readings []*reading.Reading
}

// ReadSources reads the readings of the stream.anchor actions among these, in order; most have none. Decode has done so for Tx.Sources. Code tx.malformed.
func ReadSources(actions []*txv1.Action) ([]Source, error) {
	var out []Source
	for i, a := range actions {
		call, ok := a.Call.(*txv1.Action_StreamAnchor)
		if !ok {
			continue
		}
		some, err := readAnchor(i, call.StreamAnchor)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// SourcesOf are those of an action among sources in order.
func SourcesOf(sources []Source, action int) []Source {
	first, _ := slices.BinarySearchFunc(sources, action, func(s Source, a int) int { return s.Action - a })
	end, _ := slices.BinarySearchFunc(sources, action+1, func(s Source, a int) int { return s.Action - a })
	return sources[first:end:end]
}

func readAnchor(action int, call *streamv1.Anchor) ([]Source, error) {
	out := make([]Source, 0, len(call.GetSources()))
	devices, readings := make(map[Address]bool, len(call.GetSources())), 0
	for i, given := range call.GetSources() {
		s, err := readSource(action, i, given, MaxReadings-readings)
		if err != nil {
			return nil, err
		}
		if devices[s.Device] {
			return nil, badAnchor(action, "the device "+s.Device.String()+" comes twice; put its readings together", "device", s.Device)
		}
		devices[s.Device], readings, out = true, readings+len(s.Readings), append(out, s)
	}
	if readings == 0 {
		return nil, badAnchor(action, "there are no readings; leave the action out")
	}
	return out, nil
}

// readSource reads one source of at most room readings.
func readSource(action, index int, given *streamv1.Source, room int) (Source, error) {
	s := Source{Action: action, Key: Key{Kind: given.GetKind(), Public: given.GetPublicKey()}}
	device, err := ToAddress(given.GetDevice())
	if err != nil {
		return s, badAnchor(action, fmt.Sprintf("source %d has no address of 20 bytes", index), "source", index)
	}
	s.Device = device
	refuse := func(what string, kv ...any) (Source, error) {
		return s, badAnchor(action, what+" (device "+device.String()+")", append(kv, "device", device)...)
	}
	switch n := len(given.GetReadings()); {
	case s.Key.Kind != accountv1.KeyKind_KEY_KIND_ED25519 && s.Key.Kind != accountv1.KeyKind_KEY_KIND_P256:
		return refuse("readings are signed by Ed25519 or P-256 keys, not " + KindName(s.Key.Kind))
	case checkKeyForm(s.Key) != nil:
		return refuse(fault.As(checkKeyForm(s.Key)).Message)
	case n == 0:
		return refuse("a source without readings; leave it out")
	case n > room:
		return refuse(fmt.Sprintf("more than %d readings; split them", MaxReadings))
	}
	s.Readings = make([]*reading.Reading, len(given.GetReadings()))
	for i, raw := range given.GetReadings() {
		r, err := reading.Parse(raw)
		if err != nil {
			return refuse(fmt.Sprintf("reading %d: %s", i, fault.As(err).Message), "reading", i)
		}
		if readingKind(r.Alg) != s.Key.Kind {
			return refuse(fmt.Sprintf("reading %d has algorithm %d, which is not that of the key", i, r.Alg), "reading", i)
		}
		s.Readings[i] = r
	}
	return s, nil
}

func badAnchor(action int, what string, kv ...any) error {
	return fault.New("tx.malformed", fmt.Sprintf("In action %d, stream.anchor: %s.", action, what), append(kv, "action", action)...)
}

// signatureWork is what Tx.SignatureWork counts for a source.
func (s *Source) signatureWork() uint64 {
	if s.Key.Kind == accountv1.KeyKind_KEY_KIND_ED25519 {
		return uint64(len(s.Readings))
	}
	return 5 * uint64(len(s.Readings))
}

// verifyP256Readings checks the readings that P-256 keys have signed.
func (t *Tx) verifyP256Readings() error {
	for i := range t.Sources {
		s := &t.Sources[i]
		if s.Key.Kind != accountv1.KeyKind_KEY_KIND_P256 {
			continue
		}
		key, ok := parseP256(s.Key.Public)
		for j, r := range s.Readings {
			if !ok || !verifyP256Key(key, sha256.Sum256(r.SignedBytes(t.network, s.Device)), r.Signature[:]) {
				return badReading(s, j)
			}
		}
	}
	return nil
}

func badReading(s *Source, i int) error {
	r := s.Readings[i]
	return fault.New("tx.bad_signature", fmt.Sprintf("In action %d, stream.anchor: reading %d of device %s (sequence number %d of start %d) is not signed by its key for this "+
		"network and device. Leave it out.", s.Action, i, s.Device, r.Sequence, r.Boot), "action", s.Action, "device", s.Device, "reading", i)
}

// VerifyReading checks the signature of one reading, by the rules of witnesses: Ed25519 by ZIP-215, P-256 with low s. Whether the key is
// the device's is for the ledger to say. Code reading.bad_signature.
func VerifyReading(networkID string, device Address, key Key, r *reading.Reading) error {
	good := false
	switch {
	case key.Kind != readingKind(r.Alg):
	case r.Alg == reading.EdDSA:
		good = verifyEd25519(key.Public, r.SignedBytes(networkID, device), r.Signature[:])
	default:
		good = verifyP256(key.Public, sha256.Sum256(r.SignedBytes(networkID, device)), r.Signature[:])
	}
	if good {
		return nil
	}
	return fault.New("reading.bad_signature", fmt.Sprintf("Reading %d of start %d of %s is not signed by this key for this network and device.",
		r.Sequence, r.Boot, device), "device", device, "boot", r.Boot, "sequence", r.Sequence)
}

// readingKind is the kind of key of a reading's algorithm.
func readingKind(alg reading.Alg) accountv1.KeyKind {
	if alg == reading.EdDSA {
		return accountv1.KeyKind_KEY_KIND_ED25519
	}
	return accountv1.KeyKind_KEY_KIND_P256
}
