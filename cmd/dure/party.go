package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
)

// party is an account as a person named it.
type party struct {
	address tx.Address
	// name of the key in the keystore; empty when an address was given that no key here has.
	name string
}

// String is the address, with the name of the key if there is one.
func (p party) String() string {
	if p.name == "" {
		return p.address.String()
	}
	return p.name + " (" + p.address.String() + ")"
}

// askAbout reads the account that a command is about, and connects to the ledger to ask of it.
func (a *app) askAbout(text string) (party, *client.Client, error) {
	p, err := a.party(text)
	if err != nil {
		return p, nil, err
	}
	c, err := a.ledger()
	return p, c, err
}

// party reads an account: an address, or the name of a key of the keystore.
func (a *app) party(text string) (party, error) {
	if text == "" {
		return party{}, usage("an account is missing")
	}
	if strings.HasPrefix(text, "0x") {
		address, err := tx.ParseAddress(text)
		if err != nil {
			return party{}, usage(err.Error())
		}
		return a.named(address), nil
	}
	k, err := a.keyNamed(text)
	if err != nil {
		return party{}, err
	}
	return party{k.Key.Address(), k.Name}, nil
}

// named adds the name of the key with this address, if the keystore has one.
func (a *app) named(address tx.Address) party {
	keys, err := a.keys()
	if err != nil {
		return party{address: address} // names are a courtesy
	}
	for _, k := range keys {
		if k.Key.Address() == address {
			return party{address, k.Name}
		}
	}
	return party{address: address}
}

// signerFor unlocks one key that acts for an account: the one named, the one the ledger says, or of a rule the one here that weighs most.
func (a *app) signerFor(ctx context.Context, p party, key string) (tx.Signer, error) {
	signers, err := a.signersFor(ctx, p, key, true)
	if err != nil {
		return nil, err
	}
	return signers[0], nil
}

// signersFor unlocks the keys that act for an account: those named, with commas between, or those the ledger says and the keystore has. Of a
// rule it takes one if that is enough, or else as many as the rule asks at most.
func (a *app) signersFor(ctx context.Context, p party, names string, one bool) ([]tx.Signer, error) {
	if names != "" {
		return a.unlockAll(strings.Split(names, ","))
	}
	c, err := a.ledger()
	if err != nil {
		return nil, err
	}
	account, err := c.Account(ctx, p.address)
	switch {
	case err == nil && account.GetRule() != nil:
		return a.signersByRule(p, account.GetRule(), one)
	case err == nil:
		signer, err := a.signerOf(p, account.GetKey())
		return []tx.Signer{signer}, err
	case !isNotFound(err):
		return nil, err
	}
	signer, err := a.signerOf(p, p.address.String())
	return []tx.Signer{signer}, err
}

// signerOf unlocks the key, by its address, that acts for an account.
func (a *app) signerOf(p party, key string) (tx.Signer, error) {
	acting, err := tx.ParseAddress(key)
	if err != nil {
		acting = p.address
	}
	if k := a.named(acting); k.name != "" {
		return a.unlock(k.name)
	}
	if acting != p.address {
		return nil, failed("Account "+p.String()+" acts by another key, "+acting.String()+", which is not in the keystore.",
			"Bring the key here (dure key import), or name one with --key.")
	}
	return nil, failed("The keystore has no key for account "+p.String()+".",
		"Bring the key here (dure key import), or name one with --key. dure key list shows what there is.")
}

// unlock opens a key for signing, asking for its passphrase unless it is in hardware.
func (a *app) unlock(name string) (tx.Signer, error) {
	if signer := a.unlocked[name]; signer != nil { // it has read already
		return signer, nil
	}
	signer, err := unlockWith(a, name, a.openKey)
	if err == nil {
		a.unlocked[name] = signer
	}
	return signer, err
}

// unlockWith opens a key in one of its forms, asking for its passphrase.
func unlockWith[T any](a *app, name string, open func(name, passphrase string) (T, error)) (opened T, err error) {
	k, err := a.keyNamed(name)
	if err != nil {
		return opened, err
	}
	if k.Hardware != "" { // a passphrase is never tried as a PIN
		return open(name, "")
	}
	if a.passphrase != "" { // the one that opened another key often opens this one
		if opened, err = open(name, a.passphrase); err == nil {
			return opened, nil
		}
	}
	for try := 1; ; try++ {
		passphrase, given, err := a.askPassphrase("The passphrase of the key "+name, false)
		if err != nil {
			return opened, err
		}
		opened, err = open(name, passphrase)
		if err == nil {
			a.passphrase = passphrase
			return opened, nil
		}
		if given || try == 3 || !wrongPassphrase(err) {
			return opened, err
		}
	}
}

// addressOf is the address of an account that may be left out; empty if it is.
func (a *app) addressOf(account string) (string, error) {
	if account == "" {
		return "", nil
	}
	p, err := a.party(account)
	if err != nil {
		return "", err
	}
	return p.address.String(), nil
}

// accountFlag adds a required flag that takes an account.
func (a *app) accountFlag(cmd *cobra.Command, value *string, name, help string) {
	cmd.Flags().StringVar(value, name, "", help+": address or name of a key (required)")
	must(cmd.MarkFlagRequired(name))
	must(cmd.RegisterFlagCompletionFunc(name, a.completeKeys))
}

// actorFlag adds a flag for the account that acts, which may be left out: see self.
func (a *app) actorFlag(cmd *cobra.Command, value *string, name, help string) {
	cmd.Flags().StringVar(value, name, "", help+": address or name of a key (default: see dure --help)")
	must(cmd.RegisterFlagCompletionFunc(name, a.completeKeys))
}

// self is the account that acts: the one named, or if none is that of DURE_ACCOUNT, of the file HOME/account, or of the only key there is.
func (a *app) self(given string) (party, error) {
	name, err := a.selfName(given)
	if err != nil {
		return party{}, err
	}
	p, err := a.party(name)
	if err == nil {
		a.actor = p
	}
	return p, err
}

func (a *app) selfName(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	if account := a.getenv("DURE_ACCOUNT"); account != "" {
		return account, nil
	}
	if account := a.setting("account"); account != "" {
		return account, nil
	}
	keys, err := a.keys()
	if err != nil {
		return "", err
	}
	if len(keys) == 1 {
		return keys[0].Name, nil
	}
	return "", &problem{exit: exitUsage, code: "usage", what: "It is not said which account acts.",
		advice: "Name one with --from or --by, or set DURE_ACCOUNT. dure key list shows your keys."}
}
