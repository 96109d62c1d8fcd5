//go:build e2e

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tpm is a TPM 2.0 in software (swtpm), driven by tpm2-tools as a device would.
type tpm struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
}

// newTPM makes a TPM with an attestation key of its endorsement hierarchy at a persistent handle, and its public part in ak.pem.
func newTPM(t *testing.T) *tpm {
	t.Helper()
	dir, err := os.MkdirTemp("", "dure-tpm-*") // a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	p := &tpm{t: t, dir: dir}
	t.Cleanup(func() {
		p.off()
		_ = os.RemoveAll(dir)
	})
	p.on()
	p.run("createek", "-c", "ek.ctx", "-G", "ecc", "-Q")
	p.run("flushcontext", "-t")
	p.run("createak", "-C", "ek.ctx", "-c", "ak.ctx", "-G", "ecc", "-g", "sha256", "-s", "ecdsa", "-u", "ak.pem", "-f", "pem", "-Q")
	p.run("flushcontext", "-t")
	p.run("evictcontrol", "-c", "ak.ctx", attestationKey, "-Q")
	return p
}

// attestationKey is where the TPM keeps its attestation key over starts.
const attestationKey = "0x81010002"

func (p *tpm) on() {
	p.t.Helper()
	sock := filepath.Join(p.dir, "sock")
	p.cmd = exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+p.dir, "--server", "type=unixio,path="+sock,
		"--ctrl", "type=unixio,path="+sock+".ctrl", "--flags", "not-need-init,startup-clear")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, 10*time.Second, func() bool { return p.command("getcap", "properties-fixed").Run() == nil }, "the TPM does not answer")
}

func (p *tpm) off() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func (p *tpm) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("tpm2_"+name, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "TPM2TOOLS_TCTI=swtpm:path="+filepath.Join(p.dir, "sock"))
	return cmd
}

func (p *tpm) run(name string, args ...string) {
	p.t.Helper()
	if out, err := p.command(name, args...).CombinedOutput(); err != nil {
		p.t.Fatalf("tpm2_%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// boot starts the device: what comes before the firmware measures the image into register 8 and starts it.
func (p *tpm) boot(image string) {
	p.t.Helper()
	p.off()
	p.on()
	digest := fileDigest(p.t, image)
	p.run("pcrextend", "8:sha256="+hex.EncodeToString(digest[:]))
}

// quote signs registers 0 and 8 and a nonce, in two files of a name.
func (p *tpm) quote(nonce, name string) (quote, signature string) {
	p.t.Helper()
	quote, signature = filepath.Join(p.dir, name+".msg"), filepath.Join(p.dir, name+".sig")
	p.run("quote", "-c", attestationKey, "-l", "sha256:0,8", "-g", "sha256", "-q", nonce, "-m", quote, "-s", signature, "-Q")
	return quote, signature
}

// expected is the digest of a quote over registers 0 and 8 of a device that booted an image: what its maker computes without any device.
func expected(t *testing.T, image string) string {
	t.Helper()
	digest := fileDigest(t, image)
	zeros := make([]byte, 32)
	eighth := sha256.Sum256(slices.Concat(zeros, digest[:]))
	sum := sha256.Sum256(slices.Concat(zeros, eighth[:]))
	return hex.EncodeToString(sum[:])
}

func fileDigest(t *testing.T, file string) [32]byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(content)
}
