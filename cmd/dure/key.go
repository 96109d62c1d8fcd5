package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/keystore"
	"github.com/dureledger/dure/ledger/tx"
)

func newKey(a *app) *cobra.Command {
	return parent("key", "Keys that sign for accounts", `Keys live in the keystore folder, each in a file of its own, encrypted with a passphrase. A key's address is the
address of the account it opens. A key may also live in a TPM or in a token that is reached by PKCS#11, and never leave it: then its file
says where it is.`,
		keyNew(a), keyAdd(a), keyList(a), keyShow(a), keyExport(a), keyImport(a))
}

// keyView is a key as printed. It has no secret.
type keyView struct {
	Name      string `json:"name"`
	Address   string `json:"address"`
	Kind      string `json:"kind"`
	PublicKey string `json:"publicKey"`
	Created   string `json:"createdAt,omitempty"`
	// Hardware is the URI of a key that is not in the keystore itself.
	Hardware string `json:"hardware,omitempty"`
}

func viewKey(k keystore.Entry) keyView {
	view := keyView{Name: k.Name, Address: k.Key.Address().String(), Kind: tx.KindName(k.Key.Kind), PublicKey: hex.EncodeToString(k.Key.Public), Hardware: k.Hardware}
	if !k.Created.IsZero() {
		view.Created = clockTime(k.Created)
	}
	return view
}

func (v keyView) print(w io.Writer) {
	public := v.PublicKey
	if len(public) > 200 {
		public = public[:64] + fmt.Sprintf("… (%d bytes; --json shows all)", len(v.PublicKey)/2)
	}
	printFacts(w, []fact{{"name", v.Name}, {"address", v.Address}, {"kind", v.Kind}, {"public key", public}, {"in hardware", clean(v.Hardware)}, {"created", v.Created}})
}

func keyNew(a *app) *cobra.Command {
	var kind, in string
	cmd := &cobra.Command{
		Use: "new NAME", Short: "Make a key", Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		Long: `Makes a key and stores it encrypted. Nothing is sent anywhere: the account is opened by a member, with dure account open.

With --in the key is made in a TPM 2.0 or in a PKCS#11 token, which never gives it away, and what is stored is where it is. It is P-256, or in tokens
that can do it --kind ed25519. ` + hardwareLong,
		Example: "  dure key new alice\n  dure key new backup --kind ml-dsa-65\n" +
			"  dure key new meter-1 --in 'tpm:0x81010005?device=/dev/tpmrm0'\n" +
			"  dure key new meter-2 --in 'pkcs11:token=meters;object=meter-2?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/meter/pin'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if in != "" {
				return a.newInHardware(args[0], in, kind, cmd.Flags().Changed("kind"))
			}
			k, err := tx.ParseKind(kind)
			if err != nil {
				return usage(err.Error())
			}
			if _, err := a.keyNamed(args[0]); err == nil {
				return keyExists(args[0])
			}
			passphrase, _, err := a.askPassphrase("A passphrase for the key "+args[0], true)
			if err != nil {
				return err
			}
			made, err := a.createKey(args[0], k, passphrase)
			if err != nil {
				return err
			}
			view := viewKey(made)
			return a.print(view, func(w io.Writer) {
				fmt.Fprintln(w, "Made a key. Keep a copy of its file and the passphrase: without them the account is lost.")
				view.print(w)
				printFacts(w, []fact{{"folder", a.keystoreDir}})
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "ed25519", "kind of key: "+strings.Join(softKinds(), ", ")+" (default with --in: p256)")
	cmd.Flags().StringVar(&in, "in", "", "make it in hardware, at this place: tpm:… or pkcs11:…")
	must(cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(softKinds(), cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// softKinds are the kinds that software can sign with: passkeys cannot leave their device.
func softKinds() []string {
	var out []string
	for _, name := range tx.KindNames() {
		if name != "webauthn" {
			out = append(out, name)
		}
	}
	return out
}

func keyExists(name string) error {
	return failed("There is a key named "+name+" already.", "Choose another name; dure key list shows what there is.")
}

func keyList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the keys in the keystore", Args: cobra.NoArgs, Example: "  dure key list",
		RunE: func(*cobra.Command, []string) error {
			keys, err := a.keys()
			if err != nil {
				return err
			}
			views := make([]keyView, 0, len(keys))
			for _, k := range keys {
				views = append(views, viewKey(k))
			}
			return list[keyView]{
				heading: []string{"NAME", "ADDRESS", "KIND"}, none: "No keys yet. Make one with: dure key new NAME",
				row: func(v keyView) []string { return []string{v.Name, v.Address, v.Kind} },
			}.show(a, each(views))
		},
	}
}

func keyShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show a key's address and public key", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Example: "  dure key show alice",
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := a.keyNamed(args[0])
			if err != nil {
				return err
			}
			view := viewKey(k)
			return a.print(view, view.print)
		},
	}
}

