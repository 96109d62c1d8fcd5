package identity_test

import (
	"testing"

	"github.com/dureledger/dure/internal/moduletest"
)

func TestScenarios(t *testing.T) { moduletest.Run(t, "testdata/*.txt") }

func FuzzActions(f *testing.F) {
	for _, seed := range moduletest.Seeds(f, "testdata/*.txt") {
		f.Add(seed.Actor, seed.Action)
	}
	f.Fuzz(moduletest.Fuzz)
}
