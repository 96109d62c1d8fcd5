package keystore

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// maxWorkFactor bounds what a key file may make this program compute: 15 seconds and 4 GiB.
const maxWorkFactor = 22

// seal encrypts "KIND HEX\n" to the passphrase, armored.
func seal(kind accountv1.KeyKind, secret []byte, passphrase string, workFactor int) (string, error) {
	if passphrase == "" {
		return "", fault.New("key.no_passphrase", "The passphrase is empty. Choose one: whoever finds the file would have the key.")
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return "", fmt.Errorf("keystore: encrypting: %w", err)
	}
	recipient.SetWorkFactor(workFactor)
	var out bytes.Buffer
	armored := armor.NewWriter(&out)
	w, err := age.Encrypt(armored, recipient)
	if err != nil {
		return "", fmt.Errorf("keystore: encrypting: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s %x\n", tx.KindName(kind), secret); err != nil {
		return "", fmt.Errorf("keystore: encrypting: %w", err)
	}
	if err := errors.Join(w.Close(), armored.Close()); err != nil {
		return "", fmt.Errorf("keystore: encrypting: %w", err)
	}
	return out.String(), nil
}

// open decrypts the secret and checks that it belongs to the public key beside it.
func (f keyFile) open(passphrase string) ([]byte, error) {
	if passphrase == "" {
		return nil, fault.New("key.no_passphrase", fmt.Sprintf("The key %s is encrypted and no passphrase was given. Give it.", f.Name))
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("keystore: decrypting: %w", err)
	}
	identity.SetMaxWorkFactor(maxWorkFactor)
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(f.secret)), identity)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, fault.New("key.wrong_passphrase", fmt.Sprintf("The passphrase does not open the key %s. Try again; mind "+
			"capitals and the keyboard's language.", f.Name), "name", f.Name)
	}
	if err != nil {
		return nil, damaged("The secret of key "+f.Name, err)
	}
	text, err := io.ReadAll(io.LimitReader(r, 256))
	if err != nil {
		return nil, damaged("The secret of key "+f.Name, err)
	}
	defer clear(text)
	return f.parseSecret(text)
}

func (f keyFile) parseSecret(text []byte) ([]byte, error) {
	kind, digits, ok := bytes.Cut(bytes.TrimSuffix(text, []byte("\n")), []byte(" "))
	secret := make([]byte, tx.SecretSize)
	if !ok || string(kind) != tx.KindName(f.Key.Kind) || len(digits) != 2*tx.SecretSize {
		return nil, damaged("The secret of key "+f.Name, errors.New("it is not of the kind the file says"))
	}
	if _, err := hex.Decode(secret, digits); err != nil {
		return nil, damaged("The secret of key "+f.Name, errors.New("it is not hex"))
	}
	signer, err := tx.NewSigner(f.Key.Kind, secret)
	if err != nil {
		return nil, err
	}
	if !signer.Key().Equal(f.Key) {
		return nil, damaged("The secret of key "+f.Name, errors.New("it is not that of the public key beside it"))
	}
	return secret, nil
}
