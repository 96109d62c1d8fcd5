package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/openid4vp"
	"github.com/dureledger/dure/ledger/fault"
)

// askFlags are those of credential ask.
type askFlags struct {
	schema, by, key, listen, url, png string
	claims                            []string
	encrypt                           bool
	wait                              time.Duration
}

func credentialAsk(a *app) *cobra.Command {
	var f askFlags
	cmd := &cobra.Command{
		Use: "ask", Short: "Ask a wallet for a credential, by a link and a QR code, and verify what it shows", Args: cobra.NoArgs,
		Long: `Does what a site does: asks for fields of a credential by OpenID4VP, prints the link and its QR code, waits until a wallet has answered, verifies the answer by the ledger and prints it. The
request is signed by an account's key, so that the wallet can say who asks. It listens on this machine; wallets elsewhere reach it by a proxy with https, whose address --url says.
Exit code 3 when the owner of the wallet refuses or nobody answers.

A site of one's own does the same with the Go package client/credential/openid4vp: docs/credentials.md.`,
		Example: `  dure credential ask --schema resident --claim district --by shop
  dure credential ask --schema resident --claim district --by shop --url https://shop.example/wallet/ --listen 127.0.0.1:8099 --png code.png`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.askForCredential(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.schema, "schema", "", "what is asked for: the name of a schema (required)")
	cmd.Flags().StringSliceVar(&f.claims, "claim", nil, "fields that are asked for, separated by commas")
	a.actorFlag(cmd, &f.by, "by", "who asks")
	signingKeyFlag(a, cmd, &f.key)
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:0", "host:port to listen on; port 0: any that is free")
	cmd.Flags().StringVar(&f.url, "url", "", "address at which wallets reach it (default http:// and where it listens)")
	cmd.Flags().StringVar(&f.png, "png", "", "file to write the QR code to as a picture; it must not exist")
	cmd.Flags().BoolVar(&f.encrypt, "encrypt", false, "ask for an encrypted answer")
	cmd.Flags().DurationVar(&f.wait, "wait", 5*time.Minute, "how long to wait for an answer")
	must(cmd.MarkFlagRequired("schema"))
	return cmd
}

func (a *app) askForCredential(ctx context.Context, f askFlags) error {
	self, err := a.self(f.by)
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
	key, err := a.accountKey(ctx, self, f.key)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return failed("Cannot listen on "+f.listen+": "+err.Error()+".", "Choose another --listen, or stop what has the port.")
	}
	defer listener.Close()
	if f.url == "" {
		f.url = "http://" + listener.Addr().String() + "/"
	}
	v, err := openid4vp.NewVerifier(openid4vp.Config{
		URL: f.url, Account: credential.ID{Network: network, Account: self.address}, Key: key, Ledger: credential.Online(c), Encrypt: f.encrypt, Lifetime: f.wait, Now: a.now,
	})
	if err != nil {
		return usage(fault.As(err).Message)
	}
	session, err := v.Begin(openid4vp.Ask(network, f.schema, f.claims...), "")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: v, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 20 * time.Second}
	defer func() { _ = server.Close() }()
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	if err := a.printAsked(session, f.png); err != nil {
		return err
	}
	return a.awaitAnswer(ctx, v, session, stopped)
}

// printAsked shows the link, and its QR code to a person.
func (a *app) printAsked(session *openid4vp.Session, picture string) error {
	code, err := openid4vp.QR(session.URI)
	if err != nil {
		return err
	}
	if picture != "" {
		b, err := code.PNG(6)
		if err != nil {
			return err
		}
		if err := writeNew(picture, b, 0o644); err != nil {
			return err
		}
	}
	return a.print(map[string]string{"request": session.URI, "until": clockTime(session.Until)}, func(w io.Writer) {
		if a.outTerminal {
			fmt.Fprint(w, "\x1b[30;47m"+code.Text()+"\x1b[0m")
		} else {
			fmt.Fprint(w, code.Text())
		}
		printFacts(w, []fact{{"request", session.URI}, {"until", clockTime(session.Until)}})
	})
}

// answerLook is how often it is looked whether a wallet has answered.
const answerLook = 100 * time.Millisecond

func (a *app) awaitAnswer(ctx context.Context, v *openid4vp.Verifier, session *openid4vp.Session, stopped <-chan error) error {
	look := time.NewTicker(answerLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-stopped:
			if !errors.Is(err, http.ErrServerClosed) {
				return failed("It cannot be reached any more: "+err.Error()+".", "")
			}
		case <-look.C:
		}
		result, err := v.Result(session.ID, "")
		switch {
		case fault.Code(err) == "presentation.pending":
			continue
		case err != nil:
			return notVerified(fault.New("presentation.unknown_session", "nobody has answered in time"), "Ask again.")
		case result.Refused:
			return notVerified(fault.New("presentation.refused", "the owner of the wallet does not agree to show it"), "")
		}
		for _, presented := range result.Presented {
			for _, found := range presented {
				if err := a.printVerified("the credential", found); err != nil {
					return err
				}
			}
		}
		return nil
	}
}
