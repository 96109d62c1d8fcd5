package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/dureledger/dure/client/keystore"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

// demoMembers run the demonstration network; each also names the key of its account.
var demoMembers = []struct{ key, name string }{
	{"city", "김포시 Gimpo City"}, {"bank", "한두레은행 Dure Bank"}, {"broker", "두레증권 Dure Securities"}, {"insurer", "두레보험 Dure Insurance"},
}

// demoPeople have accounts with money from the start. Amounts are in won.
var demoPeople = []struct{ key, sponsor, krw string }{
	{"alice", "bank", "1000000"}, {"bob", "bank", "500000"}, {"shop", "city", "0"}, {demoMaker, "broker", "0"}, {gatewayKey, "city", "0"},
}

// demoCars report their speed to demoFeed, which the insurer opens. Their keys are P-256, as those in secure elements are.
var demoCars = []string{"car-1", "car-2", "car-3"}

const (
	demoMaker = "carmaker"
	demoModel = "sedan-3"
	demoFeed  = "city.speed"
)

// demo is the folder of a demonstration network.
type demo string

// demoPlan is how a network is made.
type demoPlan struct {
	// api and p2p are the first member's ports; each member after it has the next.
	api, p2p int
	// signin is the first port for signing in; what else is needed has the next four.
	signin int
	// validators is the kind of the validators' keys.
	validators accountv1.KeyKind
}

func (d demo) client() string       { return filepath.Join(string(d), "client") }
func (d demo) node(i int) node.Home { return node.Home(filepath.Join(string(d), demoMembers[i].key)) }

// create makes a new network: keys, homes and genesis. It works in a folder beside and moves it into place when all is
// there, so that a half-made network is never found.
func (d demo) create(plan demoPlan) error {
	if _, err := os.Stat(filepath.Join(string(d), "genesis.json")); err == nil {
		return nil
	}
	if entries, err := os.ReadDir(string(d)); err == nil && len(entries) > 0 {
		return failed(fmt.Sprintf("%s exists and is no Dure network", d), "choose another folder with --dir")
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(string(d))), 0o755); err != nil {
		return failed("the network's folder cannot be made: "+err.Error(), "choose another with --dir")
	}
	fresh, err := os.MkdirTemp(filepath.Dir(filepath.Clean(string(d))), ".dure-new-*")
	if err != nil {
		return failed("the network's folder cannot be made: "+err.Error(), "choose another with --dir")
	}
	defer os.RemoveAll(fresh) // gone when renamed
	if err := demo(fresh).fill(plan); err != nil {
		return err
	}
	if err := os.Remove(string(d)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(fresh, string(d))
}

// configs are the members' configurations.
func (d demo) configs() ([]*node.Config, error) {
	out := make([]*node.Config, len(demoMembers))
	for i := range demoMembers {
		var err error
		if out[i], err = node.Load(d.node(i).Config(), noEnv, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d demo) fill(plan demoPlan) error {
	addresses, err := d.keys()
	if err != nil {
		return err
	}
	var seats []node.Seat
	for i, m := range demoMembers {
		seats = append(seats, node.Seat{
			Home: d.node(i), Name: m.name, Address: addresses[m.key], API: fmt.Sprintf("127.0.0.1:%d", plan.api+i), P2P: fmt.Sprintf("127.0.0.1:%d", plan.p2p+i),
			Validator: &node.Validator{Kind: plan.validators},
		})
	}
	file, err := node.CreateNetwork("demo", seats, func(g *ledgerv1.Genesis) {
		d.fund(g, addresses)
		g.Network.Parameters.RpId, g.Network.Parameters.Origins = demoRP, walletOrigins(plan.api)
	})
	if err != nil {
		return err
	}
	if err := d.fillSignin(plan.signin, plan.api); err != nil {
		return err
	}
	nodes := ""
	for _, s := range seats {
		nodes += "http://" + s.API + "\n"
	}
	for target, content := range map[string]string{
		filepath.Join(string(d), "genesis.json"):  string(file),
		filepath.Join(d.client(), "genesis.json"): string(file),
		filepath.Join(d.client(), "nodes"):        nodes,
		filepath.Join(d.client(), "account"):      demoPeople[0].key + "\n",
	} {
		if err := os.WriteFile(target, []byte(content), 0o644); err != nil { // public
			return err
		}
	}
	return nil
}

// walletOrigins are where the members' wallets are, at which passkeys count: their relying party is localhost, and an address of
// digits can be none.
func walletOrigins(api int) []string {
	out := make([]string, len(demoMembers))
	for i := range out {
		out[i] = fmt.Sprintf("http://localhost:%d", api+i)
	}
	return out
}

// keys makes the keystore of everyone in the demonstration, and its passphrase.
func (d demo) keys() (map[string]tx.Address, error) {
	secret := make([]byte, 12)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	passphrase := hex.EncodeToString(secret)
	if err := os.MkdirAll(d.client(), 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(d.client(), "passphrase"), []byte(passphrase+"\n"), 0o600); err != nil {
		return nil, err
	}
	store, err := keystore.Open(filepath.Join(d.client(), "keys"), keystore.WorkFactor(demoWorkFactor))
	if err != nil {
		return nil, err
	}
	kinds := map[string]accountv1.KeyKind{}
	for _, m := range demoMembers {
		kinds[m.key] = accountv1.KeyKind_KEY_KIND_ED25519
	}
	for _, p := range demoPeople {
		kinds[p.key] = accountv1.KeyKind_KEY_KIND_ED25519
	}
	for _, car := range demoCars {
		kinds[car] = accountv1.KeyKind_KEY_KIND_P256
	}
	out := map[string]tx.Address{}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		entry, err := store.New(name, kinds[name], passphrase)
		if err != nil {
			return nil, err
		}
		out[name] = entry.Address
	}
	return out, nil
}

// demoWorkFactor makes the demonstration's keys quick to open: its passphrase lies beside them anyway.
const demoWorkFactor = 12

// fund opens the people's accounts and gives them won.
func (d demo) fund(g *ledgerv1.Genesis, addresses map[string]tx.Address) {
	bank, city := addresses["bank"], addresses["city"]
	g.Asset = &assetv1.Genesis{Classes: []*assetv1.GenesisClass{
		{Asset: "krw", Issuer: bank[:], Name: "원 Korean won"},
		{Asset: "gimpo", Issuer: city[:], Name: "김포페이 Gimpo Pay"},
	}}
	for _, p := range demoPeople {
		account, sponsor := addresses[p.key], addresses[p.sponsor]
		g.Account.Accounts = append(g.Account.Accounts, &accountv1.GenesisAccount{
			Address: account[:], Sponsor: sponsor[:], Kind: accountv1.KeyKind_KEY_KIND_ED25519,
		})
		if p.krw != "0" {
			g.Asset.Balances = append(g.Asset.Balances, &assetv1.GenesisBalance{Asset: "krw", Account: account[:], Amount: p.krw})
		}
	}
	for _, car := range demoCars {
		account := addresses[car]
		g.Account.Accounts = append(g.Account.Accounts, &accountv1.GenesisAccount{Address: account[:], Sponsor: bank[:], Kind: accountv1.KeyKind_KEY_KIND_P256})
	}
}
