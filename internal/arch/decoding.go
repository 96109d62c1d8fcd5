package arch

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// decoderName are the names of functions that take apart bytes from outside.
var decoderName = regexp.MustCompile(`^(Decode|Parse|Unmarshal)`)

// Decoders checks that a package with an exported decoder of bytes has a fuzz target.
func Decoders(t *Tree) []Problem {
	fuzzed := map[string]bool{}
	for _, f := range t.Files {
		for _, fn := range functions(f) {
			if f.Test && isFuzz(fn) {
				fuzzed[f.Folder] = true
			}
		}
	}
	var out []Problem
	for _, f := range t.Files {
		if f.Test || fuzzed[f.Folder] {
			continue
		}
		for _, fn := range functions(f) {
			if decoderName.MatchString(fn.Name.Name) && takesBytes(fn) {
				out = append(out, t.problem(fn, "%s decodes bytes, and the package has no fuzz target", fn.Name.Name))
			}
		}
	}
	return out
}

// FuzzSeeds checks that every fuzz target starts from something: an f.Add or a file in testdata/fuzz.
func FuzzSeeds(t *Tree) []Problem {
	var out []Problem
	for _, f := range t.Files {
		for _, fn := range functions(f) {
			if !f.Test || !isFuzz(fn) || seeded(fn) {
				continue
			}
			corpus := filepath.Join(t.Root, filepath.FromSlash(path.Join(f.Folder, "testdata/fuzz", fn.Name.Name)))
			if files, err := os.ReadDir(corpus); err != nil || len(files) == 0 {
				out = append(out, t.problem(fn, "%s has no seed: add one by f.Add or in testdata/fuzz/%[1]s", fn.Name.Name))
			}
		}
	}
	return out
}

// functions are a file's top-level functions, methods left out.
func functions(f *File) []*ast.FuncDecl {
	var out []*ast.FuncDecl
	for _, d := range f.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
			out = append(out, fn)
		}
	}
	return out
}

func isFuzz(fn *ast.FuncDecl) bool {
	return strings.HasPrefix(fn.Name.Name, "Fuzz") && fn.Type.Params.NumFields() == 1
}

func takesBytes(fn *ast.FuncDecl) bool {
	for _, field := range fn.Type.Params.List {
		slice, ok := field.Type.(*ast.ArrayType)
		if !ok || slice.Len != nil {
			continue
		}
		if elem, ok := slice.Elt.(*ast.Ident); ok && elem.Name == "byte" {
			return true
		}
	}
	return false
}

// seeded says whether a fuzz target calls f.Add or hands f to a function that may.
func seeded(fn *ast.FuncDecl) bool {
	names := fn.Type.Params.List[0].Names
	if len(names) == 0 {
		return false
	}
	isF := func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return ok && id.Name == names[0].Name
	}
	found := false
	ast.Inspect(fn, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			sel, ok := call.Fun.(*ast.SelectorExpr)
			found = found || ok && isF(sel.X) && sel.Sel.Name == "Add" || slices.ContainsFunc(call.Args, isF)
		}
		return !found
	})
	return found
}
