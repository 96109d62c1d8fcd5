package node

import (
	"fmt"
	"strings"
)

// Reference is the page docs/config.md, made from Settings.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# Configuration of a node

Made from the code; do not edit. A setting comes from, later ones winning: its default, ` + "`config.yaml`" + ` in the node's
folder, the environment, a flag of ` + "`dure start`" + `. The file takes dotted keys (` + "`api.listen: …`" + `) or nested ones.

| setting | environment | flag | default | meaning |
|---|---|---|---|---|
`)
	for _, s := range Settings() {
		def := "`" + s.Default + "`"
		if s.Default == "" {
			def = "(empty)"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | `--%s` | %s | %s |\n", s.Key, s.Env(), s.Flag(), def, s.Help)
	}
	return b.String()
}
