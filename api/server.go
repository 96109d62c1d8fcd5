package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dureledger/dure/api/web"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits of the server. A request beyond one is refused with a code, never cut short.
const (
	// MaxBody is the largest request body, in bytes.
	MaxBody = 8 << 20
	// compressFrom is the smallest answer that is compressed for clients that can, in bytes: what a packet holds takes no
	// less time compressed.
	compressFrom = 1400
	// MaxSubmit is the most transactions in one SubmitMany.
	MaxSubmit = 1000
	// MaxStreams is how many watchers and event streams may be open at once.
	MaxStreams = 512
	// MaxRequests is how many other requests may be answered at once.
	MaxRequests = 2048

	// maxBodies is what the bodies of all requests being answered may hold together, in bytes.
	maxBodies = 256 << 20

	maxHeader         = 64 << 10
	readHeaderTimeout = 5 * time.Second
	readBodyTimeout   = 30 * time.Second
	idleTimeout       = 2 * time.Minute
)

// Options of a Server.
type Options struct {
	// Hosts are names by which this node may be asked besides loopback; a request for any other host is refused, so
	// that a page elsewhere cannot reach the node by pointing its own name at it (DNS rebinding). Without port.
	Hosts []string
	// ReadingsKeep is for how long the node keeps what devices signed, 0 for ever.
	ReadingsKeep time.Duration
	// Readers are accounts that read everything at a node in consortium mode, as those of members do.
	Readers []tx.Address
	// Log gets errors that callers are not told about; nil discards them.
	Log *slog.Logger
	// Metrics is where the API's metrics are registered; nil: nowhere.
	Metrics prometheus.Registerer
	// Checks are what /healthz, /readyz and GetStatus tell.
	Checks Checks
	// Clock is by what readings grow old while no block comes, and tokens end; nil: the machine's.
	Clock func() time.Time
	// Access says who may read; empty: everybody.
	Access Access
}

// Checks look at a node when they are asked; nil ones are left out.
type Checks struct {
	// Live says whether the process can commit at all; Ready whether it should be asked now.
	Live, Ready func() []Check
}

// Server answers requests about one ledger.
type Server struct {
	ledger  Ledger
	index   *index.Index
	log     *slog.Logger
	hosts   map[string]bool
	handler http.Handler

	streams  chan struct{}
	requests chan struct{}
	bodies   atomic.Int64
	stopping chan struct{}
	stop     sync.Once
	waits    context.Context // ends a moment after Stop
	endWaits context.CancelFunc
	site     *web.Site
	metrics  *metrics
	checks   Checks
	clock    func() time.Time
	live     live
	// readingsKeep is Options.ReadingsKeep.
	readingsKeep time.Duration
	gate         *gate // nil: everybody may read
}

// now is the time by which readings are old, in unix milliseconds: the clock's, or the newest block's if that is later.
func (s *Server) now() int64 {
	return max(s.clock().UnixMilli(), s.ledger.Status().Time.UnixMilli())
}

// New makes a server. It reads nothing of the ledger until it is asked.
func New(ledger Ledger, idx *index.Index, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	s := &Server{
		ledger: ledger, index: idx, log: o.Log, hosts: hostSet(o.Hosts),
		streams: make(chan struct{}, MaxStreams), requests: make(chan struct{}, MaxRequests),
		stopping: make(chan struct{}), site: web.New(), checks: o.Checks, clock: o.Clock, readingsKeep: o.ReadingsKeep,
	}
	s.metrics = newMetrics(o.Metrics, s)
	s.waits, s.endWaits = context.WithCancel(context.Background())
	s.gate = newGate(s, o)
	s.handler = s.guard(s.gate.enter(s.routes()))
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// HTTP is an http.Server around s with the limits set: HTTP/1.1, and HTTP/2 with and without TLS on one port.
func (s *Server) HTTP() *http.Server {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: s, Protocols: &p,
		ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	limits := []connect.HandlerOption{
		connect.WithReadMaxBytes(MaxBody),
		connect.WithCompressMinBytes(compressFrom),
		connect.WithInterceptors(s.metrics, errorInterceptor{s}),
		connect.WithRecover(s.recovered),
	}
	limits = append(limits, s.gate.options()...)
	mux.Handle(apiv1connect.NewLedgerServiceHandler(&ledgerService{s}, limits...))
	mux.Handle(apiv1connect.NewAccountServiceHandler(&accountService{s}, limits...))
	mux.Handle(apiv1connect.NewAssetServiceHandler(&assetService{s}, limits...))
	mux.Handle(apiv1connect.NewRecordServiceHandler(&recordService{s}, limits...))
	mux.Handle(apiv1connect.NewDeviceServiceHandler(&deviceService{s}, limits...))
	mux.Handle(apiv1connect.NewStreamServiceHandler(&streamService{s}, limits...))
	mux.Handle(apiv1connect.NewAccessServiceHandler(&accessService{s}, limits...))
	mux.Handle(apiv1connect.NewNetworkServiceHandler(&networkService{s}, limits...))
	mux.Handle(apiv1connect.NewIdentityServiceHandler(&identityService{s}, limits...))
	reflector := grpcreflect.NewStaticReflector(serviceNames...)
	mux.Handle(grpcreflect.NewHandlerV1(reflector))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector))

	document, err := openAPI()
	if err != nil {
		panic(err) // only what is embedded in the binary can be wrong
	}
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	})
	mux.HandleFunc("GET /healthz", s.alive)
	mux.HandleFunc("GET /readyz", s.ready)
	if s.gate != nil {
		s.privatePages(mux)
	} else {
		s.pages(mux)
	}
	return mux
}

var serviceNames = []string{
	apiv1connect.LedgerServiceName, apiv1connect.AccountServiceName, apiv1connect.AssetServiceName,
	apiv1connect.RecordServiceName, apiv1connect.DeviceServiceName, apiv1connect.StreamServiceName, apiv1connect.AccessServiceName, apiv1connect.NetworkServiceName,
	apiv1connect.IdentityServiceName,
}
