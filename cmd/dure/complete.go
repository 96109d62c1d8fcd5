package main

import (
	"context"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
)

// completeTimeout bounds how long pressing Tab may take.
const completeTimeout = 700 * time.Millisecond

// completeKeys completes names of keys.
func (a *app) completeKeys(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	if err := a.start(); err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	keys, err := a.keys()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	out := make([]string, 0, len(keys))
	for _, k := range keys {
		out = append(out, k.Name+"\t"+k.Address.String())
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeKeyArg completes a first argument that is an account.
func (a *app) completeKeyArg(cmd *cobra.Command, args []string, part string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeKeys(cmd, args, part)
}

// completeAssets completes names of assets by asking the node, briefly.
func (a *app) completeAssets(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return completeFrom(a, func(ctx context.Context, c *client.Client) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for x, err := range c.Assets(ctx) {
				if !yield(x.GetAsset()+"\t"+clean(x.GetName()), err) {
					return
				}
			}
		}
	})
}

// completeAssetArg completes a first argument that is an asset.
func (a *app) completeAssetArg(cmd *cobra.Command, args []string, part string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeAssets(cmd, args, part)
}

// completeAssetAccount completes an asset and then an account.
func (a *app) completeAssetAccount(cmd *cobra.Command, args []string, part string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return a.completeAssets(cmd, args, part)
	case 1:
		return a.completeKeys(cmd, args, part)
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completeHoldArg completes open holds of the accounts whose keys are here.
func (a *app) completeHoldArg(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeFrom(a, func(ctx context.Context, c *client.Client) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			keys, err := a.keys()
			if err != nil {
				return
			}
			for _, k := range keys {
				for h, err := range c.Holds(ctx, k.Address) {
					if !yield(h.GetHold()+"\t"+h.GetAmount()+" "+h.GetAsset(), err) {
						return
					}
				}
			}
		}
	})
}

// maxCompletions is how many candidates are offered.
const maxCompletions = 200

func completeFrom(a *app, ask func(context.Context, *client.Client) iter.Seq2[string, error]) ([]string, cobra.ShellCompDirective) {
	a.patience = time.Millisecond
	if err := a.start(); err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := a.ledger()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(context.Background(), completeTimeout)
	defer cancel()
	var out []string
	for item, err := range ask(ctx, c) {
		if err != nil || len(out) == maxCompletions {
			break
		}
		out = append(out, item)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func newCompletion(a *app) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print a script that lets the shell complete commands, keys and assets",
		Long: `Prints a completion script. To have it in every new shell:

  bash        dure completion bash > ~/.local/share/bash-completion/completions/dure
  zsh         dure completion zsh > "${fpath[1]}/_dure"
  fish        dure completion fish > ~/.config/fish/completions/dure.fish
  powershell  dure completion powershell | Out-String | Invoke-Expression   (in your profile)`,
		Example: "  source <(dure completion bash)", Args: cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs), ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.out, true)
			case "zsh":
				return root.GenZshCompletion(a.out)
			case "fish":
				return root.GenFishCompletion(a.out, true)
			default:
				return root.GenPowerShellCompletionWithDesc(a.out)
			}
		},
	}
}
