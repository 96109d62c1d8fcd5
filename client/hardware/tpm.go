package hardware

import (
	"crypto"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// tpmKey is a persistent key of a TPM. The TPM is opened for each signature, so that others can use it, and so that it may start anew in between.
type tpmKey struct {
	reference Reference
	pin       func() (string, error)

	mu sync.Mutex
	// name is the TPM's own of the key: its digest.
	name tpm2.TPM2BName
	// lost is why the key is of no use any more: a PIN that was wrong once is not tried again.
	lost error
}

func openTPM(r Reference, pin func() (string, error)) (*Key, error) {
	k := &tpmKey{reference: r, pin: remembered(pin)}
	var public crypto.PublicKey
	err := withTPM(r, func(t transport.TPM) (err error) {
		public, k.name, err = readPublic(t, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return newKey(r, public, k)
}

// readPublic reads the public key of a handle, and sees that the TPM signs with it whatever it is given.
func readPublic(t transport.TPM, r Reference) (crypto.PublicKey, tpm2.TPM2BName, error) {
	answer, err := tpm2.ReadPublic{ObjectHandle: tpm2.TPMHandle(r.handle)}.Execute(t)
	if errors.Is(err, tpm2.TPMRCHandle) || errors.Is(err, tpm2.TPMRCValue) {
		return nil, tpm2.TPM2BName{}, fault.New("key.not_found", "There is no key at "+r.name()+". dure key new NAME --in URI makes one.")
	}
	if err != nil {
		return nil, tpm2.TPM2BName{}, tpmFailure(r, "read the key", err)
	}
	public, err := answer.OutPublic.Contents()
	if err != nil {
		return nil, tpm2.TPM2BName{}, tpmFailure(r, "read the key", err)
	}
	if public.ObjectAttributes.Restricted || !public.ObjectAttributes.SignEncrypt {
		return nil, tpm2.TPM2BName{}, fault.New("key.unsupported", "The key at "+r.name()+" signs only what the TPM says itself, such as quotes, or nothing. "+
			"Take one that signs (tpm2_create -a 'sign|…' without 'restricted'), or make one: dure key new NAME --in URI.")
	}
	if parameters, err := public.Parameters.ECCDetail(); err != nil || parameters.CurveID != tpm2.TPMECCNistP256 {
		return nil, tpm2.TPM2BName{}, fault.New("key.unsupported", "The key at "+r.name()+" is of another kind than P-256. TPMs have no Ed25519, and accounts no RSA.")
	}
	key, err := tpm2.Pub(*public)
	if err != nil {
		return nil, tpm2.TPM2BName{}, tpmFailure(r, "read the key", err)
	}
	return key, answer.Name, nil
}

func (k *tpmKey) sign(digest []byte) (signature []byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lost != nil {
		return nil, k.lost
	}
	auth, err := k.auth()
	if err != nil {
		return nil, err
	}
	err = withTPM(k.reference, func(t transport.TPM) error {
		answer, err := tpm2.Sign{
			KeyHandle: tpm2.AuthHandle{Handle: tpm2.TPMHandle(k.reference.handle), Name: k.name, Auth: auth}, Digest: tpm2.TPM2BDigest{Buffer: digest},
			InScheme:   tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgECDSA, Details: tpm2.NewTPMUSigScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSchemeHash{HashAlg: tpm2.TPMAlgSHA256})},
			Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck, Hierarchy: tpm2.TPMRHNull},
		}.Execute(t)
		if err != nil {
			return tpmFailure(k.reference, "sign", err)
		}
		parts, err := answer.Signature.Signature.ECDSA()
		if err != nil || len(parts.SignatureR.Buffer) > 32 || len(parts.SignatureS.Buffer) > 32 {
			return badSignature(k.reference)
		}
		signature = make([]byte, 64)
		copy(signature[32-len(parts.SignatureR.Buffer):], parts.SignatureR.Buffer)
		copy(signature[64-len(parts.SignatureS.Buffer):], parts.SignatureS.Buffer)
		return nil
	})
	switch fault.Code(err) {
	case "key.wrong_pin", "key.pin_locked", "key.no_pin":
		k.lost = err
	}
	return signature, err
}

// auth proves that the PIN is known, without sending it: what is on the board between processor and TPM can be heard.
func (k *tpmKey) auth() (tpm2.Session, error) {
	if !k.reference.hasPIN() {
		return tpm2.PasswordAuth(nil), nil
	}
	pin, err := k.pin()
	if err != nil {
		return nil, err
	}
	return tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.Auth([]byte(pin))), nil
}

func (k *tpmKey) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lost = fault.New("key.unreachable", "The key was closed.")
	return nil
}

func (r Reference) hasPIN() bool { return r.pinSource != "" || r.pinValue != "" }

