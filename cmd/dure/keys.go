package main

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"

	"github.com/dureledger/dure/client/keystore"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// store is the keystore. Its folder is made with the first key.
func (a *app) store() (*keystore.Store, error) {
	options := []keystore.Option{keystore.Clock(a.now), keystore.PIN(a.askPIN)}
	if a.workFactor > 0 {
		options = append(options, keystore.WorkFactor(a.workFactor))
	}
	return keystore.Open(a.keystoreDir, options...)
}

// keys lists the keystore, once. Files that cannot be read are reported and left out.
func (a *app) keys() ([]keystore.Entry, error) {
	if a.listed != nil {
		return a.listed, nil
	}
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	entries, err := store.List()
	if err != nil && len(entries) == 0 {
		return nil, err
	}
	if err != nil {
		fmt.Fprintln(a.err, "dure: warning: "+err.Error())
	}
	a.listed = entries
	return entries, nil
}

// keyNamed finds a key by name or address.
func (a *app) keyNamed(name string) (keystore.Entry, error) {
	keys, err := a.keys()
	if err != nil {
		return keystore.Entry{}, err
	}
	for _, k := range keys {
		if k.Name == name || k.Address.String() == name {
			return k, nil
		}
	}
	return keystore.Entry{}, &problem{exit: exitUsage, code: "key.unknown", what: fmt.Sprintf("There is no key named %q in %s.", name, a.keystoreDir),
		advice: "Give an address (0x…) or the name of a key: dure key list shows them, dure key new makes one."}
}

func (a *app) createKey(name string, kind accountv1.KeyKind, passphrase string) (keystore.Entry, error) {
	store, err := a.store()
	if err != nil {
		return keystore.Entry{}, err
	}
	a.listed = nil
	return store.New(name, kind, passphrase)
}

func (a *app) openKey(name, passphrase string) (tx.Signer, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	return store.Unlock(name, passphrase)
}

// openDeviceKey opens a key in the form that signs readings and certificates.
func (a *app) openDeviceKey(name, passphrase string) (crypto.Signer, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	return store.DeviceKey(name, passphrase)
}

// importKey stores an exported key file, or with a kind a raw secret in hex.
func (a *app) importKey(name string, content []byte, secretKind string) (keystore.Entry, error) {
	store, err := a.store()
	if err != nil {
		return keystore.Entry{}, err
	}
	a.listed = nil
	if secretKind == "" {
		return store.ImportFile(name, content)
	}
	kind, err := tx.ParseKind(secretKind)
	if err != nil {
		return keystore.Entry{}, usage(err.Error())
	}
	secret, err := hex.DecodeString(string(bytes.TrimPrefix(bytes.TrimSpace(content), []byte("0x"))))
	if err != nil || len(secret) != tx.SecretSize {
		return keystore.Entry{}, usagef("the file must hold %d bytes in hex", tx.SecretSize)
	}
	passphrase, _, err := a.askPassphrase("A passphrase for the key "+name, true)
	if err != nil {
		return keystore.Entry{}, err
	}
	return store.Import(name, kind, secret, passphrase)
}

// exportKey is the encrypted file, or the secret itself when plain names a format.
func (a *app) exportKey(name, plain string) ([]byte, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	formats := map[string]keystore.Format{"hex": keystore.Hex, "pem": keystore.PEM}
	if plain == "" {
		return store.Export(name)
	}
	format, ok := formats[plain]
	if !ok {
		return nil, usagef("--plain %q: want hex or pem", plain)
	}
	passphrase, _, err := a.askPassphrase("The passphrase of the key "+name, false)
	if err != nil {
		return nil, err
	}
	return store.ExportPlain(name, passphrase, format)
}

// wrongPassphrase says whether opening a key failed for that, so that asking again makes sense.
func wrongPassphrase(err error) bool { return fault.Code(err) == "key.wrong_passphrase" }
