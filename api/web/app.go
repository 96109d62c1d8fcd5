package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// apps holds what `make generate` builds of web/apps, one folder each.
//
//go:embed apps
var appFiles embed.FS

// appPolicy is policy but that a wallet may also answer the sites that ask it for credentials, wherever they are (and on this machine, while they are made).
const appPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self' https: http://localhost:* http://127.0.0.1:*; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// appFile is a file of an app as it is served.
type appFile struct {
	content []byte
	// digest names the content, for ETag.
	digest string
	// packed is the content by gzip, made when it is first asked for; nil for what gains little.
	packed func() []byte
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
		f := appFile{content: content, digest: hex.EncodeToString(sum[:16])}
		if ext := path.Ext(p); ext == ".js" || ext == ".css" {
			f.packed = sync.OnceValue(func() []byte { return pack(content) })
		}
		files[p[len(root)+1:]] = f
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
		h.Set("Content-Security-Policy", appPolicy)
		h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=(), payment=()")
		h.Set("Cache-Control", "no-cache")
		content, tag := f.content, f.digest
		if f.packed != nil {
			h.Set("Vary", "Accept-Encoding")
			if takesGzip(r) {
				content, tag = f.packed(), tag+"-gzip"
				h.Set("Content-Encoding", "gzip")
			}
		}
		h.Set("ETag", `"`+tag+`"`)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	})
}

// takesGzip says whether a client can unpack gzip (RFC 9110, 12.5.3). One that says so with a weight gets the file as it is.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return true
		}
	}
	return false
}

func pack(content []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		panic(err) // a buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
