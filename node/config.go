package node

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/dureledger/dure/api"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/tx"
)

// Config is a node's configuration. Settings lists every entry with its meaning.
type Config struct {
	Member     string
	APIListen  string
	APIHosts   []string
	APITLSCert string
	APITLSKey  string
	// APITLSClientCA is empty if clients need no certificate.
	APITLSClientCA string
	// APIAccess is open or consortium.
	APIAccess string
	// APIReaders are addresses of accounts.
	APIReaders []string

	P2PListen string
	P2PPeers  []string

	// ValidatorListen is host:port or unix://path for the signer that has the validator's key, empty if this node has it.
	ValidatorListen string
	ValidatorSigner string

	Index bool
	// IndexDatabase is empty for SQLite in the node's folder. It may have a password in it.
	IndexDatabase string
	IndexSchema   string
	// ReadingsKeep is 0 for ever.
	ReadingsKeep time.Duration
	StateKeep    int64
	LogLevel     string
	LogFormat    string

	MetricsListen  string
	MetricsProfile bool
	TraceEndpoint  string
	TraceRatio     float64
	BlocksKeep     int64

	SnapshotInterval int64
	SnapshotKeep     int64
	SyncServers      []string
	SyncCheckpoint   string

	WitnessPeriod int64
}

// Setting is one entry of the configuration: in config.yaml under Key, in the environment as Env, as flag --Flag.
type Setting struct {
	Key     string
	Default string
	// Help is one sentence for people; it becomes the reference page.
	Help string

	set func(c *Config, value string) error
	get func(c *Config) string
}

// Env is the environment variable: DURE_ and the key in capitals.
func (s Setting) Env() string {
	return "DURE_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(s.Key))
}

// Flag is the command-line flag without dashes.
func (s Setting) Flag() string { return strings.ReplaceAll(s.Key, ".", "-") }

// Get is the setting's value in c, as it would be written.
func (s Setting) Get(c *Config) string { return s.get(c) }

