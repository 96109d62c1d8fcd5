package node

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
)

// A backup is a tar file. Its last entry, archiveDigest, holds the SHA-256 in hex of everything before that entry, so that
// each byte counts. What follows that digest, its own padding and the end of the tar, is always the same.
const (
	archiveDigest = "sha256"
	digestTail    = 512 + 512 + 1024 // header, 64 hex digits padded, two empty blocks
)

// archiveWriter writes a backup.
type archiveWriter struct {
	tar *tar.Writer
	sum hash.Hash
	ctx context.Context //nolint:containedctx // of one call of Backup, which makes and drops the writer
}

func newArchive(ctx context.Context, w io.Writer) *archiveWriter {
	sum := sha256.New()
	return &archiveWriter{tar: tar.NewWriter(io.MultiWriter(w, sum)), sum: sum, ctx: ctx}
}

// Write implements io.Writer for the entry begun last. It ends with the context.
func (a *archiveWriter) Write(p []byte) (int, error) {
	if err := a.ctx.Err(); err != nil {
		return 0, err
	}
	return a.tar.Write(p)
}

func (a *archiveWriter) begin(name string, size int64) error {
	return a.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, Format: tar.FormatUSTAR})
}

func (a *archiveWriter) add(name string, content []byte) error {
	if err := a.begin(name, int64(len(content))); err != nil {
		return err
	}
	_, err := a.Write(content)
	return err
}

func (a *archiveWriter) finish() error {
	if err := a.tar.Flush(); err != nil {
		return err
	}
	return errors.Join(a.add(archiveDigest, []byte(hex.EncodeToString(a.sum.Sum(nil)))), a.tar.Close())
}

// tail is the end of an archive with a digest.
func tail(sum []byte) ([]byte, error) {
	var b bytes.Buffer
	t := &archiveWriter{tar: tar.NewWriter(&b), ctx: context.Background()}
	err := errors.Join(t.add(archiveDigest, []byte(hex.EncodeToString(sum))), t.tar.Close())
	return b.Bytes(), err
}

// ErrDamaged says that a backup is not what was written.
var ErrDamaged = errors.New("the file is damaged or no backup: its digest is not that of its content; nothing was restored. Use another copy")

// CheckArchive reads a backup through and checks its digest. seen, if not nil, is called with every number of bytes read.
func CheckArchive(file string, seen func(n int)) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if info.Size() < digestTail {
		return ErrDamaged
	}
	sum := sha256.New()
	if _, err := io.CopyN(sum, &counted{f, seen}, info.Size()-digestTail); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	end, err := io.ReadAll(io.LimitReader(f, digestTail+1))
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	want, err := tail(sum.Sum(nil))
	if err == nil && !bytes.Equal(end, want) {
		err = ErrDamaged
	}
	return err
}

// counted tells how much has been read.
type counted struct {
	io.Reader
	seen func(n int)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.seen != nil {
		c.seen(n)
	}
	return n, err
}
