//go:build e2e

package e2e

import (
	"flag"
	"strings"
	"testing"
)

var pictures = flag.Bool("pictures", false, "write the pictures of the documentation anew")

// maxPicture is how large a picture of the documentation may be, in bytes.
const maxPicture = 150_000

// The story of a forged firmware plays on the network of dure up, and the operator's pages tell it before, during and after, in both languages, on a
// desk and on a phone.
func TestDemoCar(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.mqtt = freeRange(t)
	n.up()
	shots := t.TempDir()
	playwright(t, n, "story.mjs", n.binary, shots)
	savePictures(t, shots, "../../docs/devices", "device-before", "device-during", "device-after", "feed-during", "model-during")
}

// Without a network the demonstration says how to get one.
func TestDemoCarAlone(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	if out, code := n.run("demo", "car"); code != 1 || !strings.Contains(out, "make up") {
		t.Errorf("without settings: exit %d, %s", code, out)
	}
	n.mqtt = freeRange(t)
	n.up()
	n.down()
	if out, code := n.run("demo", "car", "--patience", "1s"); code != 4 || !strings.Contains(out, "make up") {
		t.Errorf("without a node: exit %d, %s", code, out)
	}
}

// A story that does not happen as it is told fails: here the maker's key signs nothing, as its account is frozen.
func TestDemoCarFails(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.mqtt = freeRange(t)
	n.up()
	n.dure("account", "freeze", "carmaker", "--by", "broker", "--basis", "owner-request", "--reason", "a test")
	if out, code := n.run("demo", "car"); code != 1 || !strings.Contains(out, "Scene 1, ") || strings.Contains(out, "has happened") {
		t.Errorf("exit %d, %s", code, out)
	}
}
