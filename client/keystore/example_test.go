package keystore_test

import (
	"fmt"
	"os"

	"github.com/dureledger/dure/client/keystore"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
)

// A key is made once and opened with its passphrase to sign.
func Example() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	store, err := keystore.Open(dir, keystore.WorkFactor(10)) // leave the work factor out for real keys
	if err != nil {
		panic(err)
	}
	made, err := store.New("alice", accountv1.KeyKind_KEY_KIND_ED25519, "correct horse battery staple")
	if err != nil {
		panic(err)
	}
	signer, err := store.Unlock("alice", "correct horse battery staple")
	if err != nil {
		panic(err)
	}
	fmt.Println(signer.Key().Address() == made.Address)
	_, err = store.Unlock("alice", "incorrect horse")
	fmt.Println(err)
	// Output:
	// true
	// The passphrase does not open the key alice. Try again; mind capitals and the keyboard's language. [key.wrong_passphrase]
}
