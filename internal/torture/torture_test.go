package torture_test

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/dureledger/dure/internal/torture"
)

// Rounds of kill -9 on real processes under load: all of four members, then one. `make torture` goes on for
// longer and with every fault.
func TestKills(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "dure")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "./cmd/dure")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	r, err := torture.Run(t.Context(), torture.Config{
		Dir: t.TempDir(), Binary: binary, Seed: 1, Rounds: 2, Kinds: []torture.Kind{torture.Kill}, Rate: 50,
		Recovery: time.Minute, // other tests have the machine too
		Progress: func(r torture.Round) { t.Log(r) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Violations() {
		t.Error(v)
	}
}
