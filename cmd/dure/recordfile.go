package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/dureledger/dure/client"
)

// progressFrom is the size from which reading a file shows progress, in bytes.
const progressFrom = 64 << 20

// digestFile reads a file once, whatever its size, and describes it: digest, size, media type by its content, name.
func (a *app) digestFile(ctx context.Context, path string) (client.Document, error) {
	var doc client.Document
	f, err := os.Open(path)
	if err != nil {
		return doc, usage(err.Error())
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return doc, usage(err.Error())
	}
	if info.IsDir() {
		return doc, usage(path + " is a folder; name files, or pack it first (tar, zip)")
	}
	var head bytes.Buffer
	hash := sha256.New()
	var shown io.Writer = io.Discard
	if info.Size() >= progressFrom {
		p := a.newProgress("read", int(info.Size()), false)
		p.unit = func(n int64) string { return fmt.Sprintf("%d MB", n/1e6) }
		defer p.end()
		shown = progressWriter{p}
	}
	source := &interruptible{ctx, f}
	if _, err := io.CopyN(io.MultiWriter(&head, hash, shown), source, 512); err != nil && !errors.Is(err, io.EOF) {
		return doc, err
	}
	rest, err := io.CopyBuffer(io.MultiWriter(hash, shown), source, make([]byte, 1<<20))
	if err != nil {
		return doc, err
	}
	doc = client.Document{
		Digest: [32]byte(hash.Sum(nil)), Size: uint64(head.Len()) + uint64(rest),
		MediaType: mediaType(head.Bytes(), path), Name: filepath.Base(path),
	}
	doc.Title = doc.Name
	return doc, nil
}

// interruptible stops reading when ctx ends.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(b []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(b)
}

type progressWriter struct{ p *progress }

func (w progressWriter) Write(b []byte) (int, error) {
	w.p.add(int64(len(b)))
	return len(b), nil
}

// mediaType goes by the first bytes of a file, and by its ending where those say only that it is text, an archive or
// unknown.
func mediaType(head []byte, path string) string {
	sniffed, _, _ := strings.Cut(http.DetectContentType(head), ";")
	switch sniffed {
	case "application/octet-stream", "text/plain", "application/zip", "text/xml":
		if named, _, _ := strings.Cut(mime.TypeByExtension(strings.ToLower(filepath.Ext(path))), ";"); named != "" {
			return strings.TrimSpace(named)
		}
	}
	return sniffed
}

// documentArg reads an argument that is a file, or the 64 hex digits of a digest.
func (a *app) documentArg(ctx context.Context, text string) ([32]byte, error) {
	if len(text) == 64 {
		if digest, err := parseDigest(text, "digest"); err == nil && !exists(text) {
			return digest, nil
		}
	}
	doc, err := a.digestFile(ctx, text)
	return doc.Digest, err
}
