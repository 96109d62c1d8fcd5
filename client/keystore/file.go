package keystore

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dureledger/dure/client/hardware"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	suffix = ".json"
	// The versions of a key file: with the secret, and with the URI of a key in hardware.
	version         = 1
	versionHardware = 2
	// MaxFile is the largest key file read, in bytes; the largest written, of ML-DSA-65, has about 5,000.
	MaxFile = 16 << 10
)

// keyFile is a key file as read: the public part and, unless the key is in hardware, the sealed secret.
type keyFile struct {
	Entry
	secret string // age, armored
}

// fileJSON is how a key file is written.
type fileJSON struct {
	Version   int    `json:"version"`
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	PublicKey string `json:"public_key"`
	Address   string `json:"address"`
	Created   string `json:"created"`
	Secret    string `json:"secret,omitempty"`
	Hardware  string `json:"hardware,omitempty"`
}

func (f keyFile) bytes() ([]byte, error) {
	written := version
	if f.Hardware != "" {
		written = versionHardware
	}
	b, err := json.MarshalIndent(fileJSON{
		Version: written, Name: f.Name, Kind: tx.KindName(f.Key.Kind), PublicKey: hex.EncodeToString(f.Key.Public),
		Address: f.Address.String(), Created: f.Created.UTC().Format(time.RFC3339), Secret: f.secret, Hardware: f.Hardware,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("keystore: writing a key file: %w", err)
	}
	return append(b, '\n'), nil
}

// parseFile reads a key file and checks that its public part is consistent.
func parseFile(b []byte) (keyFile, error) {
	if len(b) > MaxFile {
		return keyFile{}, fmt.Errorf("it has %d bytes, more than %d", len(b), MaxFile)
	}
	var j fileJSON
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return keyFile{}, fmt.Errorf("it is no key file: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return keyFile{}, errors.New("something follows the key")
	}
	if j.Version != version && j.Version != versionHardware {
		return keyFile{}, fmt.Errorf("it is of version %d; this program reads versions %d and %d", j.Version, version, versionHardware)
	}
	uri, err := checkPlace(j)
	if err != nil {
		return keyFile{}, err
	}
	kind, err := tx.ParseKind(j.Kind)
	if err != nil {
		return keyFile{}, err
	}
	if j.Kind != tx.KindName(kind) {
		return keyFile{}, fmt.Errorf("its kind is written %q, not %q", j.Kind, tx.KindName(kind))
	}
	public, err := hex.DecodeString(j.PublicKey)
	if err != nil {
		return keyFile{}, fmt.Errorf("its public key is not hex: %w", err)
	}
	key := tx.Key{Kind: kind, Public: public}
	if err := tx.CheckKey(key); err != nil {
		return keyFile{}, err
	}
	if j.Address != key.Address().String() {
		return keyFile{}, errors.New("its address is not that of its public key")
	}
	created, err := time.Parse(time.RFC3339, j.Created)
	if err != nil {
		return keyFile{}, fmt.Errorf("its creation time cannot be read: %w", err)
	}
	return keyFile{Entry{j.Name, key, key.Address(), created.UTC(), uri}, j.Secret}, nil
}

// checkPlace sees that a file has either a secret or where the key is.
func checkPlace(j fileJSON) (uri string, err error) {
	if (j.Version == versionHardware) != (j.Hardware != "") || j.Hardware != "" && j.Secret != "" {
		return "", errors.New("it has to have either a secret (version 1) or where the key is (version 2)")
	}
	if j.Hardware == "" {
		return "", nil
	}
	r, err := hardware.Parse(j.Hardware)
	if err != nil {
		return "", err
	}
	return keepable(r)
}

// read reads the key of a name. The file's name counts, so that people may rename files.
func (s *Store) read(name string) (keyFile, error) {
	if !nameFits(name) {
		return keyFile{}, unknown(name)
	}
	file, err := os.Open(s.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return keyFile{}, unknown(name)
	}
	if err != nil {
		return keyFile{}, fmt.Errorf("keystore: %w", err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err != nil {
		return keyFile{}, fmt.Errorf("keystore: reading %s: %w", s.path(name), err)
	}
	f, err := parseFile(b)
	if err != nil {
		return keyFile{}, damaged("The key file "+s.path(name), err)
	}
	f.Name = name
	return f, nil
}

func damaged(what string, err error) error {
	return fault.New("key.damaged", fmt.Sprintf("%s cannot be read: %s. Restore it from a copy, or move it away.", what, err))
}

// add writes a new key file: whole or not at all, for its owner alone, never over another.
func (s *Store) add(f keyFile) (Entry, error) {
	b, err := f.bytes()
	if err != nil {
		return Entry{}, err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return Entry{}, fmt.Errorf("keystore: making the folder of keys: %w", err)
	}
	temp, err := writeTemp(s.dir, b)
	if err != nil {
		return Entry{}, fmt.Errorf("keystore: writing a key file: %w", err)
	}
	defer os.Remove(temp) // a left-over is harmless: List passes it by
	switch err := place(temp, s.path(f.Name)); {
	case errors.Is(err, os.ErrExist):
		return Entry{}, nameTaken(f.Name)
	case err != nil:
		return Entry{}, fmt.Errorf("keystore: writing a key file: %w", err)
	}
	return f.Entry, syncDir(s.dir)
}

// writeTemp writes a file beside the keys, on disk when it returns. os.CreateTemp makes it readable by its owner alone.
func writeTemp(dir string, b []byte) (string, error) {
	t, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return "", err
	}
	_, err = t.Write(b)
	if err == nil {
		err = t.Sync()
	}
	if err := errors.Join(err, t.Close()); err != nil {
		return "", errors.Join(err, os.Remove(t.Name()))
	}
	return t.Name(), nil
}

// place gives a file its name unless the name is taken. A hard link does both at once; where the file system has none, the
// name is reserved with an empty file first.
func place(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil || errors.Is(err, os.ErrExist) {
		return err
	}
	reserved, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := reserved.Close(); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

func syncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	defer d.Close()
	// Some file systems cannot sync a folder; the key file itself is on disk.
	_ = d.Sync()
	return nil
}
