package arch

// Rule is one rule of the house.
type Rule struct {
	Name  string
	Check func(*Tree) ([]Problem, error)
}

// Rules are all of them.
var Rules = []Rule{
	{"imports", simple(Imports)},
	{"purity", simple(Purity)},
	{"order", Order},
	{"package docs", simple(PackageDocs)},
	{"names", simple(Names)},
	{"length", simple(Length)},
	{"inits", simple(Inits)},
	{"unfinished", Unfinished},
	{"links", Links},
	{"decoders", simple(Decoders)},
	{"fuzz seeds", simple(FuzzSeeds)},
}

func simple(check func(*Tree) []Problem) func(*Tree) ([]Problem, error) {
	return func(t *Tree) ([]Problem, error) { return check(t), nil }
}
