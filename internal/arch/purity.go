package arch

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

// pure are the areas that must compute the same on every machine.
var pure = []string{"ledger", "modules"}

// impure are packages, with what lies below them, that bring in a clock, chance, concurrency or the outside world.
var impure = []string{
	"time", "math/rand", "crypto/rand", "hash/maphash", "sync", "context",
	"os", "io/fs", "io/ioutil", "path/filepath", "embed", "plugin", "syscall", "golang.org/x/sys",
	"net", "log", "runtime", "unsafe", "weak", "unique", "expvar", "testing", "database/sql", "C",
}

// unsafeMark on an import of package unsafe, followed by why the result is the same on every machine, allows it.
const unsafeMark = "//dure:unsafe "

// Purity checks what syntax alone shows: imports, goroutines, channels and floats by name. PurityTyped checks the rest.
func Purity(t *Tree) []Problem {
	var out []Problem
	for _, f := range t.Files {
		if f.Test || !withinAny(f.Folder, pure) {
			continue
		}
		for _, spec := range f.AST.Imports {
			if excusedUnsafe(spec) {
				continue
			}
			if name, err := strconv.Unquote(spec.Path.Value); err == nil && withinAny(name, impure) {
				out = append(out, t.problem(spec, "%s is pure: no package %s", f.Folder, name))
			}
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if what := impurity(n); what != "" {
				out = append(out, t.problem(n, "%s is pure: no %s", f.Folder, what))
			}
			return true
		})
	}
	return out
}

func excusedUnsafe(spec *ast.ImportSpec) bool {
	if spec.Path.Value != `"unsafe"` || spec.Comment == nil {
		return false
	}
	reason, ok := strings.CutPrefix(spec.Comment.List[0].Text, unsafeMark)
	return ok && strings.TrimSpace(reason) != ""
}

// impurity names what a node brings that pure code may not have, or "".
func impurity(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "goroutine"
	case *ast.SelectStmt:
		return "select"
	case *ast.ChanType, *ast.SendStmt:
		return "channel"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "channel"
		}
	case *ast.BasicLit:
		if n.Kind == token.FLOAT || n.Kind == token.IMAG {
			return "float"
		}
	case *ast.Ident:
		switch n.Name {
		case "float32", "float64", "complex64", "complex128":
			return n.Name
		}
	case *ast.FuncDecl:
		if n.Recv == nil && n.Name.Name == "init" {
			return "init function"
		}
	}
	return ""
}
