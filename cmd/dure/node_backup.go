package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/dureledger/dure/node"
)

// newBackup copies a node's data to a file.
func newBackup(a *app) *cobra.Command {
	var home, out string
	var withKeys bool
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Copy a node's ledger to one file, while it runs",
		Long: `Writes everything a node needs to go on elsewhere to one file: genesis, configuration, the newest state, every
outcome this node has, and the blocks. A node that runs goes on running; one that does not is read from its folder.
States of earlier blocks and the index are left out: the index is made again.

The file is a tar whose last entry is the SHA-256 of everything before it; it is checked once written, and again by
"dure restore". It shows all that members see; keep it as you keep the node's folder.

Keys are not in it unless --with-keys is given, which encrypts them with a passphrase (--passphrase-file, DURE_PASSPHRASE,
or asked for). The validator's signing state is never in it: an old one would let the validator sign twice.`,
		Example: "  dure backup --home /var/lib/dure --out /backup/dure-2026-05-01.tar\n  dure backup --home /var/lib/dure --out b.tar --with-keys",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var sealed []byte
			var err error
			if withKeys {
				if sealed, err = a.sealKeys(node.Home(home)); err != nil {
					return err
				}
			}
			return a.backup(cmd.Context(), node.Home(home), out, sealed)
		},
	}
	cmd.Flags().StringVar(&home, "home", "dure-node", "the node's folder")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; must not exist")
	cmd.Flags().BoolVar(&withKeys, "with-keys", false, "also carry the node's and the validator's key, encrypted with a passphrase")
	must(cmd.MarkFlagRequired("out"))
	return cmd
}

func (a *app) backup(ctx context.Context, home node.Home, out string, sealed []byte) error {
	if exists(out) {
		return usage(out + " exists; choose another file with --out")
	}
	f, err := os.CreateTemp(filepath.Dir(out), ".backup-*")
	if err != nil {
		return failed("the backup cannot be written: "+err.Error(), "choose another file with --out")
	}
	defer os.Remove(f.Name()) // gone when renamed
	shown := a.newByteProgress("Copied", 0)
	err = node.BackupRunning(ctx, home, &copyWriter{f, shown}, bytes.NewReader(sealed))
	if errors.Is(err, node.ErrNotRunning) {
		err = node.BackupStopped(ctx, home, &copyWriter{f, shown}, sealed)
	}
	shown.end()
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	info, err := os.Stat(f.Name())
	if err != nil {
		return err
	}
	checked := a.newByteProgress("Checked", info.Size())
	err = node.CheckArchive(f.Name(), func(n int) { checked.add(int64(n)) })
	checked.end()
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), out); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Backed up %s to %s (%s).\n", home, out, bytesText(info.Size()))
	if sealed == nil {
		fmt.Fprintln(a.out, "The node's keys are not in it: keep a copy of keys/ apart, or use --with-keys.")
	}
	return nil
}

// newRestore makes a node's folder of a backup.
func newRestore(a *app) *cobra.Command {
	var home string
	var withKeys bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a node's folder from a backup",
		Long: `Checks the backup's digest, then makes the data of a node from it in a folder that has none. Genesis, configuration and
keys that are in the folder are kept; with --with-keys the keys come from the backup, if it has them. Started, the node
fetches the blocks since the backup from the other members and has their state again.

Stop the old node for ever first: two nodes with one validator key sign twice, which every member sees and remembers.
The new node does not know what the old one has signed since the backup. It therefore does not vote until the ledger has
a block later than its start, which the other members make; all else works at once. When they cannot without it (more than
a third of the power is down, or it is the only member) and you are sure that nothing has voted with this key since the
backup: dure start --sign-at-once.

If it is interrupted, run it again: it begins anew, and until then the folder refuses to start.`,
		Example: "  dure restore b.tar --home /var/lib/dure\n  dure start --home /var/lib/dure",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.restore(node.Home(home), args[0], withKeys)
		},
	}
	cmd.Flags().StringVar(&home, "home", "dure-node", "the node's folder; must have no ledger yet")
	cmd.Flags().BoolVar(&withKeys, "with-keys", false, "also restore the keys in the backup, with its passphrase")
	return cmd
}

func (a *app) restore(home node.Home, file string, withKeys bool) error {
	info, err := os.Stat(file)
	if err != nil {
		return usage("backup: " + err.Error())
	}
	var keys func([]byte) error
	if withKeys {
		keys = func(sealed []byte) error { return a.openKeys(home, sealed) }
	}
	shown := a.newByteProgress("Restored", 2*info.Size())
	m, err := node.Restore(home, file, keys, func(n int) { shown.add(int64(n)) })
	shown.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Restored %s from the backup of %s: network %s, block %d.\n", home, m.Made, m.Network, m.Blocks)
	if _, err := home.Key("validator"); err != nil {
		fmt.Fprintf(a.out, "The node's keys are missing: put node.key and validator.key into %s", filepath.Join(string(home), "keys"))
		if m.Keys {
			fmt.Fprint(a.out, ", or restore again with --with-keys")
		}
		fmt.Fprintln(a.out, ".")
	}
	fmt.Fprintf(a.out, "Make sure that the old node never runs again, then: dure start --home %s\n"+
		"It does not vote until the other members have made a block later than its start; \"dure restore --help\" says why.\n", home)
	return nil
}

// keyNames are the keys that a backup can carry.
var keyNames = []string{"node", "validator"}

// sealKeys encrypts the node's keys with a passphrase.
func (a *app) sealKeys(home node.Home) ([]byte, error) {
	keys := map[string]string{}
	for _, name := range keyNames {
		key, err := home.Key(name)
		if err != nil {
			return nil, err
		}
		keys[name] = key.Text()
	}
	raw, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	passphrase, _, err := a.askPassphrase("Passphrase for the keys in the backup", true)
	if err != nil {
		return nil, err
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, usage("passphrase: " + err.Error())
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(raw)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}

// openKeys writes the keys in a backup to the home.
func (a *app) openKeys(home node.Home, sealed []byte) error {
	passphrase, _, err := a.askPassphrase("Passphrase of the keys in the backup", false)
	if err != nil {
		return err
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return usage("passphrase: " + err.Error())
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), identity)
	if err != nil {
		return fmt.Errorf("the keys in the backup cannot be opened; is the passphrase right? %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, 64<<10))
	if err != nil {
		return err
	}
	keys := map[string]string{}
	if err := json.Unmarshal(raw, &keys); err != nil {
		return fmt.Errorf("the keys in the backup are malformed: %w", err)
	}
	for _, name := range keyNames {
		key, err := node.ParseSecret(keys[name])
		if err != nil {
			return fmt.Errorf("the %s key in the backup is %w", name, err)
		}
		if err := home.SetKey(name, key); err != nil {
			return err
		}
	}
	return nil
}

// newByteProgress counts bytes; a total of 0 is not known.
func (a *app) newByteProgress(what string, total int64) *progress {
	p := a.newProgress(what, int(total), false)
	p.unit = bytesText
	return p
}

// copyWriter counts what is written.
type copyWriter struct {
	io.Writer
	shown *progress
}

func (w *copyWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.shown.add(int64(n))
	return n, err
}

func bytesText(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", (n+1023)>>10)
}
