package genesis

import (
	"bytes"
	"strings"
	"testing"
)

const small = `{"name": "demo", "time": "1700000000000", "network": {"members": [{"name": "bank", "power": "1"}]}}`

func TestParseDerivesTheNetworkIDFromTheBytes(t *testing.T) {
	g, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	// The first 16 bytes of the file's SHA-256, as sha256sum prints them.
	const want = "demo-792320a1e45e9118ceca372d0f770a6d"
	if g.NetworkID != want {
		t.Errorf("network id %s, want %s", g.NetworkID, want)
	}
	if g.GetTime() != 1700000000000 || len(g.GetNetwork().GetMembers()) != 1 {
		t.Errorf("parsed %v", g.Genesis)
	}
	other, err := Parse([]byte(small + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if other.NetworkID == g.NetworkID {
		t.Error("another file has the same network id")
	}
}

func TestParseKeepsItsOwnCopyOfTheFile(t *testing.T) {
	file := []byte(small)
	g, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	clear(file)
	if string(g.File) != small {
		t.Error("the file changed with the caller's slice")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ file, want string }{
		"nothing":          {"", "not a genesis file"},
		"not JSON":         {"name: demo", "not a genesis file"},
		"unknown field":    {strings.Replace(small, `"time"`, `"when"`, 1), "not a genesis file"},
		"no name":          {strings.Replace(small, "demo", "", 1), "name"},
		"capitals":         {strings.Replace(small, "demo", "Demo", 1), "name"},
		"long name":        {strings.Replace(small, "demo", "seventeen-letters", 1), "name"},
		"dash at an end":   {strings.Replace(small, "demo", "demo-", 1), "name"},
		"no time":          {`{"name": "demo", "network": {"members": [{}]}}`, "time"},
		"time before 1970": {strings.Replace(small, "17", "-17", 1), "time"},
		"time too large":   {strings.Replace(small, "17", "9999999917", 1), "not a genesis file"},
		"name twice":       {strings.Replace(small, "{", `{"name": "other", `, 1), "not a genesis file"},
		"two files":        {small + small, "not a genesis file"},
		"no members":       {`{"name": "demo", "time": "1700000000000"}`, "no members"},
		"too large":        {strings.Repeat(" ", MaxFile+1), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := Parse([]byte(test.file))
			if err == nil {
				t.Fatalf("accepted as %s", g.NetworkID)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want it to say %q", err, test.want)
			}
		})
	}
}

func TestShort(t *testing.T) {
	got, err := Short("my-net-000102030405060708090a0b0c0d0e0f")
	if want := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; err != nil || !bytes.Equal(got, want) {
		t.Errorf("Short: %x, %v", got, err)
	}
	for _, id := range []string{"", "demo", "-000102030405060708090a0b0c0d0e0f", "demo-0001", "demo-" + strings.Repeat("x", 32)} {
		if got, err := Short(id); err == nil {
			t.Errorf("Short(%q) = %x, want an error", id, got)
		}
	}
}

// FuzzParse checks that what is accepted has a network id that Short understands.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"name":"a","time":"1","network":{"members":[{}]}}`))
	f.Add([]byte(`{"name":"a-b","time":1e3,"network":{"members":[{"address":"AAA=","power":1}],"parameters":{"origins":["https://a"]}},` +
		`"account":{"accounts":[{"kind":"KEY_KIND_ED25519"}]},"asset":{"classes":[{"asset":"krw"}],"balances":[{"amount":"1"}]}}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		g, err := Parse(file)
		if err != nil {
			return
		}
		if g.GetTime() <= 0 || len(g.GetNetwork().GetMembers()) == 0 || !bytes.Equal(g.File, file) {
			t.Errorf("accepted %v", g.Genesis)
		}
		if short, err := Short(g.NetworkID); err != nil || len(short) != 16 {
			t.Errorf("network id %q: %x, %v", g.NetworkID, short, err)
		}
	})
}
