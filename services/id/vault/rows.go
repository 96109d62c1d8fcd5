package vault

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// bound is what a sealed row belongs to, so that rows cannot be exchanged.
func (p person) bound(kind string, name []byte) []byte {
	return append(append(append([]byte{}, p.number...), kind+"\n"...), name...)
}

// name hides what a row is called, such as a service's name.
func (p person) name(text string) []byte {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte(text))
	return mac.Sum(nil)[:16]
}

// put keeps one thing of a kind under a name.
func (v *Vault) put(ctx context.Context, a Account, kind, name string, at int64, value any) error {
	p, err := v.findOrMake(ctx, a)
	if err != nil {
		return err
	}
	return insert(ctx, v.people, p, kind, p.name(name), at, value)
}

// add keeps one more thing of a kind; of the oldest only most stay.
func (v *Vault) add(ctx context.Context, a Account, kind string, at int64, most int, value any) error {
	p, err := v.findOrMake(ctx, a)
	if err != nil {
		return err
	}
	name := binary.BigEndian.AppendUint64(nil, uint64(at))
	name = append(name, make([]byte, 8)...)
	rand.Read(name[8:])
	step, err := v.people.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	defer step.Rollback() // nothing after the commit
	if err := insert(ctx, step, p, kind, name, at, value); err != nil {
		return err
	}
	if _, err = step.ExecContext(ctx, `DELETE FROM sealed WHERE number = ?1 AND kind = ?2 AND name IN (
SELECT name FROM sealed WHERE number = ?1 AND kind = ?2 ORDER BY at DESC, name DESC LIMIT -1 OFFSET ?3)`, p.number, kind, most); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	if err := step.Commit(); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}

// writer is the file, or a step of several changes to it.
type writer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func insert(ctx context.Context, w writer, p person, kind string, name []byte, at int64, value any) error {
	plain, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	if _, err = w.ExecContext(ctx, `INSERT INTO sealed (number, kind, name, at, bytes) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET at = excluded.at, bytes = excluded.bytes`, p.number, kind, name, at, seal(p.key, plain, p.bound(kind, name))); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}

// get reads one thing; ErrUnknown if there is none.
func (v *Vault) get(ctx context.Context, a Account, kind, name string, value any) error {
	p, err := v.find(ctx, a)
	if err != nil {
		return err
	}
	row := p.name(name)
	var sealed []byte
	err = v.people.QueryRowContext(ctx, `SELECT bytes FROM sealed WHERE number = ? AND kind = ? AND name = ?`, p.number, kind, row).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return p.read(kind, row, sealed, value)
}

func (p person) read(kind string, name, sealed []byte, value any) error {
	plain, err := open(p.key, sealed, p.bound(kind, name))
	if err == nil {
		err = json.Unmarshal(plain, value)
	}
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}

// list reads everything of a kind, newest first.
func list[T any](ctx context.Context, v *Vault, a Account, kind string) (out []T, err error) {
	p, err := v.find(ctx, a)
	if errors.Is(err, ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := v.people.QueryContext(ctx, `SELECT name, bytes FROM sealed WHERE number = ? AND kind = ? ORDER BY at DESC, name DESC`, p.number, kind)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, sealed []byte
		var one T
		if err := rows.Scan(&name, &sealed); err != nil {
			return nil, fmt.Errorf("vault: %w", err)
		}
		if err := p.read(kind, name, sealed, &one); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, rows.Err()
}
