package node

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

func witnessNamed(name string) (proof.Witness, ed25519.PrivateKey) {
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	return proof.Witness{Name: name, Key: key.Public().(ed25519.PublicKey)}, key
}

func checkpointAt(height int64, at time.Time) *proof.Checkpoint {
	return &proof.Checkpoint{Network: "test-1", Size: uint64(height), Height: height, Time: at.UnixNano(), Validators: []proof.Validator{{Power: 1}}}
}

func cosign(t interface{ Fatal(...any) }, on *proof.Checkpoint, name string) cosignature {
	w, key := witnessNamed(name)
	line, err := on.Cosign(name, key, on.Time/1e9)
	if err != nil {
		t.Fatal(err)
	}
	return newCosignature(w, line.Signature)
}

var epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func openTest(t *testing.T, home Home) *cosigned {
	t.Helper()
	c, err := openCosigned(home, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Cosignatures survive a restart; a damaged one is left out and a damaged file stops nothing.
func TestCosignedOnDisk(t *testing.T) {
	home := Home(t.TempDir())
	c := openTest(t, home)
	on := checkpointAt(7, epoch)
	one, two := cosign(t, on, "one.example"), cosign(t, on, "two.example")
	for _, s := range []cosignature{two, one, one} {
		if _, err := c.add(on, s, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := c.linesOf(on)
	if len(want) != 2 || want[0].Name != "one.example" {
		t.Fatalf("%v", want)
	}
	if got := openTest(t, home).linesOf(on); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("after a restart %v, want %v", got, want)
	}
	for name, content := range map[string]string{"8": "something else", "9": cosignedHead + "\nx\n", "10": cosignedHead + "\n5\nno key\n", "readme": "", "11": cosignedHead + "\n"} {
		if err := os.WriteFile(filepath.Join(home.data("witness"), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spoiled := cosignedCheckpoint{height: 7, time: on.Time, lines: []cosignature{newCosignature(one.witness, two.signature), two}}
	if err := os.WriteFile(c.file(7), spoiled.encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	c = openTest(t, home)
	if got := c.linesOf(on); len(c.all) != 1 || len(got) != 1 || got[0].Name != "two.example" {
		t.Errorf("%d files, lines %v", len(c.all), got)
	}
	if _, err := c.add(on, one, nil); err != nil || len(c.linesOf(on)) != 2 {
		t.Errorf("the damaged one cannot be given again: %v", err)
	}
}

// Strangers share a bounded room that does not take the place of witnesses the network knows.
func TestCosignedStrangers(t *testing.T) {
	c := openTest(t, Home(t.TempDir()))
	on := checkpointAt(7, epoch)
	known, _ := witnessNamed("known.example")
	list := []proof.Witness{known}
	for i := range maxStrangers + 1 {
		_, err := c.add(on, cosign(t, on, fmt.Sprintf("stranger%d", i)), list)
		if want := map[bool]string{false: "", true: "checkpoint.full"}[i == maxStrangers]; fault.Code(err) != want {
			t.Errorf("stranger %d: %v", i, err)
		}
	}
	now, err := c.add(on, cosign(t, on, "known.example"), list)
	if err != nil || now.known(list) != 1 || len(now.lines) != maxStrangers+1 {
		t.Errorf("%d lines, %v", len(now.lines), err)
	}
}

// Whatever comes in whichever order: the newest are all there, of older ones one for each hour, and the files are what is
// kept.
func TestCosignedThins(t *testing.T) {
	const n = keptWhole + 40
	for _, step := range []time.Duration{time.Minute, 25 * time.Minute, 90 * time.Minute} {
		c := openTest(t, Home(t.TempDir()))
		order := rand.New(rand.NewPCG(1, uint64(step))).Perm(n)
		for _, i := range order {
			h := int64(i + 1)
			on := checkpointAt(h, epoch.Add(time.Duration(h)*step))
			if _, err := c.add(on, cosign(t, on, "one.example"), nil); err != nil {
				t.Fatal(err)
			}
		}
		files, err := os.ReadDir(c.dir)
		if err != nil || len(files) != len(c.all) {
			t.Fatalf("%d files, %d kept, %v", len(files), len(c.all), err)
		}
		hours := map[int64]bool{}
		for i, one := range c.all {
			if back := len(c.all) - 1 - i; back < keptWhole {
				if one.height != int64(n-back) {
					t.Fatalf("every %v: of the newest, %d is at place %d", step, one.height, back)
				}
				continue
			}
			hour := one.time / int64(time.Hour)
			if hours[hour] {
				t.Fatalf("every %v: two of hour %d", step, hour)
			}
			hours[hour] = true
		}
		if first, last := epoch.Add(step).UnixNano()/int64(time.Hour), c.all[0].time/int64(time.Hour); last != first {
			t.Fatalf("every %v: the first hour %d is gone, the first kept is %d", step, first, last)
		}
	}
}

// FuzzCosignedFile: what is read is written as it was read, but for the end of its last line.
func FuzzCosignedFile(f *testing.F) {
	on := checkpointAt(7, epoch)
	one := cosignedCheckpoint{height: 7, time: on.Time, lines: []cosignature{cosign(f, on, "one.example"), cosign(f, on, "two.example")}}
	f.Add(one.encode())
	f.Add([]byte(cosignedHead + "\n5\n"))
	f.Add([]byte(cosignedHead + "\n5\none.example x\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var c, again cosignedCheckpoint
		if len(raw) > maxCosignedFile || c.decode(raw) != nil {
			return
		}
		if err := again.decode(c.encode()); err != nil || !bytes.Equal(c.encode(), again.encode()) {
			t.Errorf("%q is read as %q, %v", raw, c.encode(), err)
		}
	})
}

// What a node keeps of one witness: the newest checkpoint that it has cosigned, and of how many; also after a restart.
func TestCosignaturesOfOne(t *testing.T) {
	home := Home(t.TempDir())
	c := openTest(t, home)
	for height := int64(5); height < 8; height++ {
		on := checkpointAt(height, epoch.Add(time.Duration(height)*time.Minute))
		for _, name := range []string{"one.example", "two.example"}[:1+height%2] {
			if _, err := c.add(on, cosign(t, on, name), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	on := checkpointAt(8, epoch.Add(time.Hour))
	if _, err := c.add(on, cosign(t, on, "one.example"), nil); err != nil {
		t.Fatal(err)
	}
	two := cosign(t, on, "two.example").key
	for name, c := range map[string]*cosigned{"at once": c, "after a restart": openTest(t, home)} {
		of, ok := c.by(two)
		if !ok || of.Name != "two.example" || of.Height != 7 || !of.Time.Equal(epoch.Add(7*time.Minute)) || of.Cosigned != 2 || of.Kept != 4 {
			t.Errorf("%s: %+v", name, of)
		}
		if of, ok := c.by([20]byte{}); ok {
			t.Errorf("of nobody: %+v", of)
		}
	}
}
