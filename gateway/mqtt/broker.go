package mqtt

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	// receiveMaximum is how many messages of a device may be without an answer.
	receiveMaximum = 64
	// maxKeepAlive is the longest silence of an MQTT 5 client in seconds, half as much again is granted.
	maxKeepAlive = 1200
	// packetRoom is what a PUBLISH has besides its payload, bytes.
	packetRoom = 1024
	stopTime   = 5 * time.Second
	// maxOrders bounds the calls to look for commands that wait, maxHanded the transactions of a connection that are remembered.
	maxOrders = 32
	maxHanded = 256
)

// Broker is the door for MQTT. It implements gateway.Door.
type Broker struct {
	cfg     gateway.DoorConfig
	server  *mochi.Server
	listen  *listener
	metrics *metrics
	life    context.Context
	end     context.CancelFunc

	// unanswered counts the messages without an answer, for Close.
	unanswered atomic.Int64

	mu       sync.Mutex
	sessions map[*mochi.Client]*session
	devices  map[tx.Address]*session // the newest of each
}

// Listen starts a broker on a listener for plain TCP, which it closes at the end.
func Listen(l net.Listener, cfg gateway.DoorConfig) (*Broker, error) {
	if cfg.Devices <= 0 {
		cfg.Devices = gateway.DefaultDevices
	}
	b := &Broker{cfg: cfg, sessions: map[*mochi.Client]*session{}, devices: map[tx.Address]*session{}, metrics: newMetrics()}
	b.life, b.end = context.WithCancel(context.Background())
	b.listen = &listener{net: l, tls: serverTLS(cfg.Certificate), most: int64(cfg.Devices) + strangers, log: cfg.Log, fell: b.sweep}
	capabilities := mochi.NewDefaultServerCapabilities()
	capabilities.MaximumClients = int64(cfg.Devices)
	capabilities.MaximumClientWritesPending = 16
	capabilities.MaximumSessionExpiryInterval = 0
	capabilities.MaximumPacketSize = uint32(cfg.Handler.MaxMessage() + packetRoom)
	capabilities.ReceiveMaximum = receiveMaximum
	capabilities.MaximumInflight = receiveMaximum
	capabilities.TopicAliasMaximum = 0
	capabilities.SharedSubAvailable = 0
	capabilities.MinimumProtocolVersion = 4
	capabilities.MaximumQos = 1
	capabilities.RetainAvailable = 0
	capabilities.WildcardSubAvailable = 0
	b.server = mochi.New(&mochi.Options{
		Capabilities: capabilities, ClientNetWriteBufferSize: 1024, ClientNetReadBufferSize: 1024,
		// The broker logs packets with what is in them.
		Logger: slog.New(slog.DiscardHandler), SysTopicResendInterval: 1 << 30,
	})
	if err := b.register(); err != nil {
		return nil, err
	}
	for _, err := range []error{b.server.AddHook(&hook{b: b}, nil), b.server.AddListener(b.listen), b.server.Serve()} {
		if err != nil {
			return nil, fmt.Errorf("mqtt: %w", err)
		}
	}
	return b, nil
}

func (b *Broker) register() error {
	if b.cfg.Registry == nil {
		return nil
	}
	return b.metrics.register(b.cfg.Registry, b.Connected)
}

// serverTLS takes any client certificate of whose key possession is shown: the ledger says whose key it is, no authority.
func serverTLS(own func() (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return own() },
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := tx.KeyOf(state.PeerCertificates[0].PublicKey) // RequireAnyClientCert: there is one
			return err
		},
	}
}

// Address is where the broker listens.
func (b *Broker) Address() string { return b.listen.Address() }

// Connected is how many devices are here.
func (b *Broker) Connected() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sessions)
}

// Close ends the connections and lets nobody in any more, when every message has its answer or a moment later: what was taken and not
// acknowledged its device sends again. The handler takes nothing any more, but answers.
func (b *Broker) Close() error {
	for end := time.Now().Add(stopTime); b.unanswered.Load() > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	b.end()
	closed := make(chan error, 1)
	go func() { closed <- b.server.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(stopTime): // a client that does not read
	}
	for _, s := range b.all() {
		s.client.Stop(packets.ErrServerShuttingDown)
	}
	return <-closed
}

