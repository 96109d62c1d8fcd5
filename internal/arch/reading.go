package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// MaxLines is how long a hand-written Go file may grow. Most should stay under 300.
const MaxLines = 500

// vague are package names that say nothing about what is inside.
var vague = []string{"util", "utils", "common", "type", "types", "helper", "helpers", "lib", "libs", "misc", "shared", "base"}

// PackageDocs checks that every package says what it is for.
func PackageDocs(t *Tree) []Problem {
	documented := map[string]bool{}
	first := map[string]*File{}
	for _, f := range t.Files {
		name := f.AST.Name.Name
		if f.Test && first[f.Folder] != nil {
			continue
		}
		if old := first[f.Folder]; old == nil || old.Test {
			first[f.Folder] = f
		}
		doc := f.AST.Doc.Text()
		if name == "main" && doc != "" || strings.HasPrefix(doc, "Package "+strings.TrimSuffix(name, "_test")+" ") {
			documented[f.Folder] = true
		}
	}
	var out []Problem
	for _, f := range t.Files {
		if first[f.Folder] == f && !documented[f.Folder] {
			out = append(out, t.problem(f.AST.Name, "package %s has no comment that begins \"Package %[1]s \"", f.AST.Name.Name))
		}
	}
	return out
}

// Names checks that no package has a name that says nothing.
func Names(t *Tree) []Problem {
	var out []Problem
	seen := map[string]bool{}
	for _, f := range t.Files {
		name := strings.TrimSuffix(f.AST.Name.Name, "_test")
		if seen[f.Folder] || !slices.Contains(vague, name) && !slices.Contains(vague, path.Base(f.Folder)) {
			continue
		}
		seen[f.Folder] = true
		out = append(out, t.problem(f.AST.Name, "package %s: name it after what is inside", name))
	}
	return out
}

// Length checks that files stay short.
func Length(t *Tree) []Problem {
	var out []Problem
	for _, f := range t.Files {
		if f.Lines > MaxLines {
			out = append(out, Problem{f.Path, MaxLines + 1, fmt.Sprintf("%d lines, at most %d: divide it", f.Lines, MaxLines)})
		}
	}
	return out
}

// Inits checks that importing a package does nothing.
func Inits(t *Tree) []Problem {
	var out []Problem
	for _, f := range t.Files {
		for _, d := range f.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Recv == nil && fn.Name.Name == "init" && !withinAny(f.Folder, pure) {
				out = append(out, t.problem(fn, "no init functions: importing a package does nothing"))
			}
		}
	}
	return out
}

// unfinished are the words that mark work left for later. They are put together here so as not to find themselves.
var unfinished = regexp.MustCompile(`\b(` + "TO" + "DO|FIX" + "ME|X" + `XX)\b`)

// Unfinished checks that no file says that it is not done.
func Unfinished(t *Tree) ([]Problem, error) {
	var out []Problem
	for _, name := range t.Texts {
		text, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		for _, at := range unfinished.FindAllIndex(text, -1) {
			line := 1 + bytes.Count(text[:at[0]], []byte("\n"))
			out = append(out, Problem{name, line, fmt.Sprintf("%s: finish it, or open an issue", text[at[0]:at[1]])})
		}
	}
	return out, nil
}
