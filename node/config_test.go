package node

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/config.md and docs/metrics.md")

func none(string) (string, bool) { return "", false }

func TestReferenceIsCurrent(t *testing.T) {
	const page = "../docs/config.md"
	if *update {
		if err := os.WriteFile(page, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) != Reference() {
		t.Error("docs/config.md is not what the code says; run go test ./node -update")
	}
}

func TestLaterSourcesWin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("api:\n  listen: 127.0.0.1:1\n  hosts: [a, b]\np2p.listen: 127.0.0.1:2\nlog.level: warn\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"DURE_P2P_LISTEN": "127.0.0.1:3", "DURE_LOG_LEVEL": "error"}[name]
		return v, ok
	}
	c, err := Load(file, env, map[string]string{"log.level": "debug"})
	if err != nil {
		t.Fatal(err)
	}
	if c.APIListen != "127.0.0.1:1" || c.P2PListen != "127.0.0.1:3" || c.LogLevel != "debug" || strings.Join(c.APIHosts, "+") != "a+b" || !c.Index {
		t.Errorf("got %+v", c)
	}
	if err := c.Write(file); err != nil {
		t.Fatal(err)
	}
	again, err := Load(file, none, nil)
	if err != nil || strings.Join(again.APIHosts, "+") != "a+b" || again.LogLevel != "debug" {
		t.Errorf("written and read: %+v, %v", again, err)
	}
}

func TestConfigRefused(t *testing.T) {
	for name, c := range map[string]struct {
		flags map[string]string
		says  string
	}{
		"a reader that is no address":       {map[string]string{"api.readers": "gateway-1"}, "want addresses of accounts"},
		"a way of access that there is not": {map[string]string{"api.access": "closed"}, "want open or consortium"},
		"open without TLS":                  {map[string]string{"api.listen": "0.0.0.0:8080"}, "api.tls-cert"},
		"all interfaces":                    {map[string]string{"api.listen": ":8080"}, "api.tls-cert"},
		"no port":                           {map[string]string{"api.listen": "127.0.0.1"}, "host:port"},
		"half a TLS":                        {map[string]string{"api.tls-cert": "x"}, "both"},
		"not a bool":                        {map[string]string{"index": "perhaps"}, "--index"},
		"no URL":                            {map[string]string{"index.database": "host=db"}, "postgres://"},
		"bad URL":                           {map[string]string{"index.database": "postgres://db/%zz"}, "command line"},
		"password shown":                    {map[string]string{"index.database": "postgres://dure:horse@127.0.0.1/dure"}, "DURE_INDEX_DATABASE"},
		"shown elsewhere":                   {map[string]string{"index.database": "postgres://127.0.0.1/dure?password=horse"}, "DURE_INDEX_DATABASE"},
		"not encrypted":                     {map[string]string{"index.database": "postgres://dure@db.example/dure"}, "verify-full"},
		"perhaps not":                       {map[string]string{"index.database": "postgres://dure@db.example/dure?sslmode=prefer"}, "verify-full"},
		"bad schema":                        {map[string]string{"index.database": "postgres:///dure?host=/run/postgresql", "index.schema": "a;b"}, "index.schema"},
		"traces in the clear":               {map[string]string{"trace.endpoint": "http://collector.example:4318"}, "encrypt"},
		"no URL of traces":                  {map[string]string{"trace.endpoint": "collector:4318"}, "URL"},
		"more than all":                     {map[string]string{"trace.ratio": "1.5"}, "0 to 1"},
	} {
		_, err := Load("", none, c.flags)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("api.lissen: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file, none, nil); err == nil || !strings.Contains(err.Error(), "api.lissen") {
		t.Errorf("unknown setting: %v", err)
	}
}

func TestASettingTwice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("api.listen: 127.0.0.1:1\napi:\n  listen: 127.0.0.1:2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file, none, nil); err == nil || !strings.Contains(err.Error(), "api.listen is there twice") {
		t.Errorf("got %v", err)
	}
}

func TestIndexInPostgreSQL(t *testing.T) {
	for _, url := range []string{
		"postgres://dure:horse@127.0.0.1:5432/dure", "postgres://dure:horse@db.example/dure?sslmode=verify-full",
		"postgres:///dure?host=/run/postgresql", "postgresql://dure@localhost/dure",
	} {
		env := func(name string) (string, bool) { return url, name == "DURE_INDEX_DATABASE" }
		c, err := Load("", env, nil)
		if err != nil {
			t.Errorf("%s: %v", url, err)
		} else if c.IndexDatabase != url || c.IndexSchema != "dure" {
			t.Errorf("%s: %+v", url, c)
		}
	}
	env := func(name string) (string, bool) {
		return "postgres://dure:horse@h:x/dure", name == "DURE_INDEX_DATABASE"
	}
	if _, err := Load("", env, nil); err == nil || strings.Contains(err.Error(), "horse") {
		t.Errorf("a URL that is none: %v", err)
	}
}
