package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/statustoken"
)

// tokenFlags are those of credential status token.
type tokenFlags struct {
	by, key, expires string
	ttl              time.Duration
}

func statusToken(a *app) *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use: "token LIST", Short: "Sign a status list as a Status List Token, for verifiers without a ledger", Args: cobra.ExactArgs(1),
		Long: `Reads a status list of yours from a node and signs it as a Status List Token (typ statuslist+jwt), which wallets and verifiers read that know your key and no ledger. Serve it from
your site as application/statuslist+jwt, and make it anew before its time is over: what was revoked since, it does not say.`,
		Example: "  dure credential status token 1 --by gimpo --expires 1h --ttl 15m > status.jwt",
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := parseNumber("LIST", args[0])
			if err != nil {
				return err
			}
			return a.signStatusToken(cmd.Context(), number, f)
		},
	}
	a.actorFlag(cmd, &f.by, "by", "the issuer")
	signingKeyFlag(a, cmd, &f.key)
	cmd.Flags().StringVar(&f.expires, "expires", "1d", "valid until: a day, a time, or a span from now")
	cmd.Flags().DurationVar(&f.ttl, "ttl", 15*time.Minute, "how long a copy may be kept")
	return cmd
}

func (a *app) signStatusToken(ctx context.Context, number uint32, f tokenFlags) error {
	issuer, err := a.self(f.by)
	if err != nil {
		return err
	}
	c, err := a.ledger()
	if err != nil {
		return err
	}
	network, err := c.Network(ctx)
	if err != nil {
		return err
	}
	list, _, err := c.StatusList(ctx, issuer.address, number)
	if err != nil {
		return err
	}
	key, err := a.accountKey(ctx, issuer, f.key)
	if err != nil {
		return err
	}
	id := credential.ID{Network: network, Account: issuer.address}
	header, err := credential.Header(key, id)
	if err != nil {
		return err
	}
	token := statustoken.Token{Subject: credential.ListName(id, number), Issued: a.now(), TTL: f.ttl, List: list}
	if token.Expires, err = a.moment("expires", f.expires); err != nil {
		return err
	}
	text, err := statustoken.Sign(key, header, token)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, text)
	return err
}
