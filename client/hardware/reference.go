package hardware

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
)

// MaxURI is the longest URI of a key, in bytes.
const MaxURI = 1024

// Where a key is.
const (
	inFile  = "file"
	inToken = "pkcs11"
	inTPM   = "tpm"
)

// Reference says where a key is.
type Reference struct {
	scheme string
	// path is the file of a key in a file, the TPM's device or socket, the PKCS#11 module.
	path string
	// handle of a persistent object of a TPM.
	handle uint32
	// What a PKCS#11 token and object have; empty: anything. id is the bytes of CKA_ID.
	token, serial, manufacturer, model, object, id string
	slot                                           *uint
	// pinSource is the file with the PIN, pinValue the PIN.
	pinSource, pinValue string
}

const defaultTPM = "/dev/tpmrm0"

// Parse reads a URI of a key: pkcs11: (RFC 7512), tpm:HANDLE, or the path of a file. Code key.bad_uri.
func Parse(uri string) (Reference, error) {
	if len(uri) > MaxURI {
		return Reference{}, badURI(fmt.Sprintf("it has %d bytes, more than %d", len(uri), MaxURI))
	}
	scheme, rest, ok := strings.Cut(uri, ":")
	switch {
	case ok && scheme == inToken:
		return parseToken(rest)
	case ok && scheme == inTPM:
		return parseTPM(rest)
	case ok && scheme == inFile:
		return parseFile(rest)
	case ok && !strings.ContainsAny(scheme, "/.\\") && len(scheme) > 1: // one letter is a drive
		return Reference{}, badURI(fmt.Sprintf("nothing is known of %.20q: want pkcs11:, tpm: or the path of a file", scheme+":"))
	}
	return parseFile(uri)
}

func parseFile(path string) (Reference, error) {
	if path == "" || strings.ContainsRune(path, 0) {
		return Reference{}, badURI("it names no file")
	}
	return Reference{scheme: inFile, path: path}, nil
}

// parseTPM reads HANDLE?device=…&pin-source=…
func parseTPM(text string) (Reference, error) {
	handle, query, _ := strings.Cut(text, "?")
	r := Reference{scheme: inTPM, path: defaultTPM}
	n, err := strconv.ParseUint(handle, 0, 32)
	if err != nil || n>>24 != 0x81 {
		return r, badURI("it has no handle of a persistent object, 0x81000000 to 0x81ffffff, such as tpm:0x81010005")
	}
	r.handle = uint32(n)
	return r, attributes(query, "&", func(name, value string) error {
		switch name {
		case "device":
			if value == "" {
				return badURI("device= is empty: want /dev/tpmrm0, the path of a socket, or tcp:HOST:PORT")
			}
			r.path = value
			return nil
		}
		return r.pin(name, value)
	})
}

// parseToken reads what follows pkcs11: in RFC 7512.
func parseToken(text string) (Reference, error) {
	path, query, _ := strings.Cut(text, "?")
	r := Reference{scheme: inToken}
	if err := attributes(path, ";", r.match); err != nil {
		return r, err
	}
	err := attributes(query, "&", func(name, value string) error {
		if name == "module-path" {
			r.path = value
			return nil
		}
		return r.pin(name, value)
	})
	switch {
	case err != nil:
		return r, err
	case r.path == "":
		return r, badURI("it does not say which library speaks to the token: add ?module-path=/usr/lib/…/module.so")
	case r.object == "" && r.id == "":
		return r, badURI("it does not say which key: add object=NAME or id=%01")
	case r.token == "" && r.serial == "" && r.slot == nil:
		return r, badURI("it does not say which token: add token=LABEL or serial=NUMBER")
	}
	return r, nil
}

