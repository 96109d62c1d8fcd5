package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// typed is one package with what the type checker knows of it. Test files are left out.
type typed struct {
	files []*ast.File
	info  *types.Info
}

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	DepOnly                 bool
}

// loadTypes checks the types of the packages that patterns match. Their imports come from the compiler's export data,
// which is in the build cache when the package has been built.
func loadTypes(t *Tree, patterns ...string) ([]typed, error) {
	args := append([]string{"list", "-deps", "-export", "-json=ImportPath,Dir,Export,GoFiles,DepOnly", "--"}, patterns...)
	cmd := exec.Command("go", args...)
	cmd.Dir = t.Root
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	exports := map[string]string{}
	var wanted []listed
	for dec := json.NewDecoder(&stdout); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			wanted = append(wanted, p)
		}
	}
	imports := importer.ForCompiler(t.Fset, "gc", func(name string) (io.ReadCloser, error) { return os.Open(exports[name]) })
	var out []typed
	for _, p := range wanted {
		checked, err := check(t, p, imports)
		if err != nil {
			return nil, err
		}
		out = append(out, checked)
	}
	return out, nil
}

func check(t *Tree, p listed, imports types.Importer) (typed, error) {
	root, err := filepath.Abs(t.Root)
	if err != nil {
		return typed{}, err
	}
	folder, err := filepath.Rel(root, p.Dir)
	if err != nil {
		return typed{}, err
	}
	out := typed{info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
	}}
	for _, name := range p.GoFiles {
		file, err := parseAt(t.Fset, filepath.Join(p.Dir, name), filepath.ToSlash(filepath.Join(folder, name)))
		if err != nil {
			return typed{}, err
		}
		out.files = append(out.files, file)
	}
	_, err = (&types.Config{Importer: imports}).Check(p.ImportPath, t.Fset, out.files, out.info)
	return out, err
}

// parseAt parses the file at name and gives it the path shown in problems.
func parseAt(fset *token.FileSet, name, shown string) (*ast.File, error) {
	source, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parser.ParseFile(fset, shown, source, parser.ParseComments|parser.SkipObjectResolution)
}
