package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
)

func newAccess(a *app) *cobra.Command {
	return parent("access", "Reading at nodes that answer by account", `Where a node's setting api.access is consortium, members read everything and other accounts what concerns them. Every command
shows who reads when a node asks: the account of --as, or else the one that acts. docs/access.md says more.`, accessHeaders(a))
}

func accessHeaders(a *app) *cobra.Command {
	var method string
	cmd := &cobra.Command{
		Use: "headers URL", Short: "Print the headers that show who reads, for curl and other programs", Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		Long: `Gets a token for the account of --as at the node of the URL and prints two headers: Authorization with the token and DPoP with a
proof for this URL. They are good for one request, made within a minute.`,
		Example: "  URL=https://node.example/dure.api.v1.AssetService/ListBalances\n" +
			"  dure access headers $URL --as alice | curl -H @- -H 'Content-Type: application/json' \\\n    -d '{\"account\":\"0x8ba1…BA72\"}' $URL",
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := url.Parse(args[0])
			if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
				return usagef("%q: want the whole URL of a procedure, such as https://node.example/dure.api.v1.LedgerService/GetTransaction", args[0])
			}
			c, err := a.dial([]string{u.Scheme + "://" + u.Host})
			if err != nil {
				return err
			}
			h, err := c.ReadHeaders(cmd.Context(), method, args[0])
			if err != nil {
				return err
			}
			shown := map[string]string{"authorization": h.Get("Authorization"), "dpop": h.Get("DPoP")}
			return a.print(shown, func(w io.Writer) {
				fmt.Fprintf(w, "Authorization: %s\nDPoP: %s\n", shown["authorization"], shown["dpop"])
			})
		},
	}
	cmd.Flags().StringVar(&method, "method", http.MethodPost, "method of the request")
	must(cmd.RegisterFlagCompletionFunc("method", cobra.NoFileCompletions))
	return cmd
}

// reader says who reads, when a node asks: the account of --as, else the one that acts. Its key is found without the ledger,
// which is what is not to be read yet.
func (a *app) reader(context.Context) (tx.Address, tx.Signer, error) {
	p := a.actor
	if a.as != "" || p.address == (tx.Address{}) {
		name, err := a.selfName(a.as)
		if err != nil {
			return tx.Address{}, nil, &problem{exit: exitUsage, code: "usage", what: "The node answers by account, and it is not said which account reads.",
				advice: "Name one with --as, or set DURE_ACCOUNT. dure key list shows your keys.", err: err}
		}
		if p, err = a.party(name); err != nil {
			return tx.Address{}, nil, err
		}
	}
	key := a.asKey
	if key == "" {
		key = p.name
	}
	if key == "" {
		return tx.Address{}, nil, failed("The node answers by account, and the keystore has no key of account "+p.String()+".",
			"Bring the key here (dure key import), or name the one that acts for it with --as-key.")
	}
	signer, err := a.unlock(key)
	return p.address, signer, err
}

// dial connects to nodes.
func (a *app) dial(addresses []string) (*client.Client, error) {
	c, err := client.Dial(client.Config{
		Addresses: addresses, Network: a.network, CAFile: a.caFile, CertFile: a.certFile, KeyFile: a.certKeyFile, Patience: a.patience, Clock: a.clock, Reader: a.reader,
	})
	if err != nil {
		return nil, usage(err.Error())
	}
	return c, nil
}