func (b *Broker) all() []*session {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]*session, 0, len(b.sessions))
	for _, s := range b.sessions {
		all = append(all, s)
	}
	return all
}

// sweep removes sessions whose end the broker did not tell.
func (b *Broker) sweep() {
	for _, s := range b.all() {
		if s.client.Closed() {
			b.left(s.client)
		}
	}
}

// came starts the session of a client that was let in.
func (b *Broker) came(c *mochi.Client, device tx.Address, key tx.Key) {
	s := &session{
		broker: b, client: c, device: device, key: key, version: c.Properties.ProtocolVersion,
		commands: make(chan string, maxOrders), handed: map[string]bool{},
		waiting: make(chan *message, receiveMaximum-1), // one more is with the goroutine that acknowledges
	}
	s.life, s.end = context.WithCancel(b.life)
	b.mu.Lock()
	b.sessions[c], b.devices[device] = s, s
	b.mu.Unlock()
	go s.acknowledge()
	go s.command()
}

// left ends a client's session.
func (b *Broker) left(c *mochi.Client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[c]
	if s == nil {
		return
	}
	s.end()
	delete(b.sessions, c)
	if b.devices[s.device] == s {
		delete(b.devices, s.device)
	}
}

func (b *Broker) session(c *mochi.Client) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sessions[c]
}

func (b *Broker) here(device tx.Address) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.devices[device]
}

// Changed implements gateway.Door: it asks again whether the device's key may act for it, and cuts it off if not.
func (b *Broker) Changed(device tx.Address) {
	if s := b.here(device); s != nil {
		go func() {
			ctx, cancel := context.WithTimeout(s.life, gateway.AdmitTime)
			defer cancel()
			if err := b.cfg.Handler.Admit(ctx, device, s.key); gateway.KindOf(err) == gateway.NotAllowed {
				s.cut(err.Error())
			}
		}()
	}
}

// Challenge implements gateway.Door.
func (b *Broker) Challenge(device tx.Address, nonce string) {
	if s := b.here(device); s != nil && nonce != "" {
		go s.publish(topicChallenge, []byte(nonce))
	}
}

// Commanded implements gateway.Door.
func (b *Broker) Commanded(device tx.Address, transaction string) {
	if s := b.here(device); s != nil {
		s.look(transaction)
	}
}

// identity is who a client says it is, by its certificate and its id. The error is a reason code.
func (b *Broker) identity(c *mochi.Client) (tx.Address, tx.Key, error) {
	conn, ok := c.Net.Conn.(*tls.Conn)
	if !ok {
		return tx.Address{}, tx.Key{}, packets.ErrNotAuthorized
	}
	shown := conn.ConnectionState().PeerCertificates
	if len(shown) == 0 {
		return tx.Address{}, tx.Key{}, packets.ErrNotAuthorized
	}
	key, err := tx.KeyOf(shown[0].PublicKey)
	if err != nil {
		return tx.Address{}, tx.Key{}, reason(packets.ErrNotAuthorized, err.Error())
	}
	device, err := tx.ParseAddress(c.ID)
	if err != nil || device.String() != c.ID {
		return tx.Address{}, tx.Key{}, reason(packets.ErrClientIdentifierNotValid, "the client id must be the device's address, as dure device show writes it")
	}
	return device, key, nil
}

// admit asks whether a client may come in. The error is a reason code.
func (b *Broker) admit(c *mochi.Client) error {
	device, key, err := b.identity(c)
	if err != nil {
		return err
	}
	if c.Properties.Will.Flag != 0 {
		return reason(packets.ErrNotAuthorized, "wills are not taken")
	}
	ctx, cancel := context.WithTimeout(b.life, gateway.AdmitTime)
	defer cancel()
	err = b.cfg.Handler.Admit(ctx, device, key)
	switch {
	case err == nil:
		return nil
	case gateway.KindOf(err) == gateway.NotAllowed:
		return reason(packets.ErrNotAuthorized, err.Error())
	}
	b.cfg.Log.Warn("a device cannot be looked up", "device", device.String(), "error", err)
	return reason(packets.ErrServerUnavailable, "the ledger does not answer; try again")
}

func reason(code packets.Code, text string) packets.Code {
	return packets.Code{Code: code.Code, Reason: text}
}
