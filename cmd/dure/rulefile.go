package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// maxRuleFile bounds a rule file, in bytes.
const maxRuleFile = 64 * 1024

// ruleFile is a rule as people write it, in YAML or JSON. Keys are names of the keystore, addresses of keys or KIND:HEX; accounts are names or
// addresses; amounts are in units of the asset; times such as 90m, 24h or 3d.
type ruleFile struct {
	Keys   map[string]uint32 `yaml:"keys"`
	Spend  uint32            `yaml:"spend"`
	Manage uint32            `yaml:"manage"`
	// Other is what everything else takes; 1 if it is left out.
	Other       uint32               `yaml:"other,omitempty"`
	Limits      map[string]limitFile `yaml:"limits,omitempty"`
	Receivers   []string             `yaml:"receivers,omitempty"`
	Wait        string               `yaml:"wait,omitempty"`
	ManageWaits bool                 `yaml:"manage-waits,omitempty"`
}

// limitFile is what may be spent of an asset.
type limitFile struct {
	PerTransaction string `yaml:"per-transaction,omitempty"`
	// PerDay is PerWindow with a window of 24h.
	PerDay    string `yaml:"per-day,omitempty"`
	PerWindow string `yaml:"per-window,omitempty"`
	Window    string `yaml:"window,omitempty"`
	WaitOver  string `yaml:"wait-over,omitempty"`
}

// readRuleFile reads a rule file; it refuses what it does not know, so that a misspelt limit is not no limit.
func readRuleFile(content []byte) (*ruleFile, error) {
	f := &ruleFile{}
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("not a rule file: %w", err)
	}
	if err := d.Decode(&ruleFile{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a rule file: something follows the rule")
	}
	return f, nil
}

// rule makes the ledger's rule of a file.
func (a *app) rule(ctx context.Context, f *ruleFile) (*accountv1.Rule, error) {
	rule := &accountv1.Rule{Spend: f.Spend, Manage: f.Manage, Other: cmp.Or(f.Other, 1), ManageWaits: f.ManageWaits}
	for _, name := range sortedKeys(f.Keys) {
		key, err := a.keyAddress(name)
		if err != nil {
			return nil, err
		}
		rule.Keys = append(rule.Keys, &accountv1.RuleKey{Key: key[:], Weight: f.Keys[name]})
	}
	for _, asset := range sortedKeys(f.Limits) {
		limit, err := a.limit(ctx, asset, f.Limits[asset])
		if err != nil {
			return nil, err
		}
		rule.Limits = append(rule.Limits, limit)
	}
	for _, name := range f.Receivers {
		p, err := a.party(name)
		if err != nil {
			return nil, err
		}
		rule.Receivers = append(rule.Receivers, p.address[:])
	}
	var err error
	rule.WaitMs, err = spanMs("wait", f.Wait)
	return rule, err
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// keyAddress reads a key: its name here, its address, or KIND:HEX.
func (a *app) keyAddress(text string) (tx.Address, error) {
	if strings.HasPrefix(text, "0x") {
		address, err := tx.ParseAddress(text)
		if err != nil {
			return address, usage(err.Error())
		}
		return address, nil
	}
	key, err := a.publicKey(text)
	if err != nil {
		return tx.Address{}, err
	}
	return key.Address(), nil
}

// limit reads the limit of an asset.
func (a *app) limit(ctx context.Context, asset string, f limitFile) (*accountv1.Limit, error) {
	if f.PerDay != "" && (f.PerWindow != "" || f.Window != "") {
		return nil, usagef("the limit of %s: give an amount per day, or per window with the window", asset)
	}
	if (f.PerWindow == "") != (f.Window == "") {
		return nil, usagef("the limit of %s: an amount per window needs the window, such as 1h or 7d, and the window an amount", asset)
	}
	l := &accountv1.Limit{Asset: asset}
	for _, amount := range []struct {
		text string
		to   *string
	}{{f.PerTransaction, &l.PerTransaction}, {cmp.Or(f.PerDay, f.PerWindow), &l.PerWindow}, {f.WaitOver, &l.WaitOver}} {
		if amount.text == "" {
			continue
		}
		units, err := a.amount(ctx, asset, strings.ReplaceAll(amount.text, ",", ""))
		if err != nil {
			return nil, err
		}
		*amount.to = units
	}
	var err error
	l.WindowMs, err = spanMs("window", f.Window)
	return l, err
}

// spanMs reads a time span such as 90m, 24h or 3d in milliseconds; empty is 0.
func spanMs(what, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	span, ok := readSpan(text)
	if !ok || span > 1000*24*time.Hour {
		return 0, usagef("%s %q: want a time such as 90m, 24h or 3d", what, text)
	}
	return span.Milliseconds(), nil
}

// ruleFileOf writes the rule of an account as a file that rule reads; keys and accounts by their names here, if they have one.
func (a *app) ruleFileOf(ctx context.Context, rule *apiv1.AccountRule) (*ruleFile, error) {
	f := &ruleFile{
		Keys: map[string]uint32{}, Spend: rule.GetSpend(), Manage: rule.GetManage(), Other: rule.GetOther(),
		Wait: spanText(rule.GetWaitMs()), ManageWaits: rule.GetManageWaits(),
	}
	for _, k := range rule.GetKeys() {
		f.Keys[a.nameOr(k.GetKey())] = k.GetWeight()
	}
	for _, r := range rule.GetReceivers() {
		f.Receivers = append(f.Receivers, a.nameOr(r))
	}
	for _, l := range rule.GetLimits() {
		class, err := a.asset(ctx, l.GetAsset())
		if err != nil {
			return nil, err
		}
		units := func(amount string) string {
			if amount == "" {
				return ""
			}
			return strings.ReplaceAll(client.FormatUnits(amount, class.GetDecimals()), ",", "")
		}
		limit := limitFile{PerTransaction: units(l.GetPerTransaction()), WaitOver: units(l.GetWaitOver())}
		switch {
		case l.GetPerWindow() == "":
		case l.GetWindowMs() == 24*3600*1000:
			limit.PerDay = units(l.GetPerWindow())
		default:
			limit.PerWindow, limit.Window = units(l.GetPerWindow()), spanText(l.GetWindowMs())
		}
		if f.Limits == nil {
			f.Limits = map[string]limitFile{}
		}
		f.Limits[l.GetAsset()] = limit
	}
	return f, nil
}

// nameOr is the name that the keystore has for an address, or the address.
func (a *app) nameOr(address string) string {
	if parsed, err := tx.ParseAddress(address); err == nil {
		if p := a.named(parsed); p.name != "" {
			return p.name
		}
	}
	return address
}
