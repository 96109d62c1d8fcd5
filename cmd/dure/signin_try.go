package main

import (
	"encoding/json"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/node"
	"github.com/dureledger/dure/services/id/sandbox"
	"github.com/dureledger/dure/services/id/shop"
)

func signinSandbox(a *app) *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use: "sandbox operator|bank", Short: "Stand in for a mobile operator or a bank", Args: cobra.ExactArgs(1), ValidArgs: []string{"operator", "bank"},
		Long: `Stands in for the mobile operator that sends codes, or the bank that sends 1 won, while trying out. Nothing is really sent: a page shows it, to whoever
comes, so it answers on this machine alone.`,
		Example: "  dure signin sandbox operator --listen 127.0.0.1:8092\n  dure signin sandbox bank --listen 127.0.0.1:8093",
		RunE: func(cmd *cobra.Command, args []string) error {
			makers := map[string]func() http.Handler{"operator": sandbox.NewOperator, "bank": sandbox.NewBank}
			make, ok := makers[args[0]]
			if !ok {
				return usagef("%q: want operator or bank", args[0])
			}
			return a.tryOut(cmd, listen, make())
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8092", "host:port on this machine")
	return cmd
}

func signinShop(a *app) *cobra.Command {
	var settings, listen string
	cmd := &cobra.Command{
		Use: "shop", Short: "Run a small service to try signing in at", Args: cobra.NoArgs,
		Long:    `Runs a small service at which people sign in by the provider of one member or another, and which shows what it was told. It answers on this machine alone.`,
		Example: "  dure signin shop --settings shop.json --listen 127.0.0.1:8094",
		RunE: func(cmd *cobra.Command, _ []string) error {
			raw, err := readSmall(settings, 1<<20)
			if err != nil {
				return err
			}
			var c shop.Config
			if err := json.Unmarshal(raw, &c); err != nil {
				return usage(settings + ": " + err.Error())
			}
			s, err := shop.New(c)
			if err != nil {
				return err
			}
			return a.tryOut(cmd, listen, s)
		},
	}
	cmd.Flags().StringVar(&settings, "settings", "", "JSON file: name, url, providers, asks (required)")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8094", "host:port on this machine")
	must(cmd.MarkFlagRequired("settings"))
	return cmd
}

// tryOut serves what is for this machine alone.
func (a *app) tryOut(cmd *cobra.Command, listen string, h http.Handler) error {
	if err := onlyHere(listen); err != nil {
		return err
	}
	log, err := newLogger(&node.Config{LogLevel: "info", LogFormat: "text"})
	if err != nil {
		return err
	}
	log.Info("answering", "listen", listen)
	return serve(cmd.Context(), listen, "", "", h, log)
}
