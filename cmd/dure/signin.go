package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/node"
	"github.com/dureledger/dure/services/id"
)

// newSignin runs what people sign in with.
func newSignin(a *app) *cobra.Command {
	return parent("signin", "Let people sign in with their accounts", `A member runs a sign-in provider: an OpenID Connect provider whose people use passkeys that the ledger has. docs/sign-in.md is for the member and its
people, docs/integrate-sign-in.md for services at which they sign in.`,
		signinServe(a), signinService(a), signinConsent(a), signinSandbox(a), signinShop(a))
}

const signinServeLong = `Runs a member's sign-in provider. People make an account with a passkey after they proved a phone number and a bank account; the member
opens it on the ledger, and recovers it to a new passkey for those who prove the same again when they have lost every key. They sign in at any service, by the
provider of any member: nothing that this one keeps is needed by another.

People sign in at the services that organisations set on the ledger (dure org service set), and at those of the settings.

The settings are a JSON file: name, issuer, operator, bank and services (dure signin service makes an entry). The issuer must not be one of the network's
origins, at which people sign transactions. What the member learns of people is in the folder, encrypted with a key for each person; docs/sign-in.md says how to keep and back it up.

Without --cert-file it answers plain HTTP, for this machine or a proxy before it. Ctrl-C or SIGTERM stops it.`

type signinFlags struct {
	settings, dir, listen, cert, certKey, as, key, logLevel, logFormat string
}

func signinServe(a *app) *cobra.Command {
	var f signinFlags
	cmd := &cobra.Command{
		Use: "serve", Short: "Run a member's sign-in provider", Long: signinServeLong, Args: cobra.NoArgs,
		Example: "  dure signin serve --settings signin.json --dir /var/lib/dure/signin --as bank\n" +
			"  dure signin serve --settings signin.json --dir signin --as bank --listen :443 --cert-file id.pem --cert-key-file id-key.pem",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runSignin(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.settings, "settings", "", "JSON file of the provider's settings (required)")
	cmd.Flags().StringVar(&f.dir, "dir", "", "folder for the provider's keys and what it learns of people (required)")
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8090", "host:port to answer at")
	cmd.Flags().StringVar(&f.cert, "cert-file", "", "PEM file of the provider's certificate; without it plain HTTP is spoken")
	cmd.Flags().StringVar(&f.certKey, "cert-key-file", "", "PEM file of that certificate's key")
	a.actorFlag(cmd, &f.as, "as", "the member's account")
	cmd.Flags().StringVar(&f.key, "key", "", "name of the key to sign with, when it is not the account's own")
	must(cmd.RegisterFlagCompletionFunc("key", a.completeKeys))
	cmd.Flags().StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&f.logFormat, "log-format", "text", "text or json")
	cmd.MarkFlagsRequiredTogether("cert-file", "cert-key-file")
	for _, name := range []string{"settings", "dir"} {
		must(cmd.MarkFlagRequired(name))
	}
	return cmd
}

func (a *app) runSignin(ctx context.Context, f signinFlags) error {
	log, err := newLogger(&node.Config{LogLevel: f.logLevel, LogFormat: f.logFormat})
	if err != nil {
		return usage(err.Error())
	}
	raw, err := readSmall(f.settings, 1<<20)
	if err != nil {
		return err
	}
	settings, err := id.ReadSettings(raw)
	if err != nil {
		return usage(f.settings + ": " + err.Error())
	}
	ledger, err := a.signinLedger(ctx, f)
	if err != nil {
		return err
	}
	provider, err := id.New(ctx, id.Config{Settings: settings, Dir: f.dir, Ledger: ledger, Now: a.now, Log: log})
	if err != nil {
		return failed("The provider cannot start: "+err.Error()+".", "docs/sign-in.md says what it needs.")
	}
	log.Info("people may sign in", "issuer", settings.Issuer, "listen", f.listen, "services", len(settings.Services))
	return errors.Join(serve(ctx, f.listen, f.cert, f.certKey, provider.Handler(), log), provider.Close())
}

// signinLedger is the member's ledger, with its key to open accounts.
func (a *app) signinLedger(ctx context.Context, f signinFlags) (id.Node, error) {
	member, err := a.self(f.as)
	if err != nil {
		return id.Node{}, err
	}
	c, err := a.ledger()
	if err != nil {
		return id.Node{}, err
	}
	signer, err := a.signerFor(ctx, member, f.key)
	if err != nil {
		return id.Node{}, err
	}
	return id.Node{Client: c, Member: member.address, Do: func(ctx context.Context, d *client.Draft) (*apiv1.Outcome, error) {
		return c.Do(ctx, d, signer)
	}, Sign: func(d *client.Draft) (*client.Signed, error) { return c.Sign(d, signer) }}, nil
}

