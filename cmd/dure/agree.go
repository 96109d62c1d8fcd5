package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func newAgree(a *app) *cobra.Command {
	return parent("agree", "Transactions that several people sign on their own machines", `An agreement is one transaction by several accounts: all of its actions happen, or none. It is a file that is passed along
(mail, chat, a stick): each party looks at it, signs, and whoever has the last signature submits it. It can be submitted
once, until it expires, at most 30 days after it was made.`,
		agreeNew(a), agreeShow(a), agreeSign(a), agreeMerge(a), agreeSubmit(a))
}

func agreeNew(a *app) *cobra.Command {
	var transfers []string
	var actions, out, once, valid string
	cmd := &cobra.Command{
		Use: "new -o FILE", Short: "Write an agreement", Args: cobra.NoArgs,
		Long: `Writes an agreement from --transfer flags, each "FROM TO AMOUNT ASSET [MEMO]", and from a JSON list of actions:

  [{"actor": "bank", "asset_issue": {"asset": "krw", "to": "alice", "amount": "5000"}}]

with calls and fields as in the protobuf definitions; accounts are addresses or names of keys, other bytes hex, times
RFC 3339, amounts smallest units. Nobody has signed yet.`,
		Example: `  dure agree new -o sale.agree --transfer "buyer seller 900.00 eur car" --transfer "seller buyer 1 car-17"
  dure agree new -o deal.agree --actions deal.json --valid 14d --once invoice-2026-118`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			c, err := a.ledger()
			if err != nil {
				return err
			}
			network, err := c.Network(ctx)
			if err != nil {
				return err
			}
			until, err := parseUntil(valid, a.now())
			if err != nil {
				return err
			}
			if until.Sub(a.now()) > 30*24*time.Hour {
				return usage("an agreement is valid for at most 30 days")
			}
			draft := client.NewTransaction(network).NotAfter(until).Once(onceOf(once))
			for _, text := range transfers {
				if err := a.addTransfer(ctx, draft, text); err != nil {
					return err
				}
			}
			if actions != "" {
				content, err := readSmall(actions, maxAgreement)
				if err != nil {
					return err
				}
				list, err := a.parseActions(content)
				if err != nil {
					return usage(actions + ": " + err.Error())
				}
				draft.Append(list...)
			}
			signed, err := draft.Sign(a.now()) // by nobody yet
			if err != nil {
				return usage(err.Error())
			}
			return a.writeAgreement(ctx, out, signed, "Wrote "+out+". Nobody has signed yet: pass it on, and have each party run dure agree sign "+filepath.Base(out)+".")
		},
	}
	cmd.Flags().StringArrayVar(&transfers, "transfer", nil, `a payment: "FROM TO AMOUNT ASSET [MEMO]"; may be repeated`)
	cmd.Flags().StringVar(&actions, "actions", "", "JSON file with a list of actions")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; it must not exist (required)")
	cmd.Flags().StringVar(&once, "once", "", "text that makes it unique, such as an invoice number: the first actor uses it once, for good (default random)")
	cmd.Flags().StringVar(&valid, "valid", "7d", "until when it may be submitted: 72h, 14d, a day, or RFC 3339; at most 30d")
	cmd.MarkFlagsOneRequired("transfer", "actions")
	must(cmd.MarkFlagRequired("out"))
	return cmd
}

// onceOf makes a once key of a text, or a random one.
func onceOf(text string) [32]byte {
	if text != "" {
		return sha256.Sum256([]byte("dure/agree/v1\n" + text))
	}
	var key [32]byte
	rand.Read(key[:])
	return key
}

// addTransfer adds a payment written as FROM TO AMOUNT ASSET [MEMO].
func (a *app) addTransfer(ctx context.Context, draft *client.Draft, text string) error {
	words := strings.Fields(text)
	if len(words) < 4 {
		return usagef("--transfer %q: want \"FROM TO AMOUNT ASSET [MEMO]\"", text)
	}
	from, err := a.party(words[0])
	if err != nil {
		return err
	}
	to, err := a.party(words[1])
	if err != nil {
		return err
	}
	units, err := a.amount(ctx, words[3], words[2])
	if err != nil {
		return err
	}
	draft.Transfer(from.address, to.address, words[3], units, client.Memo(strings.Join(words[4:], " ")))
	return nil
}

func readAgreement(path string) (*agreement, error) {
	content, err := readSmall(path, maxAgreement)
	if err != nil {
		return nil, err
	}
	g, err := decodeAgreement(content)
	if err != nil {
		return nil, notVerified(fmt.Errorf("%s: %w", path, err), "Do not sign it. Ask whoever sent it for a good copy.")
	}
	return g, nil
}

// agreementParty is what show says of an account that must sign.
type agreementParty struct {
	Account string `json:"account"`
	Name    string `json:"name,omitempty"`
	Key     string `json:"key"`
	Signed  bool   `json:"signed"`
	// Weight is what the keys of a rule weigh that have signed; whether that is enough the ledger says.
	Weight uint32 `json:"weight,omitempty"`
	rule   *apiv1.AccountRule
}

