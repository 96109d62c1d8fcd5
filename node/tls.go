package node

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// How often the certificate's files are looked at, at most, and how long before its end a certificate is warned of.
const (
	certLook = time.Second
	certWarn = 14 * 24 * time.Hour
)

// certificates gives the API its TLS settings from files, and reads them again when they have changed, so that a renewed
// certificate needs no restart. Files that cannot be used leave the settings as they were.
type certificates struct {
	cert, key, clientCA string
	hosts               []string
	log                 *slog.Logger
	now                 func() time.Time

	mu     sync.Mutex
	looked time.Time
	stamp  string
	config *tls.Config
}

func newCertificates(c *Config, log *slog.Logger) (*certificates, error) {
	s := &certificates{cert: c.APITLSCert, key: c.APITLSKey, clientCA: c.APITLSClientCA, hosts: c.APIHosts, log: log, now: time.Now}
	s.stamp = s.look()
	var err error
	if s.config, err = s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// listener is l with TLS.
func (s *certificates) listener(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{
		MinVersion:         tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.current(), nil },
	})
}

// current is the settings for the next connection.
func (s *certificates) current() *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Sub(s.looked) < certLook {
		return s.config
	}
	s.looked = s.now()
	stamp := s.look()
	if stamp == s.stamp {
		return s.config
	}
	config, err := s.load()
	if err != nil { // perhaps only one of the two files is new yet: looked at again
		s.log.Warn("the API's certificate has changed and cannot be used; the one before stays in use", "error", err)
		return s.config
	}
	s.stamp, s.config = stamp, config
	s.log.Info("the API uses a new certificate", "file", s.cert)
	return s.config
}

// look changes when a file does.
func (s *certificates) look() string {
	stamp := ""
	for _, file := range []string{s.cert, s.key, s.clientCA} {
		if info, err := os.Stat(file); err == nil {
			stamp += fmt.Sprintf("%d %d;", info.ModTime().UnixNano(), info.Size())
		}
	}
	return stamp
}

func (s *certificates) load() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return nil, fmt.Errorf("settings api.tls-cert and api.tls-key: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"}}
	if s.clientCA != "" {
		pem, err := os.ReadFile(s.clientCA)
		if err != nil {
			return nil, fmt.Errorf("setting api.tls-client-ca: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("setting api.tls-client-ca: %s holds no PEM certificate", s.clientCA)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	s.judge(pair.Leaf)
	return config, nil
}

// judge warns of what clients will not accept.
func (s *certificates) judge(leaf *x509.Certificate) {
	now := s.now()
	switch {
	case now.After(leaf.NotAfter):
		s.log.Error("the API's certificate has expired: clients refuse it; renew it, the node reads the new files by itself", "expired", leaf.NotAfter)
	case now.Before(leaf.NotBefore):
		s.log.Error("the API's certificate is not valid yet: clients refuse it; is this machine's clock right?", "from", leaf.NotBefore)
	case leaf.NotAfter.Sub(now) < certWarn:
		s.log.Warn("the API's certificate expires soon; renew it, the node reads the new files by itself", "expires", leaf.NotAfter)
	}
	for _, host := range s.hosts {
		if err := leaf.VerifyHostname(host); err != nil {
			s.log.Warn("the API's certificate is not for a name in setting api.hosts: clients that use the name refuse it", "name", host, "error", err)
		}
	}
}

func (c *Config) checkTLS() error {
	if (c.APITLSCert == "") != (c.APITLSKey == "") {
		return errors.New("settings api.tls-cert and api.tls-key: give both or neither")
	}
	if c.APITLSClientCA != "" && c.APITLSCert == "" {
		return errors.New("setting api.tls-client-ca: clients can only prove who they are over TLS; give api.tls-cert and api.tls-key too")
	}
	return nil
}
