//go:build cgo

package hardware

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/asn1"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/miekg/pkcs11"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// module is a PKCS#11 library, which a process loads and initialises once.
type module struct {
	path  string
	ctx   *pkcs11.Ctx
	users int
	// foreign: another part of the program had initialised it, and finalises it.
	foreign bool
}

// modules are those in use.
var modules = struct {
	sync.Mutex
	byPath map[string]*module
}{byPath: map[string]*module{}}

func openModule(path string) (*module, error) {
	path = filepath.Clean(path)
	modules.Lock()
	defer modules.Unlock()
	if m := modules.byPath[path]; m != nil {
		m.users++
		return m, nil
	}
	m := &module{path: path, ctx: pkcs11.New(path), users: 1}
	if m.ctx == nil {
		return nil, fault.New("key.unreachable", "The PKCS#11 module "+path+" cannot be loaded. Check module-path in the URI of the key, and that the library's package is installed.")
	}
	err := m.ctx.Initialize()
	m.foreign = errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED))
	if err != nil && !m.foreign {
		m.ctx.Destroy()
		return nil, fault.New("key.unreachable", "The PKCS#11 module "+path+" does not start: "+err.Error()+". See its documentation for how it is set up.")
	}
	modules.byPath[path] = m
	return m, nil
}

func (m *module) close() error {
	modules.Lock()
	defer modules.Unlock()
	if m.users--; m.users > 0 {
		return nil
	}
	delete(modules.byPath, m.path)
	var err error
	if !m.foreign {
		err = m.ctx.Finalize()
	}
	m.ctx.Destroy()
	return err
}

// maxSlots bounds how many tokens are looked at.
const maxSlots = 256

// findToken finds the one token that a reference names.
func (m *module) findToken(r Reference) (slot uint, info pkcs11.TokenInfo, err error) {
	slots, err := m.ctx.GetSlotList(true)
	if err != nil {
		return 0, info, r.failure("list its slots", err)
	}
	found := 0
	for _, s := range slots[:min(len(slots), maxSlots)] {
		if r.slot != nil && *r.slot != s {
			continue
		}
		i, err := m.ctx.GetTokenInfo(s)
		if err != nil || i.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue
		}
		if fits(r.token, i.Label) && fits(r.serial, i.SerialNumber) && fits(r.manufacturer, i.ManufacturerID) && fits(r.model, i.Model) {
			slot, info = s, i
			found++
		}
	}
	switch found {
	case 0:
		return 0, info, fault.New("key.unreachable", fmt.Sprintf("%s is not there: of the %d tokens that %s shows none fits the URI. Plug it in, or correct the URI.", r.name(), len(slots), m.path))
	case 1:
		return slot, info, nil
	}
	return 0, info, fault.New("key.ambiguous", fmt.Sprintf("%d tokens fit the URI of the key. Add serial=NUMBER.", found))
}

func fits(want, got string) bool { return want == "" || want == got }

// template is what an object of a class has to have.
func (r Reference) template(class uint) []*pkcs11.Attribute {
	t := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class)}
	if r.object != "" {
		t = append(t, pkcs11.NewAttribute(pkcs11.CKA_LABEL, r.object))
	}
	if r.id != "" {
		t = append(t, pkcs11.NewAttribute(pkcs11.CKA_ID, []byte(r.id)))
	}
	return t
}

// objects finds at most two objects.
func (s *session) objects(template []*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := s.module.ctx.FindObjectsInit(s.handle, template); err != nil {
		return nil, err
	}
	found, _, err := s.module.ctx.FindObjects(s.handle, 2)
	return found, errors.Join(err, s.module.ctx.FindObjectsFinal(s.handle))
}

// find finds the key in a new session, and its public key.
func (t *token) find(s *session) (crypto.PublicKey, error) {
	r := t.reference
	found, err := s.objects(r.template(pkcs11.CKO_PRIVATE_KEY))
	switch {
	case err != nil:
		return nil, r.failure("look for the key", err)
	case len(found) == 0:
		return nil, fault.New("key.not_found", r.name()+" has no private key as the URI says. dure key new NAME --in URI makes one.")
	case len(found) > 1:
		return nil, fault.New("key.ambiguous", r.name()+" has several private keys that fit the URI. Add id=…, percent-encoded.")
	}
	public, err := s.publicKey(r, found[0])
	if err != nil {
		return nil, err
	}
	t.mechanism = pkcs11.CKM_ECDSA
	if _, ok := public.(ed25519.PublicKey); ok {
		t.mechanism = mechanismEdDSA
	}
	t.session, t.key = s, found[0]
	return public, nil
}

