package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// want marks a line of testdata where a rule must find a problem: // want `regexp`.
var want = regexp.MustCompile("(?://|#|<!--) want `([^`]+)`")

// TestRulesSee runs every rule over trees that break it. Each problem must be expected on its line, and each
// expectation met.
func TestRulesSee(t *testing.T) {
	for _, name := range []string{"clean", "broken"} {
		t.Run(name, func(t *testing.T) {
			tree, err := Load(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			expected := expectations(t, tree)
			if (len(expected) > 0) != (name == "broken") {
				t.Fatalf("%d expectations", len(expected))
			}
			met := map[string]bool{}
			for _, rule := range Rules {
				problems, err := rule.Check(tree)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range problems {
					at := fmt.Sprintf("%s:%d", p.Path, p.Line)
					if re := expected[at]; re == nil || !re.MatchString(p.Message) {
						t.Errorf("unexpected: %v", p)
					}
					met[at] = true
				}
			}
			for at, re := range expected {
				if !met[at] {
					t.Errorf("%s: nothing found, want %s", at, re)
				}
			}
		})
	}
}

func expectations(t *testing.T, tree *Tree) map[string]*regexp.Regexp {
	t.Helper()
	out := map[string]*regexp.Regexp{}
	for _, name := range tree.Texts {
		text, err := os.ReadFile(filepath.Join(tree.Root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if m := want.FindStringSubmatch(line); m != nil {
				out[fmt.Sprintf("%s:%d", name, i+1)] = regexp.MustCompile(m[1])
			}
		}
	}
	return out
}

func TestLengthSeesLongFiles(t *testing.T) {
	tree := &Tree{Files: []*File{{Path: "a.go", Lines: MaxLines}, {Path: "b.go", Lines: MaxLines + 1}}}
	problems := Length(tree)
	if len(problems) != 1 || problems[0].Path != "b.go" {
		t.Errorf("got %v, want one problem in b.go", problems)
	}
}
