package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

var update = flag.Bool("update", false, "write comments.json anew from the proto file")

func TestCommentsAreCurrent(t *testing.T) {
	want := protoComments(t, "../proto/dure/api/v1/api.proto")
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(want); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("comments.json", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(b.Bytes(), commentsFile) {
		t.Error("comments.json is older than api.proto; run: go test ./api -run TestCommentsAreCurrent -update")
	}
}

var (
	blockLine  = regexp.MustCompile(`^(message|service|enum) (\w+) \{(\})?`)
	fieldLine  = regexp.MustCompile(`^(?:repeated |optional )?[\w.<>, ]+ (\w+) = \d+;`)
	methodLine = regexp.MustCompile(`^rpc (\w+)\(`)
)

// protoComments reads the comments that stand before declarations. It knows as much of the language as api.proto uses.
func protoComments(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	var pkg, block string
	var said []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		name := ""
		switch m := blockLine.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "//"):
			said = append(said, strings.TrimSpace(line[2:]))
			continue
		case strings.HasPrefix(line, "package "):
			pkg = strings.TrimSuffix(line[len("package "):], ";")
			name = pkg
		case m != nil:
			name = pkg + "." + m[2]
			if m[3] == "" {
				block = m[2]
			}
		case line == "}":
			block = ""
		case block != "" && methodLine.MatchString(line):
			name = pkg + "." + block + "." + methodLine.FindStringSubmatch(line)[1]
		case block != "" && fieldLine.MatchString(line):
			name = pkg + "." + block + "." + fieldLine.FindStringSubmatch(line)[1]
		}
		if name != "" && len(said) > 0 {
			out[name] = strings.Join(said, " ")
		}
		said = nil
	}
	return out
}

func TestOpenAPICoversEveryMethod(t *testing.T) {
	raw, err := openAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ Description string }
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %q", doc.OpenAPI)
	}
	services := apiv1.File_dure_api_v1_api_proto.Services()
	if services.Len() != len(serviceNames) {
		t.Errorf("%d services served of %d", len(serviceNames), services.Len())
	}
	n := 0
	for i := range services.Len() {
		for j := range services.Get(i).Methods().Len() {
			m := services.Get(i).Methods().Get(j)
			n++
			if _, ok := doc.Paths["/"+string(services.Get(i).FullName())+"/"+string(m.Name())]["post"]; !ok {
				t.Errorf("%s is not in the document", m.FullName())
			}
		}
	}
	if n != len(doc.Paths) {
		t.Errorf("%d paths for %d methods", len(doc.Paths), n)
	}
	for _, m := range regexp.MustCompile(`#/components/schemas/([\w.]+)`).FindAllStringSubmatch(string(raw), -1) {
		if _, ok := doc.Components.Schemas[m[1]]; !ok {
			t.Errorf("schema %s is referred to and missing", m[1])
		}
	}
	if got := doc.Paths["/dure.api.v1.LedgerService/Submit"]["post"].Description; got != "Submits one signed transaction." {
		t.Errorf("Submit is described as %q", got)
	}
}
