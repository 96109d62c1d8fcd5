package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/node"
)

// newStart runs a node until it is told to stop.
func newStart(*app) *cobra.Command {
	var home string
	var signAtOnce bool
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Run this member's node",
		Long: `Runs the node of a home folder made by "dure init" until Ctrl-C or SIGTERM.

Settings come from config.yaml in the folder, then the environment (DURE_API_LISTEN and so on), then flags.
docs/config.md describes them all.`,
		Example: "  dure start --home /var/lib/dure\n  dure start --home /var/lib/dure --log-format json",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&home, "home", "dure-node", "the node's folder")
	cmd.Flags().BoolVar(&signAtOnce, "sign-at-once", false, "after a restore, vote without waiting for a later block; only when nothing has voted with this key since the backup")
	for _, s := range node.Settings() {
		cmd.Flags().String(s.Flag(), s.Default, s.Help)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		flags := map[string]string{}
		for _, s := range node.Settings() {
			if f := cmd.Flags().Lookup(s.Flag()); f.Changed {
				flags[s.Key] = f.Value.String()
			}
		}
		if signAtOnce {
			if err := node.Home(home).SignAtOnce(); err != nil {
				return err
			}
		}
		return runNode(cmd.Context(), node.Home(home), flags)
	}
	return cmd
}

func runNode(ctx context.Context, home node.Home, flags map[string]string) error {
	config, err := node.Load(home.Config(), os.LookupEnv, flags)
	if err != nil {
		return err
	}
	log, err := newLogger(config)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	go tuneMemory(ctx)
	n, err := node.Start(ctx, home, config, log, version())
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		log.Info("stopping")
		return n.Stop()
	case <-n.Done():
		err := n.Err()
		if stopErr := n.Stop(); err == nil {
			err = stopErr
		}
		if err == nil { // consensus halted for a reason that is not the store's
			err = errors.New("consensus could not go on")
		}
		return fmt.Errorf("the node stopped by itself; its log says why: %w", err)
	}
}

func newLogger(c *node.Config) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("setting log.level: %q: want debug, info, warn or error", c.LogLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, opts)), nil
	}
	return nil, fmt.Errorf("setting log.format: %q: want text or json", c.LogFormat)
}
