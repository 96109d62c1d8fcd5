//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
)

// The guide for treasurers, its commands as they are written there; then a payment whose signatures are gathered in a file.
func TestAccounts(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/accounts.md")
	if err != nil {
		t.Fatal(err)
	}
	n, work := readmeNetwork(t, guide)
	said := [][]string{
		{"Opened account", "Transferred 100,000 krw"},
		{"now acts by the rule of rule.yaml", "weight needed  2 to spend, 3 to manage, 1 for anything else", "of which 50,000 krw are left"},
		{"Transferred 5,000 krw"},
		{"account.too_few_keys"},
		{"Rent of May", "a weight of 1 of 2", "org pays 5,000 krw to bob"},
		{"everything in proposal 1 has happened"},
		{"a weight of 1 of 2", "Withdrew from proposal 2"},
		{"its rule allows 30,000 krw in one"},
		{"has another limit of krw"},
		{"account.must_wait", "it has to wait until"},
		{"Locked org", "account.locked"},
		{"now acts by the rule", "Unlocked org", "a rule over 2 keys", "of which 50,000 krw are left", "90,000 krw"},
	}
	blocks := shellBlock.FindAllStringSubmatch(string(guide), -1)
	if len(blocks) != len(said) {
		t.Fatalf("%d blocks of commands, want %d", len(blocks), len(said))
	}
	for i, block := range blocks {
		expect(t, shell(t, n, work, block[1]), said[i]...)
	}
	expect(t, shell(t, n, work, `
bin/dure asset transfer krw 700 --from org --to bob --key cfo --agree pay.agree
bin/dure agree submit pay.agree
bin/dure agree sign pay.agree --as org --yes
bin/dure agree submit pay.agree
bin/dure agree submit pay.agree
bin/dure asset balance krw org`), "a weight of 1 of 2 to spend", "account.too_few_keys", "a weight of 3 of 2 to spend", "Done: all of its 1 action happened", "89,300 krw")
}

func expect(t *testing.T, out string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(out, text) {
			t.Errorf("it does not print %q:\n%s", text, out)
		}
	}
}