func keyExport(a *app) *cobra.Command {
	var public bool
	var out, plain string
	cmd := &cobra.Command{
		Use: "export NAME", Short: "Export a key: its encrypted file, or its public part", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeyArg,
		Long: `Exports a key for another machine. Without --public this is the encrypted key file: whoever has it and its passphrase
can sign. With --public it is KIND:HEX, which a sponsor needs to open the account. With --plain it is the secret itself,
unprotected: whoever sees it can sign.`,
		Example: "  dure key export alice -o alice.key\n  dure key export alice --public",
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := a.keyNamed(args[0])
			if err != nil {
				return err
			}
			content := []byte(publicText(k.Key) + "\n")
			if !public {
				if content, err = a.exportKey(k.Name, plain); err != nil {
					return err
				}
			}
			if out == "" {
				_, err = a.out.Write(content)
				return err
			}
			if err := writeNew(out, content, 0o600); err != nil {
				return err
			}
			return a.print(map[string]string{"name": k.Name, "file": out}, func(w io.Writer) { fmt.Fprintln(w, "Wrote "+out+".") })
		},
	}
	cmd.Flags().BoolVar(&public, "public", false, "only the public key, as KIND:HEX")
	cmd.Flags().StringVar(&plain, "plain", "", "the unprotected secret, as hex or pem (PKCS #8)")
	cmd.MarkFlagsMutuallyExclusive("public", "plain")
	must(cmd.RegisterFlagCompletionFunc("plain", cobra.FixedCompletions([]string{"hex", "pem"}, cobra.ShellCompDirectiveNoFileComp)))
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; it must not exist (default standard output)")
	return cmd
}

func keyImport(a *app) *cobra.Command {
	var secretKind string
	cmd := &cobra.Command{
		Use: "import NAME FILE", Short: "Import a key file, or a raw secret", Args: cobra.ExactArgs(2),
		Long: `Imports a file made by dure key export; it keeps its passphrase. With --secret KIND the file holds the 32-byte secret in
hex instead (an Ed25519 seed, a secp256k1 scalar as Ethereum tools export it) and is encrypted with a new passphrase.`,
		Example: "  dure key import alice alice.key\n  dure key import wallet wallet.hex --secret secp256k1",
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := a.keyNamed(args[0]); err == nil {
				return keyExists(args[0])
			}
			content, err := readSmall(args[1], 64<<10)
			if err != nil {
				return err
			}
			imported, err := a.importKey(args[0], content, secretKind)
			if err != nil {
				return err
			}
			view := viewKey(imported)
			return a.print(view, func(w io.Writer) {
				fmt.Fprintln(w, "Imported a key.")
				view.print(w)
			})
		},
	}
	cmd.Flags().StringVar(&secretKind, "secret", "", "the file holds a raw secret of this kind, in hex")
	must(cmd.RegisterFlagCompletionFunc("secret", cobra.FixedCompletions(softKinds(), cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// publicText is a public key as people pass it on: KIND:HEX.
func publicText(k tx.Key) string { return tx.KindName(k.Kind) + ":" + hex.EncodeToString(k.Public) }

// parsePublic reads KIND:HEX.
func parsePublic(text string) (tx.Key, error) {
	name, digits, ok := strings.Cut(text, ":")
	public, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return tx.Key{}, usagef("public key %q: want KIND:HEX, as dure key export --public prints it", text)
	}
	kind, err := tx.ParseKind(name)
	if err != nil {
		return tx.Key{}, usage(err.Error())
	}
	key := tx.Key{Kind: kind, Public: public}
	if err := tx.CheckKey(key); err != nil {
		return tx.Key{}, usage(err.Error())
	}
	return key, nil
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, content []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if os.IsExist(err) {
		return failed(path+" exists already.", "Choose another name, or move it away.")
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// readSmall reads a file of at most limit bytes.
func readSmall(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, usage(err.Error())
	}
	if info.Size() > limit {
		return nil, usagef("%s has %d bytes; at most %d are read", path, info.Size(), limit)
	}
	return os.ReadFile(path)
}
