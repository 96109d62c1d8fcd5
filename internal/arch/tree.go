package arch

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is the hand-written source of one Go module.
type Tree struct {
	// Root is the folder of go.mod; Module is the module's path.
	Root, Module string
	Fset         *token.FileSet
	// Files are the Go files, tests included, whatever their build tags.
	Files []*File
	// Texts are the paths from Root of all files that people write, Go files included.
	Texts []string
}

// File is one Go file.
type File struct {
	// Path and Folder are from the root, with slashes; the root's own folder is ".".
	Path, Folder string
	// Test says whether it is a _test.go file.
	Test  bool
	Lines int
	AST   *ast.File
}

// Problem is one break of a rule.
type Problem struct {
	// Path is from the root; Line counts from 1.
	Path    string
	Line    int
	Message string
}

// String is the form that editors jump to.
func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Message) }

// Folders that hold nothing written by hand, or bad examples on purpose.
var skipped = []string{"gen", "testdata", "node_modules", "bin", "dev", "coverage", "tools"}

// Extensions and names of the files that people write.
var written = []string{
	".go", ".s", ".proto", ".md", ".yml", ".yaml", ".toml", ".sh", ".sql", ".sol", ".ts", ".tsx", ".css", ".html", ".tmpl", ".svg", "Makefile",
}

// Load parses the module whose go.mod is in root.
func Load(root string) (*Tree, error) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	t := &Tree{Root: root, Fset: token.NewFileSet()}
	for line := range strings.Lines(string(mod)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			t.Module = strings.TrimSpace(name)
		}
	}
	if t.Module == "" {
		return nil, errors.New("go.mod names no module")
	}
	return t, filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		return t.visit(filepath.ToSlash(rel), entry)
	})
}

func (t *Tree) visit(rel string, entry fs.DirEntry) error {
	base := path.Base(rel)
	if entry.IsDir() {
		if slices.Contains(skipped, base) || strings.HasPrefix(base, ".") && base != ".ci" {
			return fs.SkipDir
		}
		return nil
	}
	if slices.Contains(written, path.Ext(base)) || slices.Contains(written, base) || strings.HasPrefix(rel, ".ci/") {
		t.Texts = append(t.Texts, rel)
	}
	if path.Ext(base) != ".go" {
		return nil
	}
	source, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(rel)))
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(t.Fset, rel, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.Files = append(t.Files, &File{
		Path: rel, Folder: path.Dir(rel), Test: strings.HasSuffix(rel, "_test.go"),
		Lines: bytes.Count(source, []byte("\n")), AST: syntax,
	})
	return nil
}

// problem places a message at a node.
func (t *Tree) problem(at ast.Node, format string, args ...any) Problem {
	p := t.Fset.Position(at.Pos())
	return Problem{p.Filename, p.Line, fmt.Sprintf(format, args...)}
}

// within says whether folder is area or lies below it.
func within(folder, area string) bool {
	return folder == area || strings.HasPrefix(folder, area+"/")
}

// withinAny says whether folder lies in one of areas.
func withinAny(folder string, areas []string) bool {
	return slices.ContainsFunc(areas, func(area string) bool { return within(folder, area) })
}
