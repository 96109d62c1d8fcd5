package devicec

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// checkerPath names the program in the environment, so that the workers of a fuzzing run do not build it again.
const checkerPath = "DURE_DEVICE_CHECK"

func TestMain(m *testing.M) {
	if os.Getenv(checkerPath) != "" {
		os.Exit(m.Run())
	}
	folder, err := os.MkdirTemp("", "device-c")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := 1
	// Checks of undefined behaviour in other people's code would take half the time of building.
	const address = "-O1 -g -fno-sanitize-recover=all -fsanitize=address"
	build := exec.Command("make", "-s", "-j2", "check", "OUT="+folder, "CFLAGS="+address+",undefined", "THIRD="+address)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building test/check.c: %v\n%s", err, out)
	} else {
		os.Setenv(checkerPath, filepath.Join(folder, "check"))
		code = m.Run()
	}
	os.RemoveAll(folder)
	os.Exit(code)
}

// checker is a running test/check.c, built with the sanitizers.
type checker struct {
	t   testing.TB
	in  io.Writer
	out *bufio.Reader
}

func newChecker(t testing.TB) *checker {
	t.Helper()
	cmd := exec.Command(os.Getenv(checkerPath))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the checker ended with %v", err)
		}
	})
	return &checker{t, in, bufio.NewReader(out)}
}

// request is one as test/check.c reads them.
func request(op byte, fields ...[]byte) []byte {
	b := []byte{op, byte(len(fields))}
	for _, f := range fields {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...)
	}
	return b
}

// ask sends a request and returns the code, and the rest of the answer.
func (c *checker) ask(op byte, fields ...[]byte) (code, rest string) {
	if _, err := c.in.Write(request(op, fields...)); err != nil {
		c.t.Fatal(err)
	}
	line, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("the checker answered %q, then %v", line, err)
	}
	code, rest, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	if code == "ok" {
		code = ""
	}
	return code, rest
}
