package hardware_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/hardware"
	"github.com/dureledger/dure/ledger/fault"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ uri, want string }{
		{"/etc/meter/key.pem", "file:/etc/meter/key.pem"},
		{"key.pem", "file:key.pem"},
		{"file:///etc/meter/key.pem", "file:///etc/meter/key.pem"},
		{"tpm:0x81010005", "tpm:0x81010005?device=/dev/tpmrm0"},
		{"tpm:2164326405?device=tcp:127.0.0.1:2321", "tpm:0x81010005?device=tcp:127.0.0.1:2321"},
		{"tpm:0x81010005?device=/run/tpm%20sock&pin-source=file:/etc/pin", "tpm:0x81010005?device=/run/tpm%20sock&pin-source=file:/etc/pin"},
		{"pkcs11:object=k;token=t?module-path=/m.so", "pkcs11:token=t;object=k?module-path=/m.so"},
		{"pkcs11:token=My%20token;id=%01%ff;type=private?pin-source=file:///etc/pin&module-path=/m.so", "pkcs11:token=My%20token;id=%01%ff?module-path=/m.so&pin-source=file:/etc/pin"},
		{"pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=8e;object=a%3Bb%26c?module-path=/m.so&pin-source=/etc/pin",
			"pkcs11:serial=8e;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;object=a%3Bb%26c?module-path=/m.so&pin-source=file:/etc/pin"},
		{"pkcs11:slot-id=4;object=k?module-path=/m.so", "pkcs11:object=k;slot-id=4?module-path=/m.so"},
	} {
		r, err := hardware.Parse(c.uri)
		if err != nil || r.String() != c.want {
			t.Errorf("%s: %s, %v", c.uri, r, err)
			continue
		}
		if again, err := hardware.Parse(r.String()); err != nil || again.String() != c.want {
			t.Errorf("%s again: %s, %v", c.want, again, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for uri, why := range map[string]string{
		"": "names no file", "http://a/b": "nothing is known of", "tpm:": "no handle", "tpm:0x80000001": "no handle", "tpm:0x81010005?device=": "is empty",
		"tpm:0x81010005?color=red": "not supported", "tpm:0x81010005?device": "not NAME=VALUE", "pkcs11:token=t;object=k": "which library",
		"pkcs11:token=t?module-path=/m.so": "which key", "pkcs11:object=k?module-path=/m.so": "which token", "pkcs11:token=t;token=u;object=k?module-path=/m.so": "twice",
		"pkcs11:token=t;object=%zz?module-path=/m.so": "percent-encoded", "pkcs11:token=t;object=k;type=public?module-path=/m.so": "is private",
		"pkcs11:token=t;object=k;library-version=1?module-path=/m.so": "not supported", "pkcs11:token=t;object=k;slot-id=x?module-path=/m.so": "no number",
		"pkcs11:token=t;object=k?module-path=/m.so&pin-source=|/bin/pin": "program", "pkcs11:token=t;object=k?module-path=/m.so&pin-source=file:/a&pin-value=b": "both",
		"pkcs11:token=a%00b;object=k?module-path=/m.so": "percent-encoded", strings.Repeat("x", hardware.MaxURI+1): "bytes",
	} {
		if _, err := hardware.Parse(uri); fault.Code(err) != "key.bad_uri" || !strings.Contains(err.Error(), why) {
			t.Errorf("%.80s: %v", uri, err)
		}
	}
}

// No way of printing shows a PIN.
func TestPINIsNotShown(t *testing.T) {
	for _, uri := range []string{"pkcs11:token=t;object=k?module-path=/m.so&pin-value=471147", "tpm:0x81010005?pin-value=471147"} {
		r, err := hardware.Parse(uri)
		if err != nil || !r.PIN() {
			t.Fatal(err)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if shown := fmt.Sprintf(verb, []any{r, &r}); strings.Contains(shown, "471147") {
				t.Errorf("%s: %s", verb, shown)
			}
		}
	}
	if _, err := hardware.Parse("pkcs11:token=t;object=k?module-path=/m.so&471147"); err == nil || strings.Contains(err.Error(), "471147") {
		t.Errorf("a PIN that was typed wrongly is shown: %v", err)
	}
}

// FuzzParse: what is read is written as a URI that reads the same, and never with a PIN.
func FuzzParse(f *testing.F) {
	for _, uri := range []string{"key.pem", "tpm:0x81010005?device=/dev/tpmrm0&pin-source=file:/p", "pkcs11:token=a%20b;id=%00%01;slot-id=3?module-path=/m.so&pin-value=1", "file:a:b", "pkcs11:;?&", "tpm:?%"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		r, err := hardware.Parse(uri)
		if err != nil {
			if fault.Code(err) != "key.bad_uri" {
				t.Fatal(err)
			}
			return
		}
		written := r.String()
		if len(written) > hardware.MaxURI {
			return // escapes make it longer
		}
		again, err := hardware.Parse(written)
		if err != nil || again.String() != written || again.PIN() || again.Hardware() != r.Hardware() {
			t.Fatalf("%q is written as %q: %v", uri, written, err)
		}
	})
}