// publicKey reads the public key of a private key: an object of its own, with the same id or else the same name.
func (s *session) publicKey(r Reference, private pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	attributes, err := s.module.ctx.GetAttributeValue(s.handle, private, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, nil), pkcs11.NewAttribute(pkcs11.CKA_ID, nil), pkcs11.NewAttribute(pkcs11.CKA_LABEL, nil)})
	if err != nil {
		return nil, r.failure("read what kind of key it is", err)
	}
	same := pkcs11.NewAttribute(pkcs11.CKA_LABEL, attributes[2].Value)
	if id := attributes[1].Value; len(id) > 0 {
		same = pkcs11.NewAttribute(pkcs11.CKA_ID, id)
	}
	found, err := s.objects([]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), same})
	if err != nil {
		return nil, r.failure("look for the public key", err)
	}
	if len(found) != 1 {
		return nil, fault.New("key.not_found", fmt.Sprintf("%s has %d public keys for the private one, and needs one, with the same id.", r.name(), len(found)))
	}
	points, err := s.module.ctx.GetAttributeValue(s.handle, found[0], []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, nil), pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
	if err != nil {
		return nil, fault.New("key.unsupported", "The key in "+r.name()+" is of no elliptic curve. Take one of P-256 or Ed25519.")
	}
	return parsePoint(points[0].Value, points[1].Value)
}

// Mechanisms of PKCS#11 3.0, section 6.3, which the library does not name.
const (
	mechanismEdwardsPair = 0x1055
	mechanismEdDSA       = 0x1057
)

// CKA_EC_PARAMS: RFC 5480's and RFC 8410's identifiers, and the name that PKCS#11 3.0 allows instead.
var (
	paramsP256    = []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	paramsEd25519 = []byte{0x06, 0x03, 0x2b, 0x65, 0x70}
	namedEd25519  = append([]byte{0x13, 12}, "edwards25519"...)
)

// parsePoint reads a public key: the point, in an OCTET STRING or, from some tokens, plain.
func parsePoint(params, point []byte) (crypto.PublicKey, error) {
	var inner []byte
	if rest, err := asn1.Unmarshal(point, &inner); err == nil && len(rest) == 0 {
		point = inner
	}
	switch {
	case slices.Equal(params, paramsP256):
		if key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err == nil {
			return key, nil
		}
	case slices.Equal(params, paramsEd25519) || slices.Equal(params, namedEd25519):
		if len(point) == ed25519.PublicKeySize {
			return ed25519.PublicKey(point), nil
		}
	default:
		return nil, fault.New("key.unsupported", "The key is on another curve than P-256 and Ed25519. Take one of these.")
	}
	return nil, fault.New("key.hardware_failed", "The token shows a public key that is no point of its curve.")
}

// generate makes a pair of keys unless there is one with the name already.
func (s *session) generate(r Reference, kind accountv1.KeyKind) error {
	for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY} {
		found, err := s.objects([]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_LABEL, r.object)})
		if err != nil {
			return r.failure("look for keys", err)
		}
		if len(found) > 0 {
			return fault.New("key.exists", r.name()+" has a key of this name already: object="+r.object+". Choose another name, or take it as it is: dure key add.")
		}
	}
	id := []byte(r.id)
	if len(id) == 0 {
		var err error
		if id, err = s.module.ctx.GenerateRandom(s.handle, 16); err != nil {
			return r.failure("draw an id", err)
		}
	}
	mechanism, params := uint(pkcs11.CKM_EC_KEY_PAIR_GEN), paramsP256
	if kind == accountv1.KeyKind_KEY_KIND_ED25519 {
		mechanism, params = mechanismEdwardsPair, paramsEd25519
	}
	names := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_LABEL, r.object), pkcs11.NewAttribute(pkcs11.CKA_ID, id)}
	public := append(slices.Clone(names), pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, params), pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true))
	private := append(slices.Clone(names), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true))
	if _, _, err := s.module.ctx.GenerateKeyPair(s.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, public, private); err != nil {
		return r.failure("make a key", err)
	}
	return nil
}
