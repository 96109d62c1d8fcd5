package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScenarios runs the command lines of testdata/scenario/*.txt, which start with "$ ", and compares what they print.
// "$ write FILE TEXT" writes a file; "exit N" after an output is the code when it is not 0.
func TestScenarios(t *testing.T) {
	folder, err := filepath.Abs(filepath.Join("testdata", "scenario"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, file, newStage(t).play(string(content)))
		})
	}
}

// play runs the commands of a scenario and returns it with their outputs.
func (s *stage) play(scenario string) string {
	var out strings.Builder
	m := masks{}
	for line := range strings.Lines(scenario) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "# ") {
			out.WriteString(line + "\n")
		}
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		out.WriteString(line + "\n")
		args := split(command)
		if args[0] == "write" {
			s.write(args[1], strings.ReplaceAll(args[2], `\n`, "\n")+"\n")
			continue
		}
		for i, arg := range args { // <ID-3> stands for what it stood for when it was printed
			for text, mask := range m {
				if text[0] == '#' {
					continue
				}
				arg = strings.ReplaceAll(arg, mask, text)
			}
			args[i] = arg
		}
		r := s.do(args[1:]...)
		printed := r.out + r.err
		if r.code != 0 {
			printed += "exit " + string(rune('0'+r.code)) + "\n"
		}
		printed = strings.NewReplacer(s.dir, "DIR", s.node.URL, "NODE").Replace(printed)
		for _, name := range people {
			printed = strings.ReplaceAll(printed, s.address(name), "<"+name+">")
		}
		out.WriteString(m.apply(printed) + "\n")
		s.clock.move(1500 * 1e6)
	}
	return out.String()
}

// split parts a command line at spaces outside single quotes.
func split(line string) []string {
	var out []string
	word, quoted, any := "", false, false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, any = !quoted, true
		case r == ' ' && !quoted:
			if any || word != "" {
				out = append(out, word)
			}
			word, any = "", false
		default:
			word += string(r)
		}
	}
	return append(out, word)
}
