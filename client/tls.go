package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// tlsSettings are those of https nodes: TLS 1.3, the authorities of CAFile, the certificate of CertFile.
func (cfg Config) tlsSettings() (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS13}
	if cfg.TLS != nil {
		settings = cfg.TLS.Clone()
	}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("client: CA file: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("client: CA file %s holds no PEM certificate", cfg.CAFile)
		}
		settings.RootCAs = pool
	}
	if (cfg.CertFile == "") != (cfg.KeyFile == "") {
		return nil, errors.New("client: give a certificate file and its key file, or neither")
	}
	if cfg.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("client: certificate %s with key %s: %w", cfg.CertFile, cfg.KeyFile, err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	return settings, nil
}

// BadCertificate means that a node and this client could not agree on TLS. Nothing was sent.
type BadCertificate struct {
	// Reason says what is wrong and what to do.
	Reason string
	Err    error
}

// Error gives the reason.
func (b *BadCertificate) Error() string { return b.Reason }

// Unwrap gives what the TLS library said.
func (b *BadCertificate) Unwrap() error { return b.Err }

// explainTLS turns trouble with certificates into a *BadCertificate; nil if err is something else.
func explainTLS(err error) error {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
	)
	why := ""
	switch text := err.Error(); {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		why = fmt.Sprintf("the node's certificate is not valid before %s; is this machine's clock right?", invalid.Cert.NotBefore.UTC().Format(time.RFC3339))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		why = fmt.Sprintf("the node's certificate expired at %s; its operator must renew it (a node reads a renewed one without a restart)",
			invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	case errors.As(err, &invalid):
		why = "the node's certificate is not valid: " + invalid.Error()
	case errors.As(err, &hostname):
		why = fmt.Sprintf("the node's certificate is for other names than %q (%s); use one of them, or have the operator add this one",
			hostname.Host, strings.Join(names(hostname.Certificate), ", "))
	case errors.As(err, &unknown):
		why = "the node's certificate is of an authority that this machine does not know; give the authority's certificate with --ca or DURE_CA (CAFile), from a source you trust"
	case strings.Contains(text, "tls: certificate required"):
		why = "the node wants a certificate of its clients; give yours with --cert and --cert-key (CertFile, KeyFile)"
	case strings.Contains(text, "remote error: tls: unknown certificate authority"), strings.Contains(text, "remote error: tls: bad certificate"):
		why = "the node does not accept this client's certificate: it is not of the authority in the node's setting api.tls-client-ca"
	case strings.Contains(text, "remote error: tls: expired certificate"):
		why = "this client's certificate has expired; renew it"
	case strings.Contains(text, "server gave HTTP response to HTTPS client"):
		why = "the node speaks http, not https; use http:// in its address if it is on this machine"
	case strings.Contains(text, "protocol version not supported"):
		why = "the node and this client have no version of TLS in common; TLS 1.3 is needed"
	default:
		return nil
	}
	return &BadCertificate{Reason: why, Err: err}
}

func names(c *x509.Certificate) []string {
	if c == nil {
		return nil
	}
	out := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	if len(out) == 0 {
		out = append(out, "none")
	}
	return out
}
