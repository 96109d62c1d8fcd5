package arch

import (
	"strconv"
	"strings"
)

// row says which of our areas an area may import besides itself and gen/.
type row struct {
	area  string
	may   []string
	tests []string // what its tests may import besides
}

// The import table of docs/map.md; docs/decisions/009 says where it adds to the first design. The first row that fits a folder counts. An area that ends in /* stands for each
// folder below it, alone.
var table = []row{
	{"ledger", nil, nil},
	{"modules/all", []string{"ledger", "modules"}, []string{"internal/moduletest"}},
	{"modules/*", []string{"ledger"}, []string{"modules/all", "internal/moduletest"}},
	{"consensus", []string{"ledger"}, []string{"modules", "internal/simnet"}},
	{"internal/store", []string{"ledger"}, []string{"modules"}},
	{"index", []string{"ledger", "modules"}, nil},
	{"api", []string{"ledger", "index"}, []string{"modules"}},
	{"client/light", []string{"ledger"}, []string{"modules"}},
	{"client", []string{"ledger", "client/light"}, []string{"modules"}},
	{"gateway/gatewaytest", []string{"gateway", "client", "ledger", "internal/simnet"}, nil},
	{"gateway", []string{"client", "ledger"}, []string{"internal/simnet"}},
	{"services", []string{"client"}, []string{"internal/simnet"}},
	{"bench", []string{"client", "ledger"}, []string{"internal/simnet"}},
	{"node", []string{"ledger", "modules", "consensus", "internal/store", "index", "api", "client/light"}, []string{"client", "internal/simnet"}},
	{"cmd", []string{"ledger", "node", "client", "gateway", "services", "bench"}, nil},
	{"internal/simnet", []string{"ledger", "modules", "consensus", "internal/store", "node", "client", "internal/ports"}, nil},
	{"internal/moduletest", []string{"ledger", "modules"}, nil},
	{"internal/arch", nil, nil},
	{"internal/ports", nil, nil},
	{"internal/torture", []string{"ledger", "client", "node", "internal/ports"}, nil},
	{"internal/e2e", nil, []string{"ledger", "client", "node", "internal/torture", "internal/ports", "index"}},
}

// cometBFT and the areas that may know it. internal/e2e looks at a node from outside, through CometBFT's own light client.
const cometBFT = "github.com/cometbft/cometbft"

var cometBFTAreas = []string{"consensus", "client/light", "internal/e2e"}

// Imports checks the import table.
func Imports(t *Tree) []Problem {
	var out []Problem
	for _, f := range t.Files {
		r, area, ok := rowOf(f.Folder)
		if !ok {
			out = append(out, t.problem(f.AST.Name, "folder %s is in no row of the import table (internal/arch/imports.go)", f.Folder))
			continue
		}
		allowed := append([]string{area, "gen"}, r.may...)
		if f.Test {
			allowed = append(allowed, r.tests...)
		}
		for _, spec := range f.AST.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue
			}
			if within(name, cometBFT) && !withinAny(f.Folder, cometBFTAreas) {
				out = append(out, t.problem(spec, "only %s may import CometBFT", strings.Join(cometBFTAreas[:2], " and ")))
			}
			ours, ok := strings.CutPrefix(name, t.Module+"/")
			if ok && !withinAny(ours, allowed) {
				out = append(out, t.problem(spec, "%s may not import %s", area, ours))
			}
		}
	}
	return out
}

// rowOf finds the row of a folder and the area that the folder belongs to.
func rowOf(folder string) (r row, area string, ok bool) {
	for _, r := range table {
		parent, each := strings.CutSuffix(r.area, "/*")
		if !each && within(folder, r.area) {
			return r, r.area, true
		}
		if rest, below := strings.CutPrefix(folder, parent+"/"); each && below {
			first, _, _ := strings.Cut(rest, "/")
			return r, parent + "/" + first, true
		}
	}
	return row{}, "", false
}
