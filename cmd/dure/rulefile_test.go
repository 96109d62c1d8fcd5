package main

import (
	"bytes"
	"strings"
	"testing"
)

// A rule file is read as it is written, and what is not understood is refused: a misspelt limit is not no limit.
func TestRuleFile(t *testing.T) {
	const good = `keys:
  alice: 2
  0x8ba1f109551bD432803012645Ac136ddd64DBA72: 1
spend: 2
manage: 3
limits:
  eur: {per-day: 1,000.50, wait-over: 20}
  krw: {per-window: 7, window: 3d}
receivers: [bob]
wait: 24h
manage-waits: true
`
	s := newStage(t)
	s.write("rule.yaml", strings.Replace(good, "1,000.50", `"1,000.50"`, 1))
	s.do("account", "rule", "set", "alice", "rule.yaml", "--agree", "rule.agree").want(t, exitOK, "will act by a rule over 2 keys", `"per_window":"100050"`, "wait_ms=86400000")
	s.do("agree", "show", "rule.agree").want(t, exitOK, "100050", "259200000")

	f, err := readRuleFile([]byte(strings.Replace(good, "1,000.50", `"1,000.50"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := writeRuleFile(&again, f); err != nil {
		t.Fatal(err)
	}
	if g, err := readRuleFile(again.Bytes()); err != nil || g.Limits["krw"] != f.Limits["krw"] || g.Keys["alice"] != 2 || !g.ManageWaits {
		t.Errorf("%v %v", g, err)
	}

	for bad, want := range map[string]string{
		"keys: {alice: 1}\nspends: 1":     "spends",
		"keys: {alice: -1}":               "not a rule file",
		"keys: {alice: 1}\n---\nspend: 1": "something follows",
		"[1, 2]":                          "not a rule file",
		"keys: {nobody: 1}":               "neither a key of the keystore nor KIND:HEX",
		"keys: {0x12: 1}":                 "0x12",
		"keys: {alice: 1}\nlimits: {eur: {per-day: 1, window: 1h}}": "per day, or per window",
		"keys: {alice: 1}\nlimits: {eur: {per-window: 1}}":          "needs the window",
		"keys: {alice: 1}\nlimits: {eur: {per-day: 1.234}}":         "1.234",
		"keys: {alice: 1}\nwait: soon":                              "want a time such as",
	} {
		s.write("bad.yaml", bad)
		s.do("account", "rule", "set", "alice", "bad.yaml").want(t, exitUsage, want)
	}
}

func TestSpans(t *testing.T) {
	for text, ms := range map[string]int64{"90m": 5400_000, "24h": 86400_000, "3d": 259200_000, "1h30m": 5400_000, "45s": 45_000} {
		got, err := spanMs("wait", text)
		if err != nil || got != ms {
			t.Errorf("%s: %d %v", text, got, err)
		}
		if back, err := spanMs("wait", spanText(ms)); err != nil || back != ms {
			t.Errorf("%s is written %q", text, spanText(ms))
		}
	}
	for _, text := range []string{"0h", "-1d", "99999999d", "d", "1 day"} {
		if _, err := spanMs("wait", text); err == nil {
			t.Errorf("%q is a time", text)
		}
	}
}
