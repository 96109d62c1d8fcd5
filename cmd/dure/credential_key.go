package main

import (
	"context"
	"crypto"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/credential"
)

// signingKeyFlag names the key that signs credentials and requests.
func signingKeyFlag(a *app, cmd *cobra.Command, key *string) {
	cmd.Flags().StringVar(key, "key", "", "name of the key to sign with, when it is not the one that acts for the account")
	must(cmd.RegisterFlagCompletionFunc("key", a.completeKeys))
}

// accountKey opens the key that acts for an account, or the one named, in the form that signs credentials and requests.
func (a *app) accountKey(ctx context.Context, p party, key string) (crypto.Signer, error) {
	if key == "" {
		c, err := a.ledger()
		if err != nil {
			return nil, err
		}
		account, err := c.Account(ctx, p.address)
		if err != nil {
			return nil, err
		}
		if key = account.GetKey(); key == "" {
			return nil, credential.Ruled(p.address)
		}
	}
	if named, err := a.keyNamed(key); err == nil {
		key = named.Name
	} else {
		return nil, failed("Account "+p.String()+" acts by the key "+key+", which is not in the keystore.", "Bring the key here (dure key import), or name one with --key.")
	}
	return unlockWith(a, key, a.openDeviceKey)
}
