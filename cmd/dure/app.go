package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/keystore"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// console is what a command may see of the machine it runs on; tests bring their own.
type console struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	// outTerminal, errTerminal: a person is watching.
	outTerminal, errTerminal bool
	// secret asks on the terminal without echo; nil when there is none.
	secret func(prompt string) (string, error)
	// workFactor of new keys, 0: the keystore's own.
	workFactor int
	// clock of the client; nil: the machine's.
	clock client.Clock
}

// app is one run of the program: flags and what is made from them when needed.
type app struct {
	console
	started bool
	lines   *bufio.Reader

	json           bool
	nodes          []string
	home           string
	keystoreDir    string
	passphraseFile string
	caFile         string
	certFile       string
	certKeyFile    string
	network        string
	// as and asKey are who reads where a node asks, if not the actor, and by which key.
	as, asKey string
	patience  time.Duration

	connection *client.Client
	// actor is the account that acts, once that is known.
	actor      party
	assets     map[string]*apiv1.Asset
	passphrase string
	listed     []keystore.Entry
	unlocked   map[string]tx.Signer
	// pins are those of tokens that were asked for already.
	pins map[string]string
	// nameless: do not show accounts by names of keys.
	nameless bool
	// offline: no node answered, so do not ask again.
	offline bool
}

func newApp(c console) *app {
	return &app{console: c, lines: bufio.NewReader(c.in), assets: map[string]*apiv1.Asset{}, unlocked: map[string]tx.Signer{}}
}

func (a *app) flags(f *pflag.FlagSet) {
	f.BoolVar(&a.json, "json", false, "print JSON: one object, or one a line for lists")
	f.StringSliceVar(&a.nodes, "node", nil, "node addresses, separated by commas (DURE_NODE, or HOME/nodes) (default http://127.0.0.1:8080)")
	f.StringVar(&a.home, "home", "", "folder of keys and settings (DURE_HOME) (default dev/client if the current folder has it, else ~/.dure)")
	f.StringVar(&a.keystoreDir, "keystore", "", "folder of keys (DURE_KEYSTORE) (default HOME/keys)")
	f.StringVar(&a.passphraseFile, "passphrase-file", "", "file whose first line is the passphrase; otherwise DURE_PASSPHRASE, HOME/passphrase, or a prompt")
	f.StringVar(&a.caFile, "ca", "", "PEM file of the authorities that vouch for https nodes (DURE_CA)")
	f.StringVar(&a.certFile, "cert", "", "PEM file of your own certificate, for nodes that want one (DURE_CERT)")
	f.StringVar(&a.certKeyFile, "cert-key", "", "PEM file of that certificate's key (DURE_CERT_KEY)")
	f.StringVar(&a.network, "network", "", "refuse nodes of any other network than this id (DURE_NETWORK)")
	f.StringVar(&a.as, "as", "", "the account that reads, where a node answers by account: address or name of a key (default: the account that acts)")
	f.StringVar(&a.asKey, "as-key", "", "name of the key that acts for that account, when it is not the account's own")
	f.DurationVar(&a.patience, "patience", 5*time.Second, "how long to go on trying while no node answers")
}

// start completes the flags from the environment. It runs before every command.
func (a *app) start() error {
	a.started = true
	for _, setting := range []struct {
		value    *string
		variable string
	}{{&a.home, "DURE_HOME"}, {&a.keystoreDir, "DURE_KEYSTORE"}, {&a.caFile, "DURE_CA"}, {&a.certFile, "DURE_CERT"}, {&a.certKeyFile, "DURE_CERT_KEY"}, {&a.network, "DURE_NETWORK"}} {
		if *setting.value == "" {
			*setting.value = a.getenv(setting.variable)
		}
	}
	if a.home == "" {
		a.home = defaultHome()
	}
	if a.keystoreDir == "" {
		a.keystoreDir = filepath.Join(a.home, "keys")
	}
	if len(a.nodes) == 0 {
		a.nodes = strings.FieldsFunc(a.getenv("DURE_NODE"), separator)
	}
	if len(a.nodes) == 0 {
		a.nodes = strings.FieldsFunc(a.setting("nodes"), separator)
	}
	if len(a.nodes) == 0 {
		a.nodes = []string{"http://127.0.0.1:8080"}
	}
	return nil
}

func separator(r rune) bool { return r == ',' || unicode.IsSpace(r) }

// defaultHome is the folder of the demonstration network when the current folder has one, otherwise ~/.dure.
func defaultHome() string {
	if demo := filepath.Join("dev", "client"); exists(filepath.Join(demo, "keys")) {
		return demo
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return ".dure"
	}
	return filepath.Join(user, ".dure")
}

// setting is the content of a small file in the home folder, empty if there is none.
func (a *app) setting(name string) string {
	text, err := readSmall(filepath.Join(a.home, name), 64<<10)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// ledger is the connection to the nodes.
func (a *app) ledger() (*client.Client, error) {
	if a.connection != nil {
		return a.connection, nil
	}
	c, err := a.dial(a.nodes)
	if err != nil {
		return nil, err
	}
	a.connection = c
	return c, nil
}

func (a *app) now() time.Time {
	if a.clock != nil {
		return a.clock.Now()
	}
	return time.Now()
}

// asset looks an asset class up, once.
func (a *app) asset(ctx context.Context, name string) (*apiv1.Asset, error) {
	if known := a.assets[name]; known != nil {
		return known, nil
	}
	c, err := a.ledger()
	if err != nil {
		return nil, err
	}
	found, err := c.Asset(ctx, name)
	if err != nil {
		return nil, err
	}
	a.assets[name] = found
	return found, nil
}

// amount reads an amount typed by a person, in units of the asset.
func (a *app) amount(ctx context.Context, asset, text string) (string, error) {
	class, err := a.asset(ctx, asset)
	if err != nil {
		return "", err
	}
	units, err := client.ParseUnits(text, class.GetDecimals())
	if err != nil {
		return "", usage(err.Error())
	}
	return units, nil
}

// money shows an amount of an asset to a person; if the asset cannot be looked up, in smallest units.
func (a *app) money(ctx context.Context, asset, units string) string {
	if a.offline {
		return units + " smallest units of " + asset
	}
	class, err := a.asset(ctx, asset)
	a.offline = errors.As(err, new(*client.Unreachable))
	if err != nil {
		return units + " smallest units of " + asset
	}
	return client.FormatUnits(units, class.GetDecimals()) + " " + asset
}
