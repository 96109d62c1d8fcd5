package moduletest

import "fmt"

// Play runs lines of a script on a fresh ledger, a transaction each, and returns the ledger. All of them must succeed.
func Play(lines ...string) (*Ledger, error) {
	p := &player{Ledger: New()}
	for _, line := range lines {
		answer, err := p.block(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		if len(answer) < 2 || answer[:2] != "ok" {
			return nil, fmt.Errorf("%s: %s", line, answer)
		}
	}
	return p.Ledger, nil
}
