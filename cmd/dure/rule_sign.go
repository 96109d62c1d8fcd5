package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// unlockAll opens keys for signing.
func (a *app) unlockAll(names []string) ([]tx.Signer, error) {
	out := make([]tx.Signer, 0, len(names))
	for _, name := range names {
		signer, err := a.unlock(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		out = append(out, signer)
	}
	return out, nil
}

// ruleKey is a key of a rule that the keystore has.
type ruleKey struct {
	*apiv1.AccountRuleKey
	name string
}

// ruleKeys are the keys of a rule that the keystore has, the weightiest first.
func (a *app) ruleKeys(rule *apiv1.AccountRule) []ruleKey {
	var out []ruleKey
	for _, k := range rule.GetKeys() {
		if address, err := tx.ParseAddress(k.GetKey()); err == nil {
			if p := a.named(address); p.name != "" {
				out = append(out, ruleKey{k, p.name})
			}
		}
	}
	slices.SortStableFunc(out, func(x, y ruleKey) int { return int(y.GetWeight()) - int(x.GetWeight()) })
	return out
}

// signersByRule unlocks keys of a rule: one, or until they weigh what the rule asks at most.
func (a *app) signersByRule(p party, rule *apiv1.AccountRule, one bool) ([]tx.Signer, error) {
	keys := a.ruleKeys(rule)
	if len(keys) == 0 {
		return nil, failed("Account "+p.String()+" acts by a rule over keys, none of which is in the keystore.",
			"Bring a key here (dure key import). dure account rule show "+p.address.String()+" lists them.")
	}
	var names []string
	weight := uint32(0)
	for _, k := range keys {
		names = append(names, k.name)
		weight += k.GetWeight()
		if one || weight >= max(rule.GetSpend(), rule.GetManage(), rule.GetOther()) {
			break
		}
	}
	return a.unlockAll(names)
}

// distinct leaves out signers that come again.
func distinct(signers []tx.Signer) []tx.Signer {
	var out []tx.Signer
	for _, s := range signers {
		if !slices.ContainsFunc(out, func(o tx.Signer) bool { return o.Key().Equal(s.Key()) }) {
			out = append(out, s)
		}
	}
	return out
}

// proposeInstead makes a proposal of what a command would do.
func (a *app) proposeInstead(f *writeFlags, w *writing) error {
	until, err := parseUntil(f.lasting, a.now())
	if err != nil {
		return err
	}
	w.draft.AsProposal(f.propose, until)
	w.done, w.alone, w.after = "Proposed it for "+w.actor.String(), true, a.proposalOutcome(w.actor)
	return nil
}

// leaveForOthers writes what a command would do to a file, signed by the keys here, for others to sign.
func (a *app) leaveForOthers(ctx context.Context, f *writeFlags, w *writing) error {
	until, err := parseUntil("7d", a.now())
	if err != nil {
		return err
	}
	w.draft.NotAfter(until).Once(onceOf(""))
	signers, err := a.signersFor(ctx, w.actor, f.key, false)
	if err != nil {
		return err
	}
	signed, err := w.draft.Sign(a.now(), distinct(append(signers, w.signers...))...)
	if err != nil {
		return usage(err.Error())
	}
	return a.writeAgreement(ctx, f.agree, signed, "Wrote "+f.agree+", with the signatures of the keys here: pass it on for dure agree sign "+
		filepath.Base(f.agree)+", then dure agree submit. It is:")
}

// writeAgreement writes a transaction as a new agreement file and shows it.
func (a *app) writeAgreement(ctx context.Context, path string, signed *client.Signed, said string) error {
	network := a.network
	if c, err := a.ledger(); err == nil && network == "" {
		if network, err = c.Network(ctx); err != nil {
			return err
		}
	}
	g, err := (&agreement{network: network}).with(signed.Raw)
	if err != nil {
		return err
	}
	content, err := g.encode(a.summary(ctx, g))
	if err != nil {
		return err
	}
	if err := writeNew(path, content, 0o644); err != nil {
		return err
	}
	return a.showAgreement(ctx, g, said)
}

// weightText says what keys weigh and what each kind of action takes.
func weightText(rule *apiv1.AccountRule, weight uint32) string {
	return fmt.Sprintf("%d of %d to spend, %d to manage, %d for anything else", weight, rule.GetSpend(), rule.GetManage(), rule.GetOther())
}
