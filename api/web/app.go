package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// apps holds what `make generate` builds of web/apps, one folder each.
//
//go:embed apps
var appFiles embed.FS

// appFile is a file of an app as it is served.
type appFile struct {
	content []byte
	tag     string
}

// App serves an app of web/apps: its page for the folder itself, and the files beside it. Browsers ask each time whether what they keep is still
// current, as the next version of the node has other files of the same names. It panics if there is no such app.
func App(name string) http.Handler {
	files := map[string]appFile{}
	root := path.Join("apps", name)
	err := fs.WalkDir(appFiles, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := appFiles.ReadFile(p)
		if err != nil {
			return err //nolint:wrapcheck // what is embedded can be read
		}
		sum := sha256.Sum256(content)
		files[p[len(root)+1:]] = appFile{content, `"` + hex.EncodeToString(sum[:16]) + `"`}
		return nil
	})
	if err != nil {
		panic(err) // the folder is embedded
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path
		if name == "" {
			name = "index.html"
		}
		f, ok := files[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		headers(h)
		h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=(), payment=()")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", f.tag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(f.content))
	})
}
