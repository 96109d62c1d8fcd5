//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dureledger/dure/node"
)

// systemd takes the unit as it is, and finds little that a node under it could do to the machine.
func TestUnit(t *testing.T) {
	t.Parallel()
	unit := read(t, "../../deploy/systemd/dure.service")
	start := regexp.MustCompile(`(?m)^ExecStart=(\S+) (.*)$`).FindStringSubmatch(unit)
	if start == nil {
		t.Fatal("the unit starts nothing")
	}
	checkFlags(t, strings.Fields(start[2]))
	dir := t.TempDir()
	file := filepath.Join(dir, "dure.service")
	// The program is not installed here, nor its user there; all else is as delivered.
	here := strings.NewReplacer(start[1], binary, "User=dure", "User=root", "Group=dure", "Group=root").Replace(unit)
	if err := os.WriteFile(file, []byte(here), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", file).CombinedOutput(); err != nil || strings.Contains(string(out), file) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	if err := os.WriteFile(file, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "security", "--offline=yes", "--no-pager", file).CombinedOutput()
	exposure := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
	if err != nil || exposure == nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, out)
	}
	if level, err := strconv.ParseFloat(string(exposure[1]), 64); err != nil || level > 2 {
		t.Errorf("exposure %s of 10, %v:\n%s", exposure[1], err, out)
	}
}

// What the container file names is there: files, settings, commands with their flags, the version of Go, the health check.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	env, golang := map[string]string{}, ""
	var from []string
	for _, line := range instructions(read(t, "../../deploy/container/Containerfile")) {
		word, rest, _ := strings.Cut(line, " ")
		args := strings.Fields(rest)
		switch word {
		case "FROM":
			from = append(from, args[0])
		case "COPY":
			if strings.HasPrefix(args[0], "--from=") {
				continue
			}
			for _, source := range args[:len(args)-1] {
				if _, err := os.Stat(filepath.Join("../..", source)); err != nil {
					t.Error(err)
				}
			}
		case "ENV":
			name, value, _ := strings.Cut(rest, "=")
			env[name] = value
		case "USER":
			if user, _, _ := strings.Cut(rest, ":"); user == "0" || user == "root" {
				t.Error("it runs as root")
			}
		case "CMD":
			checkFlags(t, regexp.MustCompile(`[^\s\[\]",]+`).FindAllString(rest, -1))
		case "HEALTHCHECK":
			if !strings.Contains(rest, `"$HEALTH_URL"`) {
				t.Errorf("health check: %s", rest)
			}
		}
	}
	settings := node.Settings()
	for name := range env {
		if strings.HasPrefix(name, "DURE_") && !slices.ContainsFunc(settings, func(s node.Setting) bool { return s.Env() == name }) {
			t.Errorf("%s is no setting", name)
		}
	}
	listen := settings[slices.IndexFunc(settings, func(s node.Setting) bool { return s.Key == "api.listen" })].Default
	if want := "http://" + listen + "/healthz"; env["HEALTH_URL"] != want {
		t.Errorf("health is asked at %s, want %s", env["HEALTH_URL"], want)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "../../go.mod"))
	if golang = from[0]; !strings.Contains(golang, "golang:"+version[1]+"-") {
		t.Errorf("built by %s, but go.mod wants %s", golang, version[1])
	}
}

// instructions are the lines of a container file without comments, continued ones joined.
func instructions(file string) []string {
	file = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(file, "")
	return strings.FieldsFunc(regexp.MustCompile(`\\\n\s*`).ReplaceAllString(file, ""), func(r rune) bool { return r == '\n' })
}

// checkFlags asks the program whether it knows a command and its flags.
func checkFlags(t *testing.T, args []string) {
	t.Helper()
	help, err := exec.Command(binary, args[0], "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("dure %s: %v\n%s", args[0], err, help)
	}
	for _, a := range args[1:] {
		if strings.HasPrefix(a, "--") && !strings.Contains(string(help), a+" ") {
			t.Errorf("dure %s has no flag %s", args[0], a)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
