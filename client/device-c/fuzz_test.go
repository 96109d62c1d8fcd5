package devicec

import (
	"testing"

	"github.com/dureledger/dure/client/light"
)

// FuzzFile: C and Go say the same of any receipt, checkpoint or reading, and C touches no memory that is not its own.
func FuzzFile(f *testing.F) {
	c := newChecker(f)
	anchors := map[string]*light.Anchor{}
	var starts []vector // what a file is verified from, by the number that goes with it
	for _, v := range lightVectors(f) {
		f.Add(uint8(len(starts)), read(f, lightTestdata, v.File))
		starts = append(starts, v)
		if from := v.Genesis + v.Checkpoint; anchors[from] == nil {
			anchors[from] = anchor(f, v)
		}
	}
	readings, devices := readingVectors(f)
	for _, g := range readings.Good {
		f.Add(uint8(255-len(g.Kind)%2), unhex(f, g.Message))
	}
	f.Fuzz(func(t *testing.T, start uint8, file []byte) {
		c.t = t
		switch {
		case start == 255:
			devices["ed25519"].agree(t, c, "ed25519", file)
		case start == 254:
			devices["p256"].agree(t, c, "p256", file)
		case len(file) <= 8192: // C refuses larger ones, which Go takes
			v, accepted := starts[int(start)%len(starts)], 0
			agree(t, c, v, anchors[v.Genesis+v.Checkpoint], file, &accepted)
		}
	})
}
