package coap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"github.com/pion/dtls/v3"

	"github.com/dureledger/dure/client/certificate"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// suites are authenticated ciphers alone, with those that small devices have (RFC 7252, section 9.1.3.3).
var suites = dtls.WithCipherSuites(
	dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, dtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
	dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
)

// dtls are the settings of a handshake: a client certificate by anybody, for a key of which Admit says that it may speak for the device.
func (s *Server) dtls() []dtls.ServerOption {
	return []dtls.ServerOption{
		dtls.WithGetCertificate(func(*dtls.ClientHelloInfo) (*tls.Certificate, error) { return s.cfg.Certificate() }),
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		suites,
		dtls.WithVerifyConnection(s.admit),
	}
}

// admit lets a handshake come to its end, or not: the other side has shown by now that it holds the certificate's key.
func (s *Server) admit(state *dtls.State) error {
	device, key, err := identity(state.PeerCertificates)
	if err == nil {
		ctx, cancel := context.WithTimeout(s.life, AdmitTime)
		defer cancel()
		err = s.cfg.Admit(ctx, device, key)
	}
	if err == nil {
		return nil
	}
	code := fault.Code(err)
	if code == "" {
		code = "gateway.not_known" // the ledger does not answer
	}
	s.refused(nil, code, err)
	return fmt.Errorf("coap: %w", err)
}

// identity is who a certificate is for.
func identity(shown [][]byte) (device tx.Address, key tx.Key, err error) {
	if len(shown) == 0 {
		return device, key, errors.New("no certificate")
	}
	parsed, err := x509.ParseCertificate(shown[0])
	if err != nil {
		return device, key, fault.New("gateway.bad_certificate", "The certificate cannot be read: "+err.Error()+".")
	}
	return certificate.Holder(parsed)
}

// refused counts and logs a connection that is not let in.
func (s *Server) refused(from net.Addr, code string, err error) {
	s.cfg.Tally.Refused(code)
	s.cfg.Log.Info("a connection was refused", "from", from, "code", code, "error", err)
}