// parties says who must sign and who has. A key that was rotated is looked up; without a node the account's own is meant.
func (a *app) parties(ctx context.Context, g *agreement) []agreementParty {
	var out []agreementParty
	for _, actor := range g.actors() {
		p := agreementParty{Account: actor.String(), Name: a.named(actor).name, Key: actor.String()}
		if c, err := a.ledger(); err == nil && !a.offline {
			account, err := c.Account(ctx, actor)
			a.offline = errors.As(err, new(*client.Unreachable))
			if err == nil {
				p.Key, p.rule = account.GetKey(), account.GetRule()
			}
		}
		for _, k := range p.rule.GetKeys() {
			if key, err := tx.ParseAddress(k.GetKey()); err == nil && g.signedBy(key) {
				p.Signed, p.Weight = true, p.Weight+k.GetWeight()
			}
		}
		if key, err := tx.ParseAddress(p.Key); err == nil {
			p.Signed = g.signedBy(key)
		}
		out = append(out, p)
	}
	return out
}

func (a *app) showAgreement(ctx context.Context, g *agreement, said string) error {
	summary, parties := a.summary(ctx, g), a.parties(ctx, g)
	if a.json {
		return a.print(map[string]any{"id": g.id(), "network": g.network, "validUntil": clockTime(g.validUntil()), "summary": summary, "parties": parties}, nil)
	}
	fmt.Fprintln(a.out, said)
	facts := []fact{{"agreement", g.id()}, {"network", g.network}, {"valid until", clockTime(g.validUntil())}}
	for i, line := range summary {
		facts = append(facts, fact{fmt.Sprintf("action %d", i+1), line})
	}
	for _, p := range parties {
		state := "has not signed"
		if p.Signed {
			state = "has signed"
		}
		if p.rule != nil {
			state = "has signed with a weight of " + weightText(p.rule, p.Weight)
		}
		who := p.Account
		if p.Name != "" {
			who = p.Name + " (" + who + ")"
		}
		facts = append(facts, fact{"party", who + " " + state})
	}
	printFacts(a.out, facts)
	switch {
	case a.offline:
		fmt.Fprintln(a.err, "dure: warning: no node answers, so amounts are in smallest units and changed keys are not known.")
	case len(g.stored) > 0 && strings.Join(g.stored, "\n") != strings.Join(summary, "\n"):
		fmt.Fprintln(a.err, "dure: warning: the summary written in the file is not what its body says. The text above is what the body says.")
	}
	return nil
}

func agreeShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show FILE", Short: "Say what an agreement does and who has signed", Args: cobra.ExactArgs(1), Example: "  dure agree show sale.agree",
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := readAgreement(args[0])
			if err != nil {
				return err
			}
			return a.showAgreement(cmd.Context(), g, "All of this happens, or none of it:")
		},
	}
}

func agreeMerge(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "merge FILE OTHER…", Short: "Add the signatures of other copies of the same agreement", Args: cobra.MinimumNArgs(2),
		Example: "  dure agree merge sale.agree from-seller.agree",
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := mergeAgreements(args)
			if err != nil {
				return err
			}
			if err := a.rewriteAgreement(cmd.Context(), args[0], g); err != nil {
				return err
			}
			return a.showAgreement(cmd.Context(), g, "Merged into "+args[0]+":")
		},
	}
}

func mergeAgreements(paths []string) (*agreement, error) {
	g, err := readAgreement(paths[0])
	if err != nil {
		return nil, err
	}
	for _, path := range paths[1:] {
		other, err := readAgreement(path)
		if err != nil {
			return nil, err
		}
		if g, err = g.merge(other); err != nil {
			return nil, failed(path+": "+err.Error(), "Merge copies of one agreement only.")
		}
	}
	return g, nil
}

func agreeSubmit(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "submit FILE…", Short: "Submit an agreement that every party has signed", Args: cobra.MinimumNArgs(1),
		Long:    "Submits an agreement. Several copies of it, each with some signatures, are merged first. Submitting it again gives the same outcome.",
		Example: "  dure agree submit sale.agree\n  dure agree submit from-buyer.agree from-seller.agree",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			g, err := mergeAgreements(args)
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
			if network != g.network {
				return failed("The agreement is for network "+g.network+", the node belongs to "+network+".", "Name a node of that network with --node.")
			}
			var missing []string
			for _, p := range a.parties(ctx, g) {
				if !p.Signed {
					missing = append(missing, a.short(p.Account))
				}
			}
			if len(missing) > 0 {
				return failed("Not everybody has signed: "+strings.Join(missing, ", ")+" still must.", "Pass the file on: dure agree sign FILE.")
			}
			signed, err := client.ReadSigned(network, g.tx.Raw)
			if err != nil {
				return err
			}
			outcome, err := c.Submit(ctx, signed)
			if err != nil {
				return err
			}
			return a.printOutcome(outcome, "Done: all of its "+plural(len(g.tx.Body.GetActions()), "action")+" happened", nil)
		},
	}
}
