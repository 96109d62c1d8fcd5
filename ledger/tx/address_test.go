package tx_test

import (
	"strings"
	"testing"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// eip55 is the list of test cases of EIP-55.
var eip55 = []string{
	"0x52908400098527886E0F7030069857D2E4169EE7",
	"0x8617E340B3D01FA5F11F306F4090FD50E238070D",
	"0xde709f2102306220921060314715629080e2fb77",
	"0x27b1fdb04752bbc536007a920d24acb045561c26",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
	"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
	"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
}

func TestAddressEIP55(t *testing.T) {
	for _, s := range eip55 {
		for _, form := range []string{s, strings.ToLower(s), "0x" + strings.ToUpper(s[2:])} {
			a, err := tx.ParseAddress(form)
			if err != nil || a.String() != s {
				t.Errorf("%s became %s: %v", form, a, err)
			}
		}
	}
}

func TestAddressRefuses(t *testing.T) {
	for _, s := range []string{
		"", "0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0",
		"0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg",
		" 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	} {
		if a, err := tx.ParseAddress(s); fault.Code(err) != "address.malformed" || a != (tx.Address{}) {
			t.Errorf("%q became %s: %v", s, a, err)
		}
	}
	if _, err := tx.ToAddress(make([]byte, 21)); fault.Code(err) != "address.malformed" {
		t.Error(err)
	}
}
