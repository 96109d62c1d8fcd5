//go:build !cgo

package hardware

import (
	"strings"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// A program without cgo says that it has no PKCS#11.
func TestNoTokens(t *testing.T) {
	const uri = "pkcs11:token=t;object=k?module-path=/m.so"
	if _, err := Open(uri, nil); fault.Code(err) != "key.unsupported" || !strings.Contains(err.Error(), "cgo") {
		t.Error(err)
	}
	if _, err := Make(uri, accountv1.KeyKind_KEY_KIND_P256, nil); fault.Code(err) != "key.unsupported" {
		t.Error(err)
	}
}
