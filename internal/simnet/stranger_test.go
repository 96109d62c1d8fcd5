package simnet_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/internal/simnet"
)

// A node whose key is no member's is not let in, whatever genesis file and peers it has.
func TestStrangersStayOut(t *testing.T) {
	n := simnet.Start(t, 2)
	n.StopNode(1)
	key := filepath.Join(string(n.Home(1)), "keys", "node.key")
	member, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	stranger := make([]byte, 32)
	if _, err := rand.Read(stranger); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte(hex.EncodeToString(stranger)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(n.Home(1).Card()); err != nil { // with it the node itself would find that the key is not its own
		t.Fatal(err)
	}
	n.StartNode(1)
	n.Eventually(func() bool { return strings.Contains(n.Log(0), "not a member's node") }, "the stranger was not refused")
	n.Eventually(func() bool {
		s, err := n.Client(0).Status(t.Context())
		return err == nil && s.GetPeers() == 0
	}, "member 0 has a peer")
	n.StopNode(1)
	if err := os.WriteFile(key, member, 0o600); err != nil {
		t.Fatal(err)
	}
	n.StartNode(1)
	pay(t, n.Client(0), 0, 1, "1") // two members of two are needed
}

// A node that listens with a certificate is reached by clients that trust its authority, and by no others.
func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	n := simnet.Start(t, 1)
	n.StopNode(0)
	raw, err := os.ReadFile(n.Home(0).Config())
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, "\napi.tls-cert: "+cert+"\napi.tls-key: "+key+"\n"...)
	if err := os.WriteFile(n.Home(0).Config(), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	n.StartNode(0)
	address := strings.Replace(n.URL(0), "http://", "https://", 1)
	c, err := client.Dial(client.Config{Addresses: []string{address}, CAFile: cert})
	if err != nil {
		t.Fatal(err)
	}
	n.Eventually(func() bool { s, err := c.Status(t.Context()); return err == nil && s.GetHeight() >= 1 }, "no answer over TLS")
	pay(t, c, 0, 1, "1")
	distrusting, err := client.Dial(client.Config{Addresses: []string{address}, Patience: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := distrusting.Status(t.Context()); err == nil {
		t.Error("a client that does not know the authority was answered")
	}
}

// certificate makes one for 127.0.0.1 that vouches for itself.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "dure test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