// makeInTPM makes a P-256 key below the TPM's storage key, which only this TPM can use, and keeps it at the handle. With a PIN, wrong ones count
// towards the TPM's lockout.
func makeInTPM(r Reference, kind accountv1.KeyKind, pin func() (string, error)) (*Key, error) {
	if kind != accountv1.KeyKind_KEY_KIND_P256 {
		return nil, fault.New("key.unsupported", "TPMs have no Ed25519. Make a P-256 key: --kind p256.")
	}
	pin = remembered(pin)
	var secret string
	if r.hasPIN() {
		var err error
		if secret, err = pin(); err != nil {
			return nil, err
		}
	}
	if err := withTPM(r, func(t transport.TPM) error { return makePersistent(t, r, secret) }); err != nil {
		return nil, err
	}
	return openTPM(r, pin)
}

func makePersistent(t transport.TPM, r Reference, pin string) error {
	if _, err := (tpm2.ReadPublic{ObjectHandle: tpm2.TPMHandle(r.handle)}).Execute(t); err == nil {
		return fault.New("key.exists", "There is a key at "+r.name()+" already. Choose another handle, or take it as it is: dure key add.")
	}
	parent, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(t)
	if err != nil {
		return tpmFailure(r, "make the storage key", err)
	}
	defer flush(t, parent.ObjectHandle)
	storage := tpm2.AuthHandle{Handle: parent.ObjectHandle, Name: parent.Name, Auth: tpm2.PasswordAuth(nil)}
	made, err := tpm2.Create{
		ParentHandle: storage, InPublic: tpm2.New2B(signingKey(pin != "")),
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{UserAuth: tpm2.TPM2BAuth{Buffer: []byte(pin)}}},
	}.Execute(t, tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.Salted(parent.ObjectHandle, *content(parent.OutPublic)), tpm2.AESEncryption(128, tpm2.EncryptIn)))
	if err != nil {
		return tpmFailure(r, "make the key", err)
	}
	loaded, err := tpm2.Load{ParentHandle: storage, InPrivate: made.OutPrivate, InPublic: made.OutPublic}.Execute(t)
	if err != nil {
		return tpmFailure(r, "load the key", err)
	}
	defer flush(t, loaded.ObjectHandle)
	if _, err := (tpm2.EvictControl{
		Auth: tpm2.TPMRHOwner, ObjectHandle: &tpm2.NamedHandle{Handle: loaded.ObjectHandle, Name: loaded.Name}, PersistentHandle: tpm2.TPMHandle(r.handle),
	}).Execute(t); err != nil {
		return tpmFailure(r, "keep the key", err)
	}
	return nil
}

func content(public tpm2.TPM2BPublic) *tpm2.TPMTPublic {
	c, err := public.Contents()
	if err != nil {
		return &tpm2.TPMTPublic{}
	}
	return c
}

func flush(t transport.TPM, handle tpm2.TPMHandle) {
	_, _ = tpm2.FlushContext{FlushHandle: handle}.Execute(t) // the TPM forgets it at its next start anyway
}

// signingKey is the template of a key that signs what it is given and never leaves the TPM.
func signingKey(pin bool) tpm2.TPMTPublic {
	return tpm2.TPMTPublic{
		Type: tpm2.TPMAlgECC, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true, SignEncrypt: true, NoDA: !pin},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
			CurveID: tpm2.TPMECCNistP256,
			Scheme:  tpm2.TPMTECCScheme{Scheme: tpm2.TPMAlgECDSA, Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSigSchemeECDSA{HashAlg: tpm2.TPMAlgSHA256})},
		}),
	}
}

// turn lets one command at a time to the TPMs of this machine: without a resource manager a TPM takes no more.
var turn sync.Mutex

func withTPM(r Reference, do func(transport.TPM) error) error {
	turn.Lock()
	defer turn.Unlock()
	t, err := dialTPM(r.path)
	if err != nil {
		advice := "Check device= in the URI of the key, and that the TPM is there."
		if errors.Is(err, os.ErrPermission) {
			advice = "Run the program as a member of the group that may use it, often tss."
		}
		return fault.New("key.unreachable", fmt.Sprintf("The TPM at %s cannot be opened: %v. %s", r.path, err, advice))
	}
	return errors.Join(do(t), t.Close())
}

// tpmFailure says for people what a TPM answered.
func tpmFailure(r Reference, what string, err error) error {
	switch {
	case errors.Is(err, tpm2.TPMRCAuthFail) || errors.Is(err, tpm2.TPMRCBadAuth):
		if what != "sign" {
			return fault.New("key.wrong_pin", "The TPM at "+r.path+" lets nobody make keys without the password of its owner. Make one with tpm2-tools and take it: dure key add.")
		}
		if !r.hasPIN() {
			return fault.New("key.no_pin", "The key at "+r.name()+" has a PIN. Say where it is: add pin-source=file:/path to the URI.")
		}
		return wrongPIN(r, "")
	case errors.Is(err, tpm2.TPMRCLockout):
		return fault.New("key.pin_locked", "The TPM at "+r.path+" takes no PIN for now, after too many wrong ones. It does again after a while (tpm2_getcap properties-variable: "+
			"lockoutInterval), or when its owner ends it: tpm2_dictionarylockout -c.")
	case errors.Is(err, tpm2.TPMRCNVDefined):
		return fault.New("key.exists", "There is something at "+r.name()+" already. Choose another handle.")
	}
	return fault.New("key.hardware_failed", fmt.Sprintf("The TPM at %s cannot %s: %v.", r.path, what, err))
}
