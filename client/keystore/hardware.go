package keystore

import (
	"errors"

	"github.com/dureledger/dure/client/hardware"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Add stores where a key is that a chip has: the URI of package hardware. The chip is asked for its public key.
func (s *Store) Add(name, uri string) (Entry, error) { return s.refer(name, uri, hardware.Open) }

// NewIn makes a key in a chip, at the place that a URI of package hardware names, and stores where it is.
func (s *Store) NewIn(name, uri string, kind accountv1.KeyKind) (Entry, error) {
	return s.refer(name, uri, func(uri string, ask hardware.AskPIN) (*hardware.Key, error) { return hardware.Make(uri, kind, ask) })
}

// refer stores where a key is. What can be refused is refused before the chip is touched.
func (s *Store) refer(name, uri string, open func(string, hardware.AskPIN) (*hardware.Key, error)) (Entry, error) {
	if err := s.checkName(name); err != nil {
		return Entry{}, err
	}
	r, err := hardware.Parse(uri)
	if err != nil {
		return Entry{}, err
	}
	if uri, err = keepable(r); err != nil {
		return Entry{}, err
	}
	opened, err := open(uri, s.pin)
	if err != nil {
		return Entry{}, err
	}
	entry, err := s.addOpened(name, opened)
	return entry, errors.Join(err, opened.Close())
}

func (s *Store) addOpened(name string, opened *hardware.Key) (Entry, error) {
	key, err := tx.KeyOf(opened.Public())
	if err != nil {
		return Entry{}, err
	}
	if err := s.checkNew(name, key); err != nil {
		return Entry{}, err
	}
	entry := s.entry(name, key)
	entry.Hardware = opened.Reference().String()
	return s.add(keyFile{Entry: entry})
}

// keepable is a URI as key files have it: of a chip, and without a PIN in it.
func keepable(r hardware.Reference) (string, error) {
	if !r.Hardware() {
		return "", fault.New("key.bad_uri", "That is a key in a file. Import it: dure key import.")
	}
	if r.PIN() {
		return "", fault.New("key.bad_uri", "The URI has the PIN in it, and would be kept where others may read it. Put the PIN in a file that is yours alone and say "+
			"pin-source=file:/path, or leave it out to be asked for it.")
	}
	return r.String(), nil
}

// openHardware opens a key in hardware and sees that it is the one that was stored.
func (s *Store) openHardware(f keyFile) (*hardware.Key, error) {
	opened, err := hardware.Open(f.Hardware, s.pin)
	if err != nil {
		return nil, err
	}
	key, err := tx.KeyOf(opened.Public())
	if err == nil && !key.Equal(f.Key) {
		err = fault.New("key.other_key", "At "+f.Hardware+" there is another key than the one that was stored as "+f.Name+". Its account would be another: bring the chip back, "+
			"or store this key under another name with dure key add.", "name", f.Name)
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

func (s *Store) openHardwareSigner(f keyFile) (tx.Signer, error) {
	opened, err := s.openHardware(f)
	if err != nil {
		return nil, err
	}
	return opened.Signer()
}

func inHardware(f keyFile) error {
	return fault.New("key.in_hardware", "The key "+f.Name+" is in hardware, which does not give it away: "+f.Hardware+". What can be exported is its public key.", "name", f.Name)
}
