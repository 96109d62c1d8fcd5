package story

import (
	"os"
	"path/filepath"
	"testing"
)

// What the image says is what the car reports, and whoever changes it changes its digest.
func TestForgedImage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "firmware.bin")
	if err := writeImage(file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() != imageSize {
		t.Fatalf("%v, %v", info, err)
	}
	good, err := digest(file)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := reported(file, 820); err != nil || said != 820 {
		t.Errorf("says %d, %v", said, err)
	}
	if err := forge(file, 70); err != nil {
		t.Fatal(err)
	}
	if said, err := reported(file, 820); err != nil || said != 574 {
		t.Errorf("forged, it says %d, %v", said, err)
	}
	if bad, err := digest(file); err != nil || bad == good {
		t.Errorf("the digest has not changed: %x, %v", bad, err)
	}
	if err := forge(file, 100); err != nil {
		t.Fatal(err)
	}
	if again, err := digest(file); err != nil || again != good {
		t.Errorf("put back, it is another file: %x, %v", again, err)
	}
}

func TestNoImage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "firmware.bin")
	for _, content := range []string{"", "version 1.0.0\n", percentLine + "10"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := reported(file, 820); err == nil {
			t.Errorf("%q says %d", content, said)
		}
		if err := forge(file, 70); err == nil {
			t.Errorf("%q was forged", content)
		}
	}
}
