package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/keystore"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
)

const hardwareLong = `The places are

  tpm:HANDLE?device=TPM              a persistent handle, 0x81000000 to 0x817fffff, of the TPM at a device file (default /dev/tpmrm0), a socket
                                     or tcp:HOST:PORT; with &pin-source=file:PATH the key has a PIN
  pkcs11:token=T;object=K?module-path=LIBRARY
                                     a key of a token, named as RFC 7512 says; with &pin-source=file:PATH its PIN is in a file, otherwise it is
                                     DURE_PIN or asked for`

func keyAdd(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "add NAME URI", Short: "Use a key that a TPM or token has", Args: cobra.ExactArgs(2),
		Long: `Stores where a key is that a TPM 2.0 or a PKCS#11 token has, so that every command can sign with it by its name. There is nothing secret in what is
stored. The key is P-256 or Ed25519. ` + hardwareLong,
		Example: "  dure key add meter-1 'tpm:0x81010005?device=/dev/tpmrm0'\n" +
			"  dure key add meter-2 'pkcs11:token=meters;object=meter-2?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/meter/pin'",
		RunE: func(_ *cobra.Command, args []string) error {
			return a.keepHardware(args[0], "Stored where the key is.", func(s *keystore.Store) (keystore.Entry, error) { return s.Add(args[0], args[1]) })
		},
	}
}

// newInHardware makes a key at the place of a URI: P-256, unless another kind is asked for.
func (a *app) newInHardware(name, uri, kind string, asked bool) error {
	k := accountv1.KeyKind_KEY_KIND_P256
	if asked {
		var err error
		if k, err = tx.ParseKind(kind); err != nil {
			return usage(err.Error())
		}
	}
	return a.keepHardware(name, "Made a key. It is in the chip alone: there is no copy of it.", func(s *keystore.Store) (keystore.Entry, error) { return s.NewIn(name, uri, k) })
}

func (a *app) keepHardware(name, done string, keep func(*keystore.Store) (keystore.Entry, error)) error {
	if _, err := a.keyNamed(name); err == nil {
		return keyExists(name)
	}
	store, err := a.store()
	if err != nil {
		return err
	}
	a.listed = nil
	entry, err := keep(store)
	if err != nil {
		return err
	}
	view := viewKey(entry)
	return a.print(view, func(w io.Writer) {
		fmt.Fprintln(w, done)
		view.print(w)
	})
}

// askPIN finds the PIN of a token whose URI does not say where it is: DURE_PIN, or a prompt, once for each token. A passphrase is none.
func (a *app) askPIN(of string) (string, error) {
	if pin := a.getenv("DURE_PIN"); pin != "" {
		return pin, nil
	}
	if pin, ok := a.pins[of]; ok {
		return pin, nil
	}
	noPIN := &problem{exit: exitUsage, code: "usage", what: "The PIN of " + of + " is needed, and there is no terminal to ask on.",
		advice: "Give it in DURE_PIN, or say where it is in the key's URI: pin-source=file:/path."}
	if a.secret == nil {
		return "", noPIN
	}
	pin, err := a.secret("The PIN of " + of + ": ")
	if err != nil {
		return "", noPIN
	}
	if a.pins == nil {
		a.pins = map[string]string{}
	}
	a.pins[of] = pin
	return pin, nil
}
