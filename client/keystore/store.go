package keystore

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/dureledger/dure/client/hardware"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// DefaultWorkFactor makes one guess of a passphrase cost about half a second and 128 MiB.
const DefaultWorkFactor = 17

// Entry is the public part of a key.
type Entry struct {
	// Name is unique in the folder: 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, and not with 0x.
	Name string
	// Key is the public key.
	Key tx.Key
	// Address is that of the key, and of the account it opens.
	Address tx.Address
	// Created is when the key was made or imported.
	Created time.Time
	// Hardware is the URI of a key in hardware (package hardware); empty: the secret is in the file.
	Hardware string
}

// Store is a folder of keys. Several programs may use one folder at a time.
type Store struct {
	dir        string
	workFactor int
	now        func() time.Time
	pin        hardware.AskPIN
}

// Option changes how a Store works.
type Option func(*Store)

// WorkFactor sets the cost of a guess of the passphrases of new keys: 2^n steps of scrypt, n from 1 to 22. Keys already in the
// folder keep theirs. The default is DefaultWorkFactor; tests take 10 or less.
func WorkFactor(n int) Option { return func(s *Store) { s.workFactor = n } }

// Clock sets where creation times come from; the default is time.Now.
func Clock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// PIN says whom to ask for the PIN of a token, for keys in hardware whose URI does not say where it is. The default is nobody.
func PIN(ask hardware.AskPIN) Option { return func(s *Store) { s.pin = ask } }

// Open opens a folder of keys. The folder is made, for its owner alone, with the first key.
func Open(dir string, options ...Option) (*Store, error) {
	s := &Store{dir: dir, workFactor: DefaultWorkFactor, now: time.Now}
	for _, o := range options {
		o(s)
	}
	if s.workFactor < 1 || s.workFactor > maxWorkFactor {
		return nil, fmt.Errorf("keystore: work factor %d: want 1 to %d", s.workFactor, maxWorkFactor)
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("keystore: %s is a file, not a folder", dir)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	return s, nil
}

// New makes a key, encrypts it with the passphrase and stores it.
func (s *Store) New(name string, kind accountv1.KeyKind, passphrase string) (Entry, error) {
	secret, err := tx.NewSecret(kind, rand.Reader)
	if err != nil {
		return Entry{}, err
	}
	defer clear(secret)
	return s.Import(name, kind, secret, passphrase)
}

// Import stores a key that exists already, given the 32 bytes tx.NewSigner takes, encrypted with the passphrase.
func (s *Store) Import(name string, kind accountv1.KeyKind, secret []byte, passphrase string) (Entry, error) {
	signer, err := tx.NewSigner(kind, secret)
	if err != nil {
		return Entry{}, err
	}
	if err := s.checkNew(name, signer.Key()); err != nil {
		return Entry{}, err
	}
	sealed, err := seal(kind, secret, passphrase, s.workFactor)
	if err != nil {
		return Entry{}, err
	}
	return s.add(keyFile{Entry: s.entry(name, signer.Key()), secret: sealed})
}

// ImportFile stores a key file made by Export, under any name. It keeps its passphrase, which need not be known. The file of a key in hardware is
// refused, as it names a library that would be loaded, and the file may be anybody's: Add says where a key is (key.in_hardware).
func (s *Store) ImportFile(name string, file []byte) (Entry, error) {
	f, err := parseFile(file)
	if err != nil {
		return Entry{}, damaged("The file", err)
	}
	if f.Hardware != "" {
		return Entry{}, fault.New("key.in_hardware", "The file has no key: it says that one is in hardware, at "+f.Hardware+". If you trust that, store it: dure key add.")
	}
	if err := s.checkNew(name, f.Key); err != nil {
		return Entry{}, err
	}
	f.Name = name
	return s.add(f)
}

// List returns the keys in order of name. Files that cannot be read are left out and make an error, so both may be non-nil.
func (s *Store) List() ([]Entry, error) {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	var entries []Entry
	var bad []error
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), suffix)
		if !ok || !nameFits(name) {
			continue
		}
		f, err := s.read(name)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		entries = append(entries, f.Entry)
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name < entries[j].Name })
	return entries, errors.Join(bad...)
}

// Get finds a key by its name or its address.
func (s *Store) Get(nameOrAddress string) (Entry, error) {
	f, err := s.find(nameOrAddress)
	return f.Entry, err
}

