package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"
)

// readSecret asks on the controlling terminal without echo, so that it works when input is a pipe.
func readSecret(prompt string) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		if !term.IsTerminal(int(os.Stdin.Fd())) {
			return "", errNoTerminal
		}
		tty = os.Stdin
	} else {
		defer tty.Close()
	}
	fmt.Fprint(os.Stderr, prompt)
	secret, err := term.ReadPassword(int(tty.Fd()))
	fmt.Fprintln(os.Stderr)
	return string(secret), err
}

var errNoTerminal = errors.New("no terminal to ask on")

// askPassphrase finds the passphrase of the keystore: --passphrase-file, DURE_PASSPHRASE, the file
// HOME/passphrase, or a prompt. A new one that is
// typed is asked for twice. given says that it did not come from a prompt, so that asking again makes no sense.
func (a *app) askPassphrase(prompt string, fresh bool) (passphrase string, given bool, err error) {
	if a.passphraseFile != "" {
		passphrase, err = firstLine(a.passphraseFile)
		return passphrase, true, err
	}
	if passphrase = a.getenv("DURE_PASSPHRASE"); passphrase != "" {
		return passphrase, true, nil
	}
	if file := filepath.Join(a.home, "passphrase"); exists(file) {
		passphrase, err = firstLine(file)
		return passphrase, true, err
	}
	if a.secret == nil {
		return "", true, noPassphrase()
	}
	if passphrase, err = a.secret(prompt + ": "); err != nil {
		return "", true, noPassphrase()
	}
	if fresh {
		again, err := a.secret("The same again: ")
		if err != nil {
			return "", true, noPassphrase()
		}
		if again != passphrase {
			return "", true, usage("the two passphrases differ")
		}
	}
	return passphrase, false, nil
}

func noPassphrase() error {
	return &problem{exit: exitUsage, code: "usage", what: "A passphrase is needed, and there is no terminal to ask on.",
		advice: "Give it with --passphrase-file FILE or in DURE_PASSPHRASE."}
}

func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", usage("passphrase file: " + err.Error())
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return "", usage("passphrase file: " + err.Error())
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", usage("passphrase file " + path + ": its first line is empty")
	}
	return line, nil
}