// serve answers HTTP until ctx ends, or the process is told to stop.
func serve(ctx context.Context, listen, cert, certKey string, h http.Handler, log *slog.Logger) error {
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return failed("Cannot listen on "+listen+": "+err.Error()+".", "Choose another --listen, or stop what has the port.")
	}
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() {
		if cert != "" {
			ended <- server.ServeTLS(l, cert, certKey)
		} else {
			ended <- server.Serve(l)
		}
	}()
	select {
	case err := <-ended:
		return failed("The server stopped: "+err.Error()+".", "Check its certificate and key.")
	case <-ctx.Done():
	}
	log.Info("stopping")
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	if err := server.Shutdown(late); err != nil {
		return server.Close() // a browser holds its connection
	}
	return nil
}

// onlyHere refuses addresses that others could reach.
func onlyHere(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if addr, bad := netip.ParseAddr(host); err != nil || bad != nil || !addr.IsLoopback() {
		return usagef("--listen %q: want host:port of this machine, such as 127.0.0.1:8092: it is for trying out and shows what nobody else may see", listen)
	}
	return nil
}

func signinService(a *app) *cobra.Command {
	var p id.Party
	var pairwise, public bool
	cmd := &cobra.Command{
		Use: "service ID", Short: "Make an entry for a service at which people sign in", Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		Long: `For trying out, or for a service of this member alone; dure org service set is for every member's provider. Makes a secret for a service and prints the entry for "services" in the provider's settings, which has only the secret's hash, and the secret, which is the
service's and is shown this once. The entry counts when the provider is started again.`,
		Example: "  dure signin service shop --name \"Corner Shop\" --redirect https://shop.example/callback --ask profile --ask phone\n" +
			"  dure signin service clinic --name Clinic --redirect https://clinic.example/cb --pairwise",
		RunE: func(_ *cobra.Command, args []string) error {
			p.ID = args[0]
			if pairwise {
				p.Subject = "pairwise"
			}
			secret := ""
			if !public {
				secret, p.SecretSHA256 = newSecret()
			}
			if err := p.Check(); err != nil {
				return usage(err.Error())
			}
			return a.print(struct {
				Entry  id.Party `json:"entry"`
				Secret string   `json:"secret,omitempty"`
			}{p, secret}, func(w io.Writer) {
				entry, err := json.MarshalIndent(p, "", "  ")
				must(err) // strings
				fmt.Fprintf(w, "%s\n", entry)
				if secret != "" {
					fmt.Fprintf(w, "\nIts secret, shown this once: %s\n", secret)
				}
			})
		},
	}
	cmd.Flags().StringVar(&p.Name, "name", "", "name that people see (required)")
	cmd.Flags().StringArrayVar(&p.RedirectURIs, "redirect", nil, "address to which people come back (required); may be repeated")
	cmd.Flags().StringArrayVar(&p.PostLogoutRedirectURIs, "after-logout", nil, "address to which people go after signing out; may be repeated")
	cmd.Flags().StringVar(&p.BackchannelLogoutURI, "backchannel-logout", "", "address that is told when a person signed out elsewhere")
	cmd.Flags().StringArrayVar(&p.MayAsk, "ask", nil, "item it may ask for: profile, phone, bank_account or account; may be repeated")
	cmd.Flags().BoolVar(&pairwise, "pairwise", false, "it knows people by numbers that only it has, not by their accounts")
	cmd.Flags().BoolVar(&public, "app", false, "it is an app that can keep no secret")
	for _, name := range []string{"name", "redirect"} {
		must(cmd.MarkFlagRequired(name))
	}
	return cmd
}

// newSecret is a secret for a service and the hash that the provider keeps.
func newSecret() (secret, hash string) {
	raw := make([]byte, 32)
	rand.Read(raw)
	secret = base64.RawURLEncoding.EncodeToString(raw)
	sum := sha256.Sum256([]byte(secret))
	return secret, hex.EncodeToString(sum[:])
}

// writeJSON writes a file of settings for its owner's eyes.
func writeJSON(path string, value any) error {
	raw, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o600)
}
