package arch

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
)

// sortedComment allows what has no order, where the comment says why the order does not matter.
var sortedComment = regexp.MustCompile(`^//dure:sorted \S`)

// Order checks with types what has no fixed result in pure code: a walk over a map, a protobuf message walked by
// reflection or printed as text or JSON (which differ between builds on purpose), and any value of a float type.
func Order(t *Tree) ([]Problem, error) {
	packages, err := loadTypes(t, "./ledger/...", "./modules/...")
	if err != nil {
		return nil, err
	}
	var out []Problem
	for _, p := range packages {
		for _, file := range p.files {
			excused := excusedLines(t.Fset, file)
			ast.Inspect(file, func(n ast.Node) bool {
				if n == nil || excused[t.Fset.Position(n.Pos()).Line] {
					return true
				}
				if what := unordered(p.info, n); what != "" {
					out = append(out, t.problem(n, "%s; sort first, or say why it does not matter in a trailing //dure:sorted comment", what))
				}
				if e, ok := n.(*ast.CallExpr); ok && isFloat(p.info.TypeOf(e)) {
					out = append(out, t.problem(n, "pure code: no float value"))
				}
				return true
			})
		}
	}
	return out, nil
}

// excusedLines are those with a //dure:sorted comment that gives a reason.
func excusedLines(fset *token.FileSet, file *ast.File) map[int]bool {
	lines := map[int]bool{}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if sortedComment.MatchString(c.Text) {
				lines[fset.Position(c.Pos()).Line] = true
			}
		}
	}
	return lines
}

// Functions whose result has no order or no fixed form, by package.
var unorderedCalls = map[string]map[string]string{
	"maps": {"Keys": "map order", "Values": "map order", "All": "map order"},
	"google.golang.org/protobuf/reflect/protoreflect": {"Range": "order of a message's fields"},
	"google.golang.org/protobuf/encoding/protojson":   {"Marshal": "JSON that differs between builds", "Format": "JSON that differs between builds"},
	"google.golang.org/protobuf/encoding/prototext":   {"Marshal": "text that differs between builds", "Format": "text that differs between builds"},
}

// unordered names what a node does that has no fixed order, or "".
func unordered(info *types.Info, n ast.Node) string {
	switch n := n.(type) {
	case *ast.RangeStmt:
		if typ := info.TypeOf(n.X); typ != nil && isMap(typ) {
			return "range over a map"
		}
	case *ast.SelectorExpr:
		if used, ok := info.Uses[n.Sel].(*types.Func); ok && used.Pkg() != nil {
			return unorderedCalls[used.Pkg().Path()][used.Name()]
		}
	}
	return ""
}

func isMap(typ types.Type) bool {
	if param, ok := typ.(*types.TypeParam); ok {
		for term := range termsOf(param) {
			if isMap(term) {
				return true
			}
		}
		return false
	}
	_, ok := typ.Underlying().(*types.Map)
	return ok
}

// termsOf yields the types that a type parameter's constraint lists.
func termsOf(param *types.TypeParam) func(yield func(types.Type) bool) {
	return func(yield func(types.Type) bool) {
		constraint := param.Underlying().(*types.Interface)
		for i := range constraint.NumEmbeddeds() {
			switch e := constraint.EmbeddedType(i).(type) {
			case *types.Union:
				for j := range e.Len() {
					if !yield(e.Term(j).Type()) {
						return
					}
				}
			default:
				if !yield(e) {
					return
				}
			}
		}
	}
}

func isFloat(typ types.Type) bool {
	if typ == nil {
		return false
	}
	basic, ok := typ.Underlying().(*types.Basic)
	return ok && basic.Info()&(types.IsFloat|types.IsComplex) != 0
}
