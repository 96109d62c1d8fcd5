package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// gatewayProcess is a gateway of a demonstration, a process of its own that only this machine can reach.
type gatewayProcess struct {
	// home is the keystore's folder with the account's key, as the key name gatewayKey.
	home string
	// dir is where its certificate and log are.
	dir string
	// node is the address of the node it talks to, listen host:port of its door.
	node, listen string

	cmd  *exec.Cmd
	done chan struct{}
}

// gatewayKey is the name of a demonstration's gateway in the keystore, gatewaySetting the file in the folder of settings that says where it is.
const (
	gatewayKey     = "gateway"
	gatewaySetting = "gateway"
)

func (g *gatewayProcess) certificate() string { return filepath.Join(g.dir, "gateway.pem") }
func (g *gatewayProcess) log() string         { return filepath.Join(g.dir, "gateway.log") }

// start runs the gateway and waits until devices may come.
func (g *gatewayProcess) start(ctx context.Context) error {
	key := filepath.Join(g.dir, "gateway-key.pem")
	if !exists(g.certificate()) {
		if err := loopbackCertificate(g.certificate(), key); err != nil {
			return err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(g.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return failed("the gateway's folder cannot be written: "+err.Error(), "choose another with --dir, or change its owner")
	}
	g.cmd = exec.Command(self, "gateway", "--home", g.home, "--node", g.node, "--listen", g.listen, "--cert", g.certificate(), "--cert-key", key,
		"--as", gatewayKey) // this very program
	g.cmd.Stdout, g.cmd.Stderr = log, log
	g.cmd.Env = withoutSettings(os.Environ())
	g.cmd.SysProcAttr = childAttributes()
	if err := g.cmd.Start(); err != nil {
		g.cmd = nil
		return errors.Join(err, log.Close())
	}
	cmd, done := g.cmd, make(chan struct{})
	g.done = done
	go func() {
		_ = cmd.Wait() // its log says why
		_ = log.Close()
		close(done)
	}()
	return g.ready(ctx)
}

// startTrusted starts it and returns whom to believe to be it.
func (g *gatewayProcess) startTrusted(ctx context.Context) (*x509.CertPool, error) {
	if err := g.start(ctx); err != nil {
		return nil, err
	}
	certificate, err := os.ReadFile(g.certificate())
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return roots, nil
}

func (g *gatewayProcess) ready(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, upTimeout)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", g.listen)
		if err == nil {
			return c.Close()
		}
		select {
		case <-g.done:
			return failed("the gateway could not start", "see "+g.log()+":\n"+tail(g.log()))
		case <-ctx.Done():
			return failed("the gateway did not get ready", "see "+g.log()+":\n"+tail(g.log()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends it; what it has taken is answered first.
func (g *gatewayProcess) stop() {
	if g.cmd == nil {
		return
	}
	_ = g.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-g.done:
	case <-time.After(downTimeout):
		_ = g.cmd.Process.Kill() // it may have ended
		<-g.done
	}
	g.cmd = nil
}

// loopbackCertificate writes a certificate for this machine, signed by itself, and its key.
func loopbackCertificate(certificate, key string) error {
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Dure demonstration gateway"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600),
		os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)) // public
}
