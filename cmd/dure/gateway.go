package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/gateway/coap"
	"github.com/dureledger/dure/gateway/mqtt"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

const gatewayLong = `Lets devices in over MQTT 5 and 3.1.1 with TLS and carries their readings and transactions to the ledger. A device shows a certificate for the key
of its account, made by itself (dure device cert); its client id is its address. A PUBACK without an error means that the message is committed.
docs/devices.md has the topics, the reasons for refusals and what is promised.

With --coap they may come over CoAP with DTLS as well: the certificate's common name is the device's address, and an answer 2.04 means committed.

The account that anchors is --as, one that a member sponsors; it vouches for nothing that devices say. It also reads: a node that answers by account
has to name it in its setting api.readers. --cert and --cert-key are what devices are shown; when
the node wants a certificate of its clients, give that one with DURE_CERT and DURE_CERT_KEY. Ctrl-C or SIGTERM stops it after what was taken has its answer.`

// gatewayFlags are the settings of a gateway.
type gatewayFlags struct {
	listen, coap, cert, certKey, as, key, metrics string
	queue, devices                                int
	logLevel, logFormat                           string
}

// newGateway runs a gateway for devices.
func newGateway(a *app) *cobra.Command {
	var f gatewayFlags
	cmd := &cobra.Command{
		Use: "gateway", Short: "Let devices in over MQTT and CoAP", Long: gatewayLong, Args: cobra.NoArgs,
		Example: "  dure gateway --cert gw.pem --cert-key gw-key.pem --as gateway-1\n" +
			"  dure gateway --coap 127.0.0.1:5684 --cert gw.pem --cert-key gw-key.pem --as gateway-1\n" +
			"  dure gateway --listen 10.0.0.5:8883 --cert gw.pem --cert-key gw-key.pem --node https://node.example --as gateway-1 --metrics 127.0.0.1:9464",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runGateway(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8883", "host:port for MQTT over TLS")
	cmd.Flags().StringVar(&f.coap, "coap", "", "host:port for CoAP over DTLS, such as 127.0.0.1:5684 (default: nowhere)")
	cmd.Flags().StringVar(&f.cert, "cert", "", "PEM file of the certificate that devices are shown (required)")
	cmd.Flags().StringVar(&f.certKey, "cert-key", "", "PEM file of that certificate's key (required)")
	a.actorFlag(cmd, &f.as, "as", "the gateway's account")
	cmd.Flags().StringVar(&f.key, "key", "", "name of the key to sign with, when it is not the account's own")
	must(cmd.RegisterFlagCompletionFunc("key", a.completeKeys))
	cmd.Flags().StringVar(&f.metrics, "metrics", "", "host:port on this machine where /metrics is answered (default: nowhere)")
	cmd.Flags().IntVar(&f.queue, "queue", 16_384, "how many readings may wait for the ledger; more are refused with quota exceeded")
	cmd.Flags().IntVar(&f.devices, "devices", 20_000, "how many devices may be connected over MQTT, and as many over CoAP")
	cmd.Flags().StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&f.logFormat, "log-format", "text", "text or json")
	for _, name := range []string{"cert", "cert-key"} {
		must(cmd.MarkFlagRequired(name))
	}
	return cmd
}

func (a *app) runGateway(ctx context.Context, f gatewayFlags) error {
	log, err := newLogger(&node.Config{LogLevel: f.logLevel, LogFormat: f.logFormat})
	if err != nil {
		return usage(err.Error())
	}
	pair := &certificateFiles{cert: f.cert, key: f.certKey, log: log}
	if _, err := pair.get(); err != nil {
		return failed(fmt.Sprintf("The certificate %s with the key %s cannot be used: %v.", f.cert, f.certKey, err), "docs/devices.md shows how to make one.")
	}
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	g, err := a.openGateway(ctx, f, registry, log)
	if err != nil {
		return err
	}
	stopMetrics, err := serveMetrics(f.metrics, registry, log)
	if err != nil {
		return err
	}
	defer stopMetrics()
	doors, err := openDoors(f, g, pair.get, registry, log)
	if err != nil {
		return err
	}
	log.Info("devices may come", "mqtt", doors.mqtt.Address(), "coap", doors.coapAddress(), "network", g.Network())
	g.Run(ctx) // what was taken is answered when it returns
	log.Info("stopping")
	return doors.close()
}

// doors are the ways in. coap is nil if it is not asked for.
type doors struct {
	mqtt *mqtt.Broker
	coap *coap.Server
}

func openDoors(f gatewayFlags, g *gateway.Gateway, certificate func() (*tls.Certificate, error), registry prometheus.Registerer, log *slog.Logger) (d doors, err error) {
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return d, failed("Cannot listen on "+f.listen+": "+err.Error()+".", "Choose another --listen, or stop what has the port.")
	}
	config := gateway.DoorConfig{Handler: g, Certificate: certificate, Devices: f.devices, Registry: registry, Log: log}
	d.mqtt, err = mqtt.Listen(listener, config)
	if err != nil {
		return d, err
	}
	g.Open(d.mqtt)
	if f.coap == "" {
		return d, nil
	}
	d.coap, err = coap.Listen(f.coap, config)
	if err != nil {
		return d, failed("Cannot listen on "+f.coap+": "+err.Error()+".", "Choose another --coap, or stop what has the port.")
	}
	g.Open(d.coap)
	return d, nil
}