// Settings are all there are, in the order of the reference page.
func Settings() []Setting {
	return []Setting{
		text("member", "", "Address of the member's account that this node belongs to; `dure init` writes it.", func(c *Config) *string { return &c.Member }),
		text("api.listen", "127.0.0.1:8080", "host:port of the API and the status page. A host other than loopback needs api.tls-cert and api.tls-key.",
			func(c *Config) *string { return &c.APIListen }),
		list("api.hosts", "Names by which clients reach the API besides loopback, separated by commas; requests for other names are refused.",
			func(c *Config) *[]string { return &c.APIHosts }),
		text("api.tls-cert", "", "File with the API's TLS certificate chain (PEM).", func(c *Config) *string { return &c.APITLSCert }),
		text("api.tls-key", "", "File with the API's TLS private key (PEM).", func(c *Config) *string { return &c.APITLSKey }),
		text("api.tls-client-ca", "", "File with the authorities (PEM) of which clients must have a certificate; empty: clients need none. These three files are read again when they change.",
			func(c *Config) *string { return &c.APITLSClientCA }),
		text("api.access", "open", "Who may read through the API: open, everybody who reaches it; consortium, members everything and other accounts what concerns them, with tokens "+
			"(docs/access.md). Transactions are taken, and the network, checkpoints and health are told, either way.", func(c *Config) *string { return &c.APIAccess }),
		list("api.readers", "Addresses of accounts that read everything at this node as members do, separated by commas, such as those of this member's gateways and auditors. "+
			"For api.access: consortium.", func(c *Config) *[]string { return &c.APIReaders }),
		text("p2p.listen", "127.0.0.1:26656", "host:port for the other members' nodes. Connections are encrypted and only members' node keys are let in.",
			func(c *Config) *string { return &c.P2PListen }),
		list("p2p.peers", "id@host:port of the members' nodes, separated by commas; `dure genesis show` shows the ids. This node's own may be among them.",
			func(c *Config) *[]string { return &c.P2PPeers }),
		text("validator.listen", "", "host:port or unix://path where this node waits for its signer (`dure signer`), which has the validator's key. Empty: the key is in the node's folder.",
			func(c *Config) *string { return &c.ValidatorListen }),
		text("validator.signer", "", "Id of the one signer that is let in over host:port; `dure signer init` shows it.", func(c *Config) *string { return &c.ValidatorSigner }),
		onOff("index", "true", "Whether this node keeps the index that lists and searches need.", func(c *Config) *bool { return &c.Index }),
		text("index.database", "", "Where the index is kept: empty for SQLite in the node's folder, or postgres://user@host:port/database. "+
			"Give a password in PGPASSFILE or this setting's environment variable, not as a flag.",
			func(c *Config) *string { return &c.IndexDatabase }),
		text("index.schema", "dure", "Schema of the PostgreSQL database for this node's index; each node has its own.",
			func(c *Config) *string { return &c.IndexSchema }),
		span("readings.keep", "0", "For how long after they were anchored this node keeps what devices signed, such as 720h; 0: for ever. Then it is erased from the index, the blocks and, "+
			"but for the newest ten blocks and those since the oldest snapshot, consensus's data, whatever blocks.keep says. Outcomes, receipts and what the index lists of each reading stay; "+
			"files that prove older readings this node cannot make any more. docs/streams.md says when what is erased.",
			func(c *Config) *time.Duration { return &c.ReadingsKeep }),
		number("state.keep", "100000", "For how many blocks the states before the newest can be asked; 0: for ever. Outcomes and what receipts need are always kept.",
			func(c *Config) *int64 { return &c.StateKeep }),
		text("metrics.listen", "", "host:port of a listener for /metrics alone, loopback or a private address. Empty: the API's address answers them, to callers on this machine only.",
			func(c *Config) *string { return &c.MetricsListen }),
		onOff("metrics.profile", "false", "Whether /debug/pprof/ is served beside /metrics, to callers on this machine.", func(c *Config) *bool { return &c.MetricsProfile }),
		text("trace.endpoint", "", "URL of an OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318/v1/traces, that gets traces of transactions' ways. Empty: none are made.",
			func(c *Config) *string { return &c.TraceEndpoint }),
		fraction("trace.ratio", "0.01", "Share of transactions that are traced, 0 to 1. Which they are follows from their ids, so that all members trace the same.",
			func(c *Config) *float64 { return &c.TraceRatio }),
		number("blocks.keep", "0", "How many of the newest blocks are kept for nodes that catch up, at least 10, and those since the oldest snapshot; 0: all, or as long as readings.keep says. Outcomes and what receipts need are always kept.",
			func(c *Config) *int64 { return &c.BlocksKeep }),
		number("snapshot.interval", "10000", "After how many blocks the state is written to a snapshot, from which new nodes can begin; 0: never. All members should have the same.",
			func(c *Config) *int64 { return &c.SnapshotInterval }),
		number("snapshot.keep", "2", "How many of the newest snapshots are kept.", func(c *Config) *int64 { return &c.SnapshotKeep }),
		list("sync.servers", "API addresses of members' nodes, separated by commas. A node without any data begins with a snapshot of its peers, checked against "+
			"the signatures that these show; if none of these has one, with the first block.", func(c *Config) *[]string { return &c.SyncServers }),
		text("sync.checkpoint", "", "File with a checkpoint you trust, which what sync.servers show must agree with; without it the genesis file alone counts.",
			func(c *Config) *string { return &c.SyncCheckpoint }),
		number("witness.period", "60", "Seconds after which another checkpoint is offered to outside witnesses, at least 1. All members should have the same.",
			func(c *Config) *int64 { return &c.WitnessPeriod }),
		text("log.level", "info", "Least important lines to log: debug, info, warn or error.", func(c *Config) *string { return &c.LogLevel }),
		text("log.format", "text", "How log lines are written: text or json.", func(c *Config) *string { return &c.LogFormat }),
	}
}

func text(key, def, help string, field func(*Config) *string) Setting {
	return Setting{
		Key: key, Default: def, Help: help,
		set: func(c *Config, v string) error { *field(c) = v; return nil },
		get: func(c *Config) string { return *field(c) },
	}
}

func list(key, help string, field func(*Config) *[]string) Setting {
	return Setting{
		Key: key, Help: help,
		set: func(c *Config, v string) error {
			*field(c) = nil
			for _, part := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' }) {
				*field(c) = append(*field(c), part)
			}
			return nil
		},
		get: func(c *Config) string { return strings.Join(*field(c), ",") },
	}
}

func number(key, def, help string, field func(*Config) *int64) Setting {
	return Setting{
		Key: key, Default: def, Help: help,
		set: func(c *Config, v string) error {
			n, err := strconv.ParseInt(v, 10, 64)
			if err == nil && n < 0 {
				err = errors.New("want 0 or more")
			}
			*field(c) = n
			return err
		},
		get: func(c *Config) string { return strconv.FormatInt(*field(c), 10) },
	}
}

func span(key, def, help string, field func(*Config) *time.Duration) Setting {
	return Setting{
		Key: key, Default: def, Help: help,
		set: func(c *Config, v string) error {
			d, err := time.ParseDuration(v)
			if err == nil && d < 0 {
				err = errors.New("want 0 or more")
			}
			*field(c) = d
			return err
		},
		get: func(c *Config) string {
			if *field(c) == 0 {
				return "0"
			}
			return field(c).String()
		},
	}
}

func onOff(key, def, help string, field func(*Config) *bool) Setting {
	return Setting{
		Key: key, Default: def, Help: help,
		set: func(c *Config, v string) (err error) { *field(c), err = strconv.ParseBool(v); return err },
		get: func(c *Config) string { return strconv.FormatBool(*field(c)) },
	}
}

