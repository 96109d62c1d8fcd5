//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/statuslist"
)

// The commands of docs/credentials.md, as they are written there, on a network of their own; then what must be refused.
func TestCredentialsOfTheGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/credentials.md")
	if err != nil {
		t.Fatal(err)
	}
	n := newNetwork(t)
	work := t.TempDir()
	n.dir = filepath.Join(work, "dev")
	n.up()
	if err := os.Symlink(n.binary, filepath.Join(work, "dure")); err != nil {
		t.Fatal(err)
	}
	n.env = append(n.env, "PATH="+work+":"+os.Getenv("PATH"))
	blocks := shellBlock.FindAllStringSubmatch(string(guide), -1)
	wants := [][]string{
		{"Registered the schema resident.", "proposal     1", "Opened the status list 1"},
		{"Issued a credential resident to the key alice.", "readable by you alone", "district  sau  (may be withheld)", "김하늘  (may be withheld)"},
		{"VERIFIED: shown.cred holds. Its holder shows it to you", "district  sau", "by vote of the members", "rests on        the word of the node"},
		{"made for another verifier", "exit code 3"},
		{"Shown to 127.0.0.1:", "VERIFIED: the credential holds. Its holder shows it to you", "district  sau"},
		{"Wrote alice.proof", "VERIFIED: alice.cred holds.", "proofs of the state of", "the genesis keys of 4 validators"},
		{"says revoked", "The issuer has revoked the credential", "exit code 3"},
		{"now acts by the key city-2", "VERIFIED: bob.cred holds", "acts for the issuer today"},
		{"credential.issuer_ruled", "give it the right first", "Issued a credential resident to the key bob", "VERIFIED: desk.cred holds"},
	}
	if len(blocks) != len(wants) {
		t.Fatalf("%d blocks of commands, want %d", len(blocks), len(wants))
	}
	for i, want := range wants {
		out := shell(t, n, work, blocks[i][1])
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Fatalf("block %d: %q is not in\n%s\n%s", i+1, text, blocks[i][1], out)
			}
		}
		if shows := i == 1 || i == 5; !shows && strings.Contains(out, "김하늘") { // show, and verify of the whole credential
			t.Errorf("block %d prints the name\n%s", i+1, out)
		}
	}
	if info, err := os.Stat(filepath.Join(work, "alice.cred")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("alice.cred: %v %v", info, err)
	}
	refusedCredentials(t, n, work)
	n.sameRoots()
}

// refusedCredentials: a stolen key's issuer, an issuer without a licence, tampered proofs, and what outlives a change of key.
func refusedCredentials(t *testing.T, n *network, work string) {
	t.Helper()
	for commands, want := range map[string]string{
		"dure credential issue --by bank --schema resident --to bob --claim district=sau --out none.cred":  "credential.not_licensed",
		"dure credential issue --by city --schema resident --to bob --claim district=moon --out none.cred": "the schema wants one of sau, pungmu",
		"dure credential present bob.cred --disclose salary --aud a --nonce b":                             "credential.no_such_field",
		"dure credential verify bob.cred --current-key":                                                    "VERIFIED",
		"dure credential verify bob.cred --evidence alice.proof --genesis dev/genesis.json":                "NOT VERIFIED",
		"dure credential verify alice.cred --evidence alice.proof --genesis dev/genesis.json --fresh 1ns":  "The proofs are of",
	} {
		if out := shell(t, n, work, commands); !strings.Contains(out, want) {
			t.Errorf("%s: %q is not in\n%s", commands, want, out)
		}
	}
	// Alice's is verified offline though the city has changed its key since, and is refused as it was revoked; lifted, it holds again.
	out := shell(t, n, work, `dure credential revoke alice.cred --by city --state valid
dure credential prove alice.cred --out later.proof
dure --node http://127.0.0.1:1 credential verify alice.cred --evidence later.proof --genesis dev/genesis.json`)
	if !strings.Contains(out, "acted for the issuer when it was issued, and was replaced at") {
		t.Error(out)
	}
	shell(t, n, work, "dure credential revoke alice.cred --by city --state suspended\ndure credential prove alice.cred --out suspended.proof")
	verify := "dure --node http://127.0.0.1:1 credential verify alice.cred --evidence suspended.proof --genesis dev/genesis.json"
	if out := shell(t, n, work, verify); !strings.Contains(out, "The issuer has suspended the credential") {
		t.Error(out)
	}
	tamper(t, filepath.Join(work, "suspended.proof"))
	if out := shell(t, n, work, verify); !strings.Contains(out, "NOT VERIFIED") || strings.Contains(out, "suspended the credential") {
		t.Errorf("with a tampered status list: %s", out)
	}
}

// tamper makes every entry of the status list in a file of proofs valid.
func tamper(t *testing.T, path string) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var proofs map[string]json.RawMessage
	if err := json.Unmarshal(file, &proofs); err != nil {
		t.Fatal(err)
	}
	var list []light.StateProof
	if err := json.Unmarshal(proofs["proofs"], &list); err != nil {
		t.Fatal(err)
	}
	found := false
	for i := range list {
		if strings.HasPrefix(string(list[i].Key), statuslist.ChunkPrefix) {
			clear(list[i].Value)
			found = true
		}
	}
	if !found {
		t.Fatal("the proofs have no part of a status list")
	}
	if proofs["proofs"], err = json.Marshal(list); err != nil {
		t.Fatal(err)
	}
	if file, err = json.Marshal(proofs); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}
