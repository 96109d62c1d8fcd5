package web

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestEveryTextIsInBothLanguages(t *testing.T) {
	for _, table := range []map[string][2]string{texts, names} {
		for key, both := range table {
			if both[0] == "" || both[1] == "" {
				t.Errorf("%s: %q", key, both)
			}
		}
	}
	used := regexp.MustCompile(`\{\{t "([^"]+)"\}\}`)
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := templateFiles.ReadFile("templates/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(raw), -1) {
			if _, ok := texts[m[1]]; !ok {
				t.Errorf("%s uses %q, which has no text", f.Name(), m[1])
			}
		}
		if regexp.MustCompile(`(src|href)="(https?:)?//|style="|<style|onclick`).Match(raw) {
			t.Errorf("%s loads from elsewhere or has what the policy forbids", f.Name())
		}
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "1": "1", "123": "123", "1234": "1,234", "1234567.25": "1,234,567.25", "-1000": "-1,000",
	} {
		if got := group(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	for in, want := range map[string]string{
		"0x8c3909CA24B46a34A1Dc3B931A1dBD8173FC30da": "0x8c39…30da", "short": "short", strings.Repeat("ab", 32): "abababab…abab",
	} {
		if got := short(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, tc := range []struct{ query, cookie, want string }{
		{"", "", "ko"}, {"en", "", "en"}, {"ko", "en", "ko"}, {"", "en", "en"}, {"xx", "en", "en"}, {"", "xx", "ko"},
	} {
		r := httptest.NewRequest("GET", "/?lang="+tc.query, nil)
		if tc.cookie != "" {
			r.AddCookie(&http.Cookie{Name: languageCookie, Value: tc.cookie})
		}
		w := httptest.NewRecorder()
		if got := Language(w, r); got != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
		if remembered := len(w.Result().Cookies()) == 1; remembered != (tc.query == "en" || tc.query == "ko") {
			t.Errorf("%+v: remembered %v", tc, remembered)
		}
	}
}
