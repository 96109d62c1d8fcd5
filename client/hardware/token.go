//go:build cgo

package hardware

import (
	"errors"
	"fmt"
	"sync"

	"github.com/miekg/pkcs11"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// token is a key in a token, with the session to use it.
type token struct {
	reference Reference
	pin       func() (string, error)
	mechanism uint

	mu      sync.Mutex
	session *session
	key     pkcs11.ObjectHandle
	// lost is why the key is of no use any more: a PIN that was wrong once is not tried again.
	lost error
}

// session is an open session with a token, logged in.
type session struct {
	module *module
	handle pkcs11.SessionHandle
	slot   uint
}

func openToken(r Reference, pin func() (string, error)) (*Key, error) {
	t := &token{reference: r, pin: remembered(pin)}
	s, err := openSession(r, t.pin, false)
	if err != nil {
		return nil, err
	}
	public, err := t.find(s)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return newKey(r, public, t)
}

// makeInToken makes a key that the token never gives away.
func makeInToken(r Reference, kind accountv1.KeyKind, pin func() (string, error)) (*Key, error) {
	if r.object == "" {
		return nil, badURI("a new key needs a name: object=NAME")
	}
	pin = remembered(pin)
	s, err := openSession(r, pin, true)
	if err != nil {
		return nil, err
	}
	if err = s.generate(r, kind); err != nil {
		return nil, errors.Join(err, s.close())
	}
	key, err := openToken(r, pin) // before this session ends: with the last one, one is logged out
	return key, errors.Join(err, s.close())
}

// sign signs, and after the token was away or its sessions were ended by others once more with a new session.
func (t *token) sign(message []byte) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for again := false; ; again = true {
		if t.lost != nil {
			return nil, t.lost
		}
		if t.session == nil {
			if err := t.reopen(); err != nil {
				return nil, err
			}
		}
		c := t.session.module.ctx
		err := c.SignInit(t.session.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(t.mechanism, nil)}, t.key)
		if err == nil {
			var signature []byte
			if signature, err = c.Sign(t.session.handle, message); err == nil {
				return signature, nil
			}
		}
		if again || !sessionLost(err) {
			return nil, t.reference.failure("sign", err)
		}
		_ = t.session.close()
		t.session = nil
	}
}

// reopen opens the key again. That it is the same is seen by its signatures.
func (t *token) reopen() error {
	s, err := openSession(t.reference, t.pin, false)
	if err != nil {
		switch fault.Code(err) {
		case "key.wrong_pin", "key.pin_locked":
			t.lost = err
		}
		return err
	}
	if _, err := t.find(s); err != nil {
		return errors.Join(err, s.close())
	}
	return nil
}

func (t *token) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost = fault.New("key.unreachable", "The key was closed.")
	if t.session == nil {
		return nil
	}
	err := t.session.close()
	t.session = nil
	return err
}

// openSession opens a session with the token that a reference names, and logs in if the token wants that.
func openSession(r Reference, pin func() (string, error), write bool) (*session, error) {
	m, err := openModule(r.path)
	if err != nil {
		return nil, err
	}
	slot, info, err := m.findToken(r)
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	flags := uint(pkcs11.CKF_SERIAL_SESSION)
	if write {
		flags |= pkcs11.CKF_RW_SESSION
	}
	handle, err := m.ctx.OpenSession(slot, flags)
	if err != nil {
		return nil, errors.Join(r.failure("open a session", err), m.close())
	}
	s := &session{m, handle, slot}
	if info.Flags&pkcs11.CKF_LOGIN_REQUIRED == 0 {
		return s, nil
	}
	if err := s.login(r, info, pin); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// login logs in, once: all sessions of a program with a token are logged in together.
func (s *session) login(r Reference, info pkcs11.TokenInfo, pin func() (string, error)) error {
	if state, err := s.module.ctx.GetSessionInfo(s.handle); err == nil && (state.State == pkcs11.CKS_RO_USER_FUNCTIONS || state.State == pkcs11.CKS_RW_USER_FUNCTIONS) {
		return nil
	}
	if info.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0 {
		return r.failure("log in", pkcs11.Error(pkcs11.CKR_PIN_LOCKED))
	}
	var given string
	if info.Flags&pkcs11.CKF_PROTECTED_AUTHENTICATION_PATH == 0 { // otherwise the token has keys of its own to type it
		var err error
		if given, err = pin(); err != nil {
			return err
		}
	}
	err := s.module.ctx.Login(s.handle, pkcs11.CKU_USER, given)
	if err == nil || errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)) {
		return nil
	}
	if after, infoErr := s.module.ctx.GetTokenInfo(s.slot); infoErr == nil && isWrongPIN(err) {
		switch {
		case after.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0:
			err = pkcs11.Error(pkcs11.CKR_PIN_LOCKED)
		case after.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0:
			return wrongPIN(r, " One try is left before it locks.")
		}
	}
	return r.failure("log in", err)
}

func (s *session) close() error {
	err := s.module.ctx.CloseSession(s.handle)
	if sessionLost(err) {
		err = nil
	}
	return errors.Join(err, s.module.close())
}

func isWrongPIN(err error) bool {
	return errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_INCORRECT)) || errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_INVALID)) || errors.Is(err, pkcs11.Error(pkcs11.CKR_PIN_LEN_RANGE))
}

// sessionLost says whether a new session may go where this one did not.
func sessionLost(err error) bool {
	var code pkcs11.Error
	if !errors.As(err, &code) {
		return false
	}
	switch uint(code) {
	case pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_KEY_HANDLE_INVALID,
		pkcs11.CKR_OBJECT_HANDLE_INVALID, pkcs11.CKR_USER_NOT_LOGGED_IN, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED:
		return true
	}
	return false
}

// failure says for people what a token answered.
func (r Reference) failure(what string, err error) error {
	var code pkcs11.Error
	if !errors.As(err, &code) {
		return fmt.Errorf("hardware: %s: cannot %s: %w", r.name(), what, err)
	}
	switch uint(code) {
	case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE:
		return wrongPIN(r, "")
	case pkcs11.CKR_PIN_LOCKED:
		return fault.New("key.pin_locked", "The PIN of "+r.name()+" is locked, after too many wrong ones. Its security officer can set a new one; trying again does not help.")
	case pkcs11.CKR_PIN_EXPIRED, pkcs11.CKR_USER_PIN_NOT_INITIALIZED:
		return fault.New("key.no_pin", "The PIN of "+r.name()+" is expired or was never set. Set one with the token's own tool.")
	case pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_SLOT_ID_INVALID, pkcs11.CKR_TOKEN_NOT_RECOGNIZED:
		return fault.New("key.unreachable", "The token is gone: "+r.name()+". Plug it in, and try again.")
	case pkcs11.CKR_MECHANISM_INVALID, pkcs11.CKR_CURVE_NOT_SUPPORTED, pkcs11.CKR_MECHANISM_PARAM_INVALID, pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED, pkcs11.CKR_KEY_TYPE_INCONSISTENT:
		return fault.New("key.unsupported", r.name()+" cannot "+what+" with this kind of key ("+code.Error()+"). Most tokens have P-256, fewer Ed25519.")
	case pkcs11.CKR_TOKEN_WRITE_PROTECTED, pkcs11.CKR_SESSION_READ_ONLY, pkcs11.CKR_DEVICE_MEMORY:
		return fault.New("key.hardware_failed", r.name()+" cannot "+what+": it is full or takes nothing new ("+code.Error()+").")
	}
	return fault.New("key.hardware_failed", r.name()+" cannot "+what+": "+code.Error()+".")
}
