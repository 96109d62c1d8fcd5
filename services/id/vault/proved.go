package vault

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mark is what the accounts of one telephone number and bank account are found by. It lies with the people's keys, so that it goes with them:
// whoever has the master key could guess numbers.
func (v *Vault) mark(p Profile) []byte {
	mac := hmac.New(sha256.New, v.master)
	fmt.Fprintf(mac, "proved\n%s\n%s\n%s", p.Phone, p.Bank, p.BankAccount)
	return mac.Sum(nil)
}

// remember lets a person be found by what they proved, and no longer by what they proved before.
func (v *Vault) remember(ctx context.Context, a Account, p Profile) error {
	who, mark := v.who(a), v.mark(p)
	if _, err := v.keys.ExecContext(ctx, `INSERT INTO proved (who, mark, account) VALUES (?, ?, ?)
ON CONFLICT (who) DO UPDATE SET mark = excluded.mark, account = excluded.account`, who, mark, seal(v.master, a[:], slices.Concat(mark, who))); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}

// Proved lists the accounts of people who proved the same name, telephone number and bank account to the member.
func (v *Vault) Proved(ctx context.Context, p Profile) (out []Account, err error) {
	found, err := v.marked(ctx, v.mark(p))
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		kept, err := v.Profile(ctx, a)
		if err != nil && !errors.Is(err, ErrUnknown) {
			return nil, err
		}
		if sameName(kept.Name, p.Name) && kept.Phone == p.Phone && kept.Bank == p.Bank && kept.BankAccount == p.BankAccount {
			out = append(out, a)
		}
	}
	return out, nil
}

// sameName compares names as banks do, without spaces and capitals.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, " ", ""), strings.ReplaceAll(b, " ", ""))
}

func (v *Vault) marked(ctx context.Context, mark []byte) (out []Account, err error) {
	rows, err := v.keys.QueryContext(ctx, `SELECT who, account FROM proved WHERE mark = ? ORDER BY who`, mark)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var who, sealed []byte
		if err := rows.Scan(&who, &sealed); err != nil {
			return nil, fmt.Errorf("vault: %w", err)
		}
		plain, err := open(v.master, sealed, slices.Concat(mark, who))
		if err != nil || len(plain) != len(Account{}) {
			return nil, fmt.Errorf("vault: %w", errors.Join(err, errors.New("an account that was proved does not open")))
		}
		out = append(out, Account(plain))
	}
	return out, rows.Err()
}
