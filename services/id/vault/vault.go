package vault

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Account is the address of a person's account.
type Account = [20]byte

// ErrUnknown means that the vault has nothing of this kind of the person.
var ErrUnknown = errors.New("vault: nothing is kept of this")

// Vault is open in one process at a time. It is safe for concurrent use.
type Vault struct {
	master []byte
	keys   *sql.DB
	people *sql.DB
	// answering: consents are read and written by one at a time, so that the ledger hears of each that is replaced.
	answering sync.Mutex
}

const (
	keysSchema = `CREATE TABLE IF NOT EXISTS person (who BLOB PRIMARY KEY, number BLOB NOT NULL UNIQUE, wrapped BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS proved (who BLOB PRIMARY KEY, mark BLOB NOT NULL, account BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS proved_mark ON proved (mark)`
	peopleSchema = `CREATE TABLE IF NOT EXISTS sealed (number BLOB NOT NULL, kind TEXT NOT NULL, name BLOB NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL,
PRIMARY KEY (number, kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipt (digest BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, withdrawn INTEGER NOT NULL)`
	pragmas = "?_pragma=busy_timeout(5000)&_pragma=synchronous(full)"
	// A key that is deleted is overwritten, and no write-ahead log keeps an earlier page with it.
	keysPragmas   = pragmas + "&_pragma=secure_delete(1)&_pragma=journal_mode(truncate)"
	peoplePragmas = pragmas + "&_pragma=journal_mode(wal)"
)

// Open opens the vault in a folder, and makes both if they are not there.
func Open(dir string) (*Vault, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	master, err := masterKey(filepath.Join(dir, "vault.key"))
	if err != nil {
		return nil, err
	}
	v := &Vault{master: master}
	if v.keys, err = openDB(filepath.Join(dir, "keys.db"), keysPragmas, keysSchema); err != nil {
		return nil, err
	}
	if v.people, err = openDB(filepath.Join(dir, "people.db"), peoplePragmas, peopleSchema); err != nil {
		return nil, errors.Join(err, v.keys.Close())
	}
	return v, nil
}

// Close closes the files.
func (v *Vault) Close() error { return errors.Join(v.keys.Close(), v.people.Close()) }

func openDB(path, pragmas, schema string) (*sql.DB, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	_ = f.Close()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+pragmas) // a name may have %, ? and #
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(schema); err != nil {
		return nil, errors.Join(fmt.Errorf("vault: %s: %w", path, err), db.Close())
	}
	return db, nil
}

func masterKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		fresh := make([]byte, 32)
		rand.Read(fresh)
		return fresh, writeOnce(path, hex.EncodeToString(fresh)+"\n")
	}
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("vault: %s is no master key: want 64 hex digits", path)
	}
	return key, nil
}

// writeOnce writes a file that is not there, to disk.
func writeOnce(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// person is one with their key.
type person struct{ number, key []byte }

func (v *Vault) who(a Account) []byte {
	mac := hmac.New(sha256.New, v.master)
	mac.Write(a[:])
	return mac.Sum(nil)
}

// find returns a person; ErrUnknown if the vault has no key of theirs.
func (v *Vault) find(ctx context.Context, a Account) (person, error) {
	who := v.who(a)
	var p person
	var wrapped []byte
	err := v.keys.QueryRowContext(ctx, `SELECT number, wrapped FROM person WHERE who = ?`, who).Scan(&p.number, &wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrUnknown
	}
	if err == nil {
		p.key, err = open(v.master, wrapped, who)
	}
	if err != nil {
		return p, fmt.Errorf("vault: %w", err)
	}
	return p, nil
}

// findOrMake gives a person a key if they have none.
func (v *Vault) findOrMake(ctx context.Context, a Account) (person, error) {
	p, err := v.find(ctx, a)
	if !errors.Is(err, ErrUnknown) {
		return p, err
	}
	key, number, who := make([]byte, 32), make([]byte, 16), v.who(a)
	rand.Read(key)
	rand.Read(number)
	if _, err := v.keys.ExecContext(ctx, `INSERT INTO person (who, number, wrapped) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, who, number, seal(v.master, key, who)); err != nil {
		return p, fmt.Errorf("vault: %w", err)
	}
	return v.find(ctx, a)
}

// Erase deletes a person's key, and then everything that it sealed. Of their consents the ledger is to say that they were withdrawn. Nothing happens if there
// is none.
func (v *Vault) Erase(ctx context.Context, a Account) error {
	v.answering.Lock()
	defer v.answering.Unlock()
	if _, err := v.keys.ExecContext(ctx, `DELETE FROM proved WHERE who = ?`, v.who(a)); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	p, err := v.find(ctx, a)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	consents, err := v.Consents(ctx, a)
	if err != nil {
		return err
	}
	for _, c := range consents {
		if err := owe(ctx, v.people, c.receipt(a, true)); err != nil {
			return fmt.Errorf("vault: %w", err)
		}
	}
	if _, err := v.keys.ExecContext(ctx, `DELETE FROM person WHERE who = ?`, v.who(a)); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	if _, err := v.people.ExecContext(ctx, `DELETE FROM sealed WHERE number = ?`, p.number); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}
