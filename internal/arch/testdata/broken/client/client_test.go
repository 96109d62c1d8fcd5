package client

import "testing"

func FuzzParse(f *testing.F) { // want `FuzzParse has no seed`
	f.Fuzz(func(t *testing.T, raw []byte) { parse(raw) })
}