// Unlock opens a key, found by name or address, to sign with. A key in hardware needs no passphrase, and stays open as long as the program runs.
func (s *Store) Unlock(nameOrAddress, passphrase string) (tx.Signer, error) {
	f, err := s.find(nameOrAddress)
	if err != nil {
		return nil, err
	}
	if f.Hardware != "" {
		return s.openHardwareSigner(f)
	}
	secret, err := f.open(passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	return tx.NewSigner(f.Key.Kind, secret)
}

// DeviceKey opens a key, found by name or address, for what a device signs besides transactions: readings (reading.Sign), evidence and its
// certificate. Devices have Ed25519 or P-256 keys, for any other the code is reading.bad_key. A key in hardware is as Unlock says.
func (s *Store) DeviceKey(nameOrAddress, passphrase string) (crypto.Signer, error) {
	f, err := s.find(nameOrAddress)
	if err != nil {
		return nil, err
	}
	if f.Hardware != "" {
		return s.openHardware(f)
	}
	secret, err := f.open(passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	return reading.Key(f.Key.Kind, secret)
}

// Export returns the encrypted key file, for ImportFile on another machine. Whoever has it and its passphrase can sign.
// A key in hardware has none (key.in_hardware).
func (s *Store) Export(nameOrAddress string) ([]byte, error) {
	f, err := s.find(nameOrAddress)
	if err != nil {
		return nil, err
	}
	if f.Hardware != "" {
		return nil, inHardware(f)
	}
	return f.bytes()
}

// ExportPlain returns the secret itself, unprotected. Whoever sees it can sign: ask the user before calling.
func (s *Store) ExportPlain(nameOrAddress, passphrase string, format Format) ([]byte, error) {
	f, err := s.find(nameOrAddress)
	if err != nil {
		return nil, err
	}
	if f.Hardware != "" {
		return nil, inHardware(f)
	}
	secret, err := f.open(passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	return plain(f.Key, secret, format)
}

func (s *Store) entry(name string, key tx.Key) Entry {
	return Entry{Name: name, Key: key, Address: key.Address(), Created: s.now().UTC().Truncate(time.Second)}
}

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func nameFits(name string) bool {
	return namePattern.MatchString(name) && !strings.HasPrefix(name, "0x")
}

// checkNew refuses a bad name, a name in use and a key that is here under another name. An existing file is refused when
// it is written, too; the early look saves a person typing a passphrase for nothing.
func (s *Store) checkNew(name string, key tx.Key) error {
	if err := s.checkName(name); err != nil {
		return err
	}
	entries, _ := s.List() // unreadable files cannot be compared with
	for _, e := range entries {
		if e.Key.Equal(key) {
			return fault.New("key.exists", fmt.Sprintf("This key is in the keystore already, as %s. Use that one.", e.Name), "name", e.Name)
		}
	}
	return nil
}

func (s *Store) checkName(name string) error {
	if !nameFits(name) {
		return fault.New("key.bad_name", fmt.Sprintf("%.80q cannot name a key: names have 1 to 64 of a-z, 0-9, '.', '_' and '-', begin "+
			"with a letter or digit, and not with 0x. Choose another.", name), "name", name)
	}
	if _, err := os.Lstat(s.path(name)); err == nil {
		return nameTaken(name)
	}
	return nil
}

func nameTaken(name string) error {
	return fault.New("key.exists", fmt.Sprintf("There is a key named %s already. Choose another name; keys are never overwritten.", name),
		"name", name)
}

func (s *Store) find(nameOrAddress string) (keyFile, error) {
	if !strings.HasPrefix(nameOrAddress, "0x") {
		return s.read(nameOrAddress)
	}
	address, err := tx.ParseAddress(nameOrAddress)
	if err != nil {
		return keyFile{}, err
	}
	entries, bad := s.List()
	for _, e := range entries {
		if e.Address == address {
			return s.read(e.Name)
		}
	}
	if bad != nil {
		return keyFile{}, bad
	}
	return keyFile{}, unknown(nameOrAddress)
}

func unknown(name string) error {
	return fault.New("key.unknown", fmt.Sprintf("There is no key %.80q in the keystore. List the keys to see what there is.", name), "name", name)
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name+suffix) }