func (d doors) coapAddress() string {
	if d.coap == nil {
		return ""
	}
	return d.coap.Address()
}

// close waits for both at a time.
func (d doors) close() error {
	var ended errgroup.Group
	ended.Go(d.mqtt.Close)
	if d.coap != nil {
		ended.Go(d.coap.Close)
	}
	return ended.Wait()
}

func (a *app) openGateway(ctx context.Context, f gatewayFlags, registry prometheus.Registerer, log *slog.Logger) (*gateway.Gateway, error) {
	account, err := a.self(f.as)
	if err != nil {
		return nil, err
	}
	if a.asKey == "" {
		a.asKey = f.key
	}
	c, err := a.ledger()
	if err != nil {
		return nil, err
	}
	if _, err := c.Account(ctx, account.address); err != nil {
		return nil, err
	}
	if err := mayReadDevices(ctx, c, account); err != nil {
		return nil, err
	}
	signer, err := a.signerFor(ctx, account, f.key)
	if err != nil {
		return nil, err
	}
	return gateway.New(ctx, gateway.Config{Client: c, Account: account.address, Signer: signer, Queue: f.queue, Devices: 4 * f.devices, Registry: registry, Log: log})
}

// mayReadDevices asks for a device that there is not, which nodes tell only those who may ask for any.
func mayReadDevices(ctx context.Context, c *client.Client, account party) error {
	_, err := c.Device(ctx, tx.Address{1})
	if refusal := (*client.Refusal)(nil); errors.As(err, &refusal) && refusal.Code == "access.not_yours" {
		return failed("The node answers by account, and "+account.String()+" may not read of all devices there, as a gateway must.",
			"Have the node's operator name the account in the node's setting api.readers and start the node again; docs/access.md says more.")
	}
	if errors.Is(err, client.ErrNotFound) {
		return nil
	}
	return err
}

// certificateFiles is a certificate that may be renewed in its files while the gateway runs.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	at     [2]time.Time
}

// get reads the files again when they have changed. When that fails the certificate of before is shown on.
func (c *certificateFiles) get() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var at [2]time.Time
	for i, file := range []string{c.cert, c.key} {
		if info, err := os.Stat(file); err == nil {
			at[i] = info.ModTime()
		}
	}
	if c.loaded != nil && at == c.at {
		return c.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	c.at = at
	switch {
	case err == nil:
		c.loaded = &pair
	case c.loaded == nil:
		return nil, err
	default:
		c.log.Error("the renewed certificate cannot be used; devices are shown the one of before", "certificate", c.cert, "error", err)
	}
	return c.loaded, nil
}

// serveMetrics answers /metrics on a loopback address, nowhere for "".
func serveMetrics(listen string, registry *prometheus.Registry, log *slog.Logger) (stop func(), err error) {
	if listen == "" {
		return func() {}, nil
	}
	host, _, err := net.SplitHostPort(listen)
	if addr, bad := netip.ParseAddr(host); err != nil || bad != nil || !addr.IsLoopback() {
		return nil, usagef("--metrics %q: want host:port of this machine, such as 127.0.0.1:9464: figures are neither encrypted nor behind a password", listen)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, failed("Cannot listen on "+listen+": "+err.Error()+".", "Choose another --metrics.")
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	go func() {
		if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("the listener for metrics stopped", "error", err)
		}
	}()
	return func() { _ = server.Close() }, nil
}