// Load reads a configuration: defaults, then the file if it exists, then the environment, then flags (by key).
func Load(file string, env func(string) (string, bool), flags map[string]string) (*Config, error) {
	values, err := readFile(file)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	for _, s := range Settings() {
		value, source := s.Default, "default"
		if v, ok := values[s.Key]; ok {
			value, source = v, file
			delete(values, s.Key)
		}
		if v, ok := env(s.Env()); ok {
			value, source = v, s.Env()
		}
		if v, ok := flags[s.Key]; ok {
			value, source = v, "--"+s.Flag()
		}
		if err := s.set(c, value); err != nil {
			return nil, fmt.Errorf("setting %s: %q from %s is not valid: %w", s.Key, value, source, err)
		}
	}
	if len(values) > 0 {
		return nil, fmt.Errorf("%s: unknown setting %s; docs/config.md lists all there are", file, strings.Join(sortedKeys(values), ", "))
	}
	if index.HasPassword(flags["index.database"]) {
		return nil, errors.New("flag --index-database: everyone on this machine can see a password on a command line; " +
			"set DURE_INDEX_DATABASE or PGPASSFILE in the environment instead")
	}
	return c, c.check()
}

// Write saves the settings that differ from their defaults, with their meaning as comments.
func (c *Config) Write(file string) error {
	var b strings.Builder
	b.WriteString("# Configuration of a Dure node. docs/config.md describes every setting.\n")
	for _, s := range Settings() {
		if v := s.Get(c); v != s.Default {
			fmt.Fprintf(&b, "\n# %s\n%s: %s\n", s.Help, s.Key, strconv.Quote(v))
		}
	}
	return writeFile(file, []byte(b.String()), 0o644)
}

func (c *Config) check() error {
	for _, a := range []struct{ key, value string }{{"api.listen", c.APIListen}, {"p2p.listen", c.P2PListen}} {
		if err := checkHostPort(a.key, a.value); err != nil {
			return err
		}
	}
	if a := api.Access(c.APIAccess); a != api.AccessOpen && a != api.AccessConsortium {
		return fmt.Errorf("setting api.access: %q: want open or consortium", c.APIAccess)
	}
	if _, err := c.readers(); err != nil {
		return err
	}
	if c.BlocksKeep > 0 && c.BlocksKeep < leastBlocks {
		return fmt.Errorf("setting blocks.keep: %d: want 0, which keeps all, or at least %d", c.BlocksKeep, leastBlocks)
	}
	if err := c.checkSigner(); err != nil {
		return err
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if c.APITLSCert == "" && !isLoopback(c.APIListen) {
		return fmt.Errorf("setting api.listen: %s can be reached from other machines, and without TLS anyone between could read and change what clients send; "+
			"give api.tls-cert and api.tls-key, or listen on 127.0.0.1", c.APIListen)
	}
	if c.IndexDatabase != "" {
		if err := c.postgres().Check(); err != nil {
			return err
		}
	}
	return errors.Join(c.checkMetrics(), c.checkTrace())
}

func checkHostPort(key, value string) error {
	if _, _, err := net.SplitHostPort(value); err != nil {
		return fmt.Errorf("setting %s: %q: want host:port", key, value)
	}
	return nil
}

// readers are the accounts of api.readers.
func (c *Config) readers() ([]tx.Address, error) {
	var out []tx.Address
	for _, text := range c.APIReaders {
		a, err := tx.ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("setting api.readers: %q: want addresses of accounts, 0x and 40 hex digits each: %w", text, err)
		}
		out = append(out, a)
	}
	return out, nil
}

// postgres is where the index is kept if not in SQLite.
func (c *Config) postgres() index.Postgres {
	return index.Postgres{URL: c.IndexDatabase, Schema: c.IndexSchema}
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// readFile returns a config file's settings with dotted keys; none if there is no file.
func readFile(file string) (map[string]string, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("configuration %s: %w", file, err)
	}
	out := map[string]string{}
	if twice := flatten("", tree, out); twice != "" {
		return nil, fmt.Errorf("configuration %s: setting %s is there twice, dotted and nested; keep one", file, twice)
	}
	return out, nil
}

// flatten writes the settings of a tree with dotted keys. It returns a key that is there twice, or "".
func flatten(prefix string, tree map[string]any, out map[string]string) (twice string) {
	for k, v := range tree {
		if _, there := out[prefix+k]; there {
			return prefix + k
		}
		switch v := v.(type) {
		case map[string]any:
			if twice = flatten(prefix+k+".", v, out); twice != "" {
				return twice
			}
		case []any:
			parts := make([]string, len(v))
			for i := range v {
				parts[i] = fmt.Sprint(v[i])
			}
			out[prefix+k] = strings.Join(parts, ",")
		case nil:
			out[prefix+k] = ""
		default:
			out[prefix+k] = fmt.Sprint(v)
		}
	}
	return ""
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