// match takes an attribute of a path of RFC 7512, section 2.3.
func (r *Reference) match(name, value string) error {
	texts := map[string]*string{"token": &r.token, "serial": &r.serial, "manufacturer": &r.manufacturer, "model": &r.model, "object": &r.object, "id": &r.id}
	if to, ok := texts[name]; ok {
		*to = value
		return nil
	}
	switch name {
	case "slot-id":
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return badURI(fmt.Sprintf("slot-id=%.20q is no number", value))
		}
		slot := uint(n)
		r.slot = &slot
		return nil
	case "type":
		if value == "private" {
			return nil
		}
		return badURI(fmt.Sprintf("type=%.20q: a key that signs is private", value))
	}
	return badURI(fmt.Sprintf("the attribute %.40q is not supported; token, serial, manufacturer, model, slot-id, object, id and type are", name))
}

// pin takes an attribute of a query that says where the PIN is.
func (r *Reference) pin(name, value string) error {
	switch {
	case name != "pin-source" && name != "pin-value":
		return badURI(fmt.Sprintf("the setting %.40q is not supported", name))
	case value == "":
		return badURI(name + "= is empty")
	case name == "pin-value":
		r.pinValue = value
	case strings.HasPrefix(value, "|"):
		return badURI("pin-source names a program, and none is run; name a file")
	default:
		r.pinSource = strings.TrimPrefix(strings.TrimPrefix(value, "file:"), "//")
	}
	if r.pinSource != "" && r.pinValue != "" {
		return badURI("it has both pin-source and pin-value")
	}
	return nil
}

// attributes takes name=value pairs apart, each name once (RFC 7512, section 2.3).
func attributes(text, separator string, take func(name, value string) error) error {
	if text == "" {
		return nil
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, separator) {
		name, value, ok := strings.Cut(part, "=")
		if !ok || name == "" {
			return badURI("a part of it is not NAME=VALUE") // it may be a PIN: not shown
		}
		if seen[name] {
			return badURI(fmt.Sprintf("%.40q is there twice", name))
		}
		seen[name] = true
		decoded, err := url.PathUnescape(value)
		if err != nil || name != "id" && strings.ContainsRune(decoded, 0) {
			return badURI(fmt.Sprintf("the value of %.40q is not percent-encoded as RFC 3986 says", name))
		}
		if err := take(name, decoded); err != nil {
			return err
		}
	}
	return nil
}

func badURI(why string) error {
	return fault.New("key.bad_uri", "The URI of the key cannot be used: "+why+". Examples: "+
		"pkcs11:token=meter;object=key-1?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/meter/pin, tpm:0x81010005?device=/dev/tpmrm0.")
}

// Hardware says whether the key is in a chip, and not in a file.
func (r Reference) Hardware() bool { return r.scheme != inFile }

// String is the URI, without the PIN if it has one.
func (r Reference) String() string {
	switch r.scheme {
	case inFile:
		return "file:" + r.path
	case inTPM:
		return fmt.Sprintf("tpm:0x%08x?device=%s", r.handle, escape(r.path)) + r.pinText()
	case inToken:
		var parts []string
		for _, p := range []struct{ name, value string }{{"token", r.token}, {"serial", r.serial}, {"manufacturer", r.manufacturer}, {"model", r.model}, {"object", r.object}} {
			if p.value != "" {
				parts = append(parts, p.name+"="+escape(p.value))
			}
		}
		if r.slot != nil {
			parts = append(parts, fmt.Sprintf("slot-id=%d", *r.slot))
		}
		if r.id != "" {
			digits := hex.EncodeToString([]byte(r.id))
			id := "id="
			for i := 0; i < len(digits); i += 2 {
				id += "%" + digits[i:i+2]
			}
			parts = append(parts, id)
		}
		return "pkcs11:" + strings.Join(parts, ";") + "?module-path=" + escape(r.path) + r.pinText()
	}
	return ""
}

// GoString is String, so that no way of printing shows a PIN.
func (r Reference) GoString() string { return r.String() }

func (r Reference) pinText() string {
	if r.pinSource == "" {
		return ""
	}
	return "&pin-source=file:" + escape(r.pinSource)
}

// escape encodes what would end a value; slashes and colons stay as they are (RFC 7512, pk11-qchar).
func escape(text string) string {
	return strings.NewReplacer("%2F", "/", "%3A", ":").Replace(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"))
}

// PIN says whether the PIN itself is in the URI (pin-value).
func (r Reference) PIN() bool { return r.pinValue != "" }
