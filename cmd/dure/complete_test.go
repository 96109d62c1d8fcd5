package main

import (
	"strings"
	"testing"
)

func TestCompletion(t *testing.T) {
	s := newStage(t)
	for _, c := range []struct {
		line string
		want []string
	}{
		{"asset transfer krw 1 --from a", []string{"alice"}},
		{"asset transfer ", []string{"krw", "eur"}},
		{"asset balance krw ", []string{"bob"}},
		{"key show ", []string{"mallory"}},
		{"key new x --kind ", []string{"ml-dsa-65"}},
		{"completion ", []string{"fish"}},
		{"pay --batch x --asset ", []string{"krw"}},
	} {
		r := s.do(append([]string{"__complete"}, strings.Split(c.line, " ")...)...)
		for _, want := range c.want {
			if !strings.Contains(r.out, want) {
				t.Errorf("%q: %q is not among\n%s", c.line, want, r.out)
			}
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		s.do("completion", shell).want(t, exitOK, "dure")
	}
	s.env["DURE_NODE"] = "http://127.0.0.1:1" // pressing Tab without a node must not hang or complain
	if r := s.do("__complete", "asset", "transfer", ""); r.code != exitOK {
		t.Errorf("without a node: %+v", r)
	}
}
