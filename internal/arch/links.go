package arch

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// link is a Markdown link or picture: its target is the first group.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Links checks that every relative link in a Markdown file leads to a file or folder.
func Links(t *Tree) ([]Problem, error) {
	var out []Problem
	for _, name := range t.Texts {
		if path.Ext(name) != ".md" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		for _, at := range link.FindAllSubmatchIndex(text, -1) {
			target, _, _ := strings.Cut(string(text[at[2]:at[3]]), "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(t.Root, filepath.FromSlash(path.Join(path.Dir(name), target)))); err != nil {
				line := 1 + bytes.Count(text[:at[0]], []byte("\n"))
				out = append(out, Problem{name, line, fmt.Sprintf("link to %s, which is not there", target)})
			}
		}
	}
	return out, nil
}
