package api

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/dureledger/dure/index"
	accessformat "github.com/dureledger/dure/ledger/access"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Access says who may read at a node.
type Access string

// The ways of access.
const (
	// AccessOpen lets everybody read who reaches the node.
	AccessOpen Access = "open"
	// AccessConsortium lets accounts read: a member's and those of Options.Readers everything, another's what concerns it.
	AccessConsortium Access = "consortium"
)

// gate lets readers in: it gives tokens to accounts and says, for each request, who reads. It keeps no list of tokens.
type gate struct {
	s       *Server
	secret  [32]byte // of this process: whatever it signed ends with it
	names   map[string]bool
	readers map[tx.Address]bool // that read everything here though they are no members
	replays replays
}

// newGate is nil for an open node.
func newGate(s *Server, o Options) *gate {
	if o.Access != AccessConsortium {
		return nil
	}
	g := &gate{s: s, names: map[string]bool{}, readers: map[tx.Address]bool{}}
	_, _ = rand.Read(g.secret[:]) // it never fails
	for _, h := range o.Hosts {
		g.names[strings.ToLower(strings.TrimSuffix(h, "."))] = true
	}
	for _, a := range o.Readers {
		g.readers[a] = true
	}
	return g
}

// access is who may read here.
func (s *Server) access() Access {
	if s.gate == nil {
		return AccessOpen
	}
	return AccessConsortium
}

// asker is an account that reads.
type asker struct {
	s       *Server
	account tx.Address
	key     tx.Address
	// ends is when its token does, in unix milliseconds.
	ends int64
	// all says that it reads everything.
	all bool
	st  state.Reader
}

// standing looks at the state as it is now: whether the key still acts for the account, and whether that reads everything.
func (a *asker) standing() error {
	a.st, _ = a.s.ledger.State()
	_, member := index.ReadMember(a.st, a.account)
	a.all = member || a.s.gate.readers[a.account]
	switch err := index.Acts(a.st, a.account, a.key, a.s.ledger.Status().Time.UnixMilli()); fault.Code(err) {
	case "":
		return nil
	case "account.frozen":
		return fault.New("access.frozen", "Account "+a.account.String()+" is frozen by its sponsor and reads nothing. Ask the sponsor to unfreeze it.", "account", a.account)
	default:
		return fault.New("access.key_not_acting", "The key "+a.key.String()+" does not act for an account "+a.account.String()+
			". Ask for a token with a key that does.", "account", a.account, "key", a.key)
	}
}

// target is where a request was sent to.
type target struct {
	host string
	tls  bool
}

type targetKey struct{}

// enter remembers where a request was sent to, which its proof must name.
func (g *gate) enter(next http.Handler) http.Handler {
	if g == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), targetKey{}, target{r.Host, r.TLS != nil})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// isUs says whether an authority names this node: the host that the request was sent to, or one of api.hosts with any port, as a proxy before the node has one of
// its own. Loopback is not among these, for several nodes may be on one machine.
func (g *gate) isUs(ctx context.Context, scheme, authority string) bool {
	to, _ := ctx.Value(targetKey{}).(target)
	if authority == accessformat.Authority(scheme, to.host) {
		return true
	}
	name, port, _ := strings.Cut(authority, ":")
	return g.names[name] && strings.Trim(port, "0123456789") == ""
}

// options are those of the handlers of a node with a gate.
func (g *gate) options() []connect.HandlerOption {
	if g == nil {
		return nil
	}
	return []connect.HandlerOption{connect.WithInterceptors(g)}
}

func (g *gate) now() time.Time { return g.s.clock() }
