package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
)

func newAsset(a *app) *cobra.Command {
	return parent("asset", "Assets: create, issue, transfer, hold, balances", `An asset is money or points that an issuer owes its holders. Amounts are typed with the asset's decimals: 12.50 or
1,250.50. Memo and reference are public.`,
		assetCreate(a), assetIssue(a), assetTransfer(a), assetRedeem(a), assetHold(a), assetRelease(a), assetPause(a, true), assetPause(a, false),
		assetBalance(a), assetList(a), assetShow(a), assetHistory(a), assetHolds(a))
}

// noteFlags are the remarks on a movement of money.
type noteFlags struct{ memo, reference string }

func (f *noteFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.memo, "memo", "", "text for people, public, at most 256 bytes")
	cmd.Flags().StringVar(&f.reference, "reference", "", "text for machines, such as an invoice number; public, at most 64 bytes")
}

func (f *noteFlags) notes() []client.Note {
	return []client.Note{client.Memo(f.memo), client.Reference(f.reference)}
}

func assetCreate(a *app) *cobra.Command {
	var issuer, name, limit string
	var decimals uint32
	var f writeFlags
	cmd := &cobra.Command{
		Use: "create ASSET", Short: "Make an asset", Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		Long:    "Makes an asset class: 1 to 32 of a-z, 0-9, '.', '-', starting with a letter. Decimals cannot be changed later.",
		Example: "  dure asset create krw --issuer bank --name 'Korean won'\n  dure asset create eur --issuer bank --decimals 2 --cap 1,000,000.00",
		RunE: func(cmd *cobra.Command, args []string) error {
			cap := ""
			if limit != "" {
				units, err := client.ParseUnits(limit, decimals)
				if err != nil {
					return usage(err.Error())
				}
				cap = units
			}
			w, err := a.begin(cmd.Context(), issuer)
			if err != nil {
				return err
			}
			w.draft.CreateAsset(w.actor.address, args[0], name, decimals, cap)
			w.done = fmt.Sprintf("Created %s, issued by %s", args[0], w.actor)
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.accountFlag(cmd, &issuer, "issuer", "who issues it")
	cmd.Flags().StringVar(&name, "name", "", "name for people, at most 64 bytes")
	cmd.Flags().Uint32Var(&decimals, "decimals", 0, "digits after the point, 0 to 18")
	cmd.Flags().StringVar(&limit, "cap", "", "the most that may ever be outstanding")
	f.register(a, cmd)
	return cmd
}

// moving describes a command that moves an amount of an asset.
type moving struct {
	use, short, long, example string
	// who acts, and whether somebody receives.
	actorFlag, actorHelp string
	receiver             bool
	add                  func(w *writing, to party, asset, units string, notes []client.Note)
	done                 string
}

func (a *app) movingCommand(m moving) *cobra.Command {
	var actor, to string
	var f writeFlags
	var n noteFlags
	cmd := &cobra.Command{
		Use: m.use + " ASSET AMOUNT", Short: m.short, Long: m.long, Example: m.example, Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeAssetArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			w, err := a.begin(ctx, actor)
			if err != nil {
				return err
			}
			var payee party
			if m.receiver {
				if payee, err = a.party(to); err != nil {
					return err
				}
			}
			units, err := a.amount(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			m.add(w, payee, args[0], units, n.notes())
			w.done = m.done + " " + a.money(ctx, args[0], units) + " from " + w.actor.String()
			if m.receiver {
				w.done += " to " + payee.String()
			}
			return a.finish(ctx, &f, w)
		},
	}
	if m.actorFlag == "from" {
		a.actorFlag(cmd, &actor, m.actorFlag, m.actorHelp)
	} else {
		a.accountFlag(cmd, &actor, m.actorFlag, m.actorHelp)
	}
	if m.receiver {
		a.accountFlag(cmd, &to, "to", "who receives")
	}
	n.register(cmd)
	f.register(a, cmd)
	return cmd
}

func assetIssue(a *app) *cobra.Command {
	return a.movingCommand(moving{
		use: "issue", short: "Create units of an asset", actorFlag: "issuer", actorHelp: "the asset's issuer", receiver: true, done: "Issued",
		long:    "Creates units, which the issuer then owes to whoever holds them.",
		example: "  dure asset issue krw 1,000,000 --issuer bank --to alice",
		add: func(w *writing, to party, asset, units string, notes []client.Note) {
			w.draft.Issue(w.actor.address, to.address, asset, units, notes...)
		},
	})
}

func assetTransfer(a *app) *cobra.Command {
	return a.movingCommand(moving{
		use: "transfer", short: "Pay: move units to another account", actorFlag: "from", actorHelp: "who pays", receiver: true, done: "Transferred",
		long:    "Moves units from one account to another. For many payments at once see dure pay --batch.",
		example: "  dure asset transfer krw 12,500 --from alice --to bob --memo rent --reference 2026-11",
		add: func(w *writing, to party, asset, units string, notes []client.Note) {
			w.draft.Transfer(w.actor.address, to.address, asset, units, notes...)
		},
	})
}

func assetRedeem(a *app) *cobra.Command {
	return a.movingCommand(moving{
		use: "redeem", short: "Destroy units: the issuer pays elsewhere", actorFlag: "from", actorHelp: "who holds them", done: "Redeemed",
		long:    "Destroys units of the holder; the issuer owes them outside the ledger, by cash or bank transfer.",
		example: "  dure asset redeem krw 5,000 --from alice --reference withdrawal-17",
		add: func(w *writing, _ party, asset, units string, notes []client.Note) {
			w.draft.Redeem(w.actor.address, asset, units, notes...)
		},
	})
}

func assetPause(a *app, pause bool) *cobra.Command {
	use, short, done := "unpause ASSET", "Let an asset move again", "Unpaused"
	if pause {
		use, short, done = "pause ASSET", "Stop every movement of an asset", "Paused"
	}
	var issuer string
	var f writeFlags
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeAssetArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.begin(cmd.Context(), issuer)
			if err != nil {
				return err
			}
			if pause {
				w.draft.Pause(w.actor.address, args[0])
			} else {
				w.draft.Unpause(w.actor.address, args[0])
			}
			w.done = done + " " + args[0]
			return a.finish(cmd.Context(), &f, w)
		},
	}
	cmd.Example = "  dure asset " + cmd.Name() + " krw --issuer bank"
	a.accountFlag(cmd, &issuer, "issuer", "the asset's issuer")
	f.register(a, cmd)
	return cmd
}
