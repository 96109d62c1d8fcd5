package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/fault"
)

// Exit codes, as main.go documents them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotVerified = 3
	exitUnreachable = 4
)

// problem is an error as a person reads it: what happened and why, and what to do.
type problem struct {
	exit   int
	code   string
	what   string
	advice string
	fields map[string]string
	// shown: the command has said it already; only the exit code is left.
	shown bool
	err   error
}

func (p *problem) Error() string { return p.what }
func (p *problem) Unwrap() error { return p.err }

func usage(what string) error { return &problem{exit: exitUsage, code: "usage", what: what} }

func usagef(format string, args ...any) error { return usage(fmt.Sprintf(format, args...)) }

// asUsage makes a usage problem of what cobra says, in plainer words where it counts arguments.
func asUsage(err error) error {
	var p *problem
	if errors.As(err, &p) {
		return err
	}
	text := wrongCount.ReplaceAllString(err.Error(), "it takes $1 arguments; $2 given")
	return usage(strings.ReplaceAll(text, "takes 1 arguments", "takes 1 argument"))
}

var wrongCount = regexp.MustCompile(`(?:accepts|requires) ((?:at (?:most|least) )?\d+) arg\(s\), (?:only )?received (\d+)`)

func failed(what, advice string) error { return &problem{exit: exitFailed, what: what, advice: advice} }

// notVerified reports a proof or document that does not hold.
func notVerified(err error, advice string) error {
	f := fault.As(err)
	fields := map[string]string{}
	for _, field := range f.Fields {
		fields[field.Name] = field.Value
	}
	return &problem{exit: exitNotVerified, code: f.Code, what: "NOT VERIFIED: " + f.Message, advice: advice, fields: fields, err: err}
}

// quietExit ends with a code when the command has printed all there is to say.
func quietExit(code int) error { return &problem{exit: code, shown: true} }

// fail prints err and returns the exit code.
func (a *app) fail(cmd *cobra.Command, err error) int {
	p := a.explain(err)
	if p.advice == "" {
		p.advice = adviceForDisk(err)
	}
	if p.exit == exitUsage && p.advice == "" && cmd != nil {
		p.advice = "Usage: " + cmd.UseLine() + "\nSee " + cmd.CommandPath() + " --help."
	}
	if p.shown {
		return p.exit
	}
	if a.json {
		out, _ := json.Marshal(map[string]any{"error": map[string]any{
			"code": p.code, "message": p.what, "advice": p.advice, "fields": p.fields, "exit": p.exit}})
		fmt.Fprintln(a.err, string(out))
		return p.exit
	}
	fmt.Fprintln(a.err, "dure: "+p.what)
	if p.advice != "" {
		fmt.Fprintln(a.err, p.advice)
	}
	return p.exit
}

// explain makes a problem of any error.
func (a *app) explain(err error) *problem {
	var (
		p           *problem
		undecided   *client.Undecided
		refusal     *client.Refusal
		wrong       *client.WrongNetwork
		unreachable *client.Unreachable
		certificate *client.BadCertificate
		refused     *fault.Error
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &undecided):
		return &problem{exit: exitUnreachable, code: "tx.undecided", what: sentence(undecided.Error()), fields: map[string]string{"tx": undecided.ID},
			advice: fmt.Sprintf("Do not repeat the command yet. Ask later with: dure tx show %s --wait\n"+
				"If a block later than %s is committed and the transaction is unknown, it did not happen.", undecided.ID, clockTime(undecided.NotAfter))}
	case errors.As(err, &wrong):
		return &problem{exit: exitUnreachable, code: "network.wrong", what: fmt.Sprintf("The node at %s belongs to network %s, not to %s.", wrong.Node, wrong.Got, wrong.Want),
			advice: "Give the addresses of nodes of one network with --node, or drop --network."}
	case errors.As(err, &refusal):
		return &problem{exit: exitFailed, code: refusal.Code, what: withCode(refusal.Message, refusal.Code), fields: refusal.Fields, advice: adviceFor(refusal.Code)}
	case errors.Is(err, context.Canceled):
		return &problem{exit: exitFailed, code: "interrupted", what: "Interrupted.", err: err}
	case errors.As(err, &unreachable) && errors.As(err, &certificate):
		return &problem{exit: exitUnreachable, code: "node.bad_certificate", what: sentence(unreachable.Error())}
	case errors.As(err, &unreachable):
		return &problem{exit: exitUnreachable, code: "node.unreachable", what: sentence(unreachable.Error()),
			advice: "Is the node running? Start one with dure up, or name another with --node or DURE_NODE."}
	case errors.As(err, &refused):
		return &problem{exit: exitFailed, code: refused.Code, what: withCode(refused.Message, refused.Code), advice: adviceFor(refused.Code)}
	case strings.HasPrefix(err.Error(), "required flag"), strings.HasPrefix(err.Error(), "if any flags in the group"),
		strings.HasPrefix(err.Error(), "at least one of the flags"):
		return &problem{exit: exitUsage, code: "usage", what: sentence(err.Error())}
	}
	return &problem{exit: exitFailed, code: "internal", what: sentence(err.Error()), err: err}
}

// sentence starts with a capital and ends with a point.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

func withCode(message, code string) string { return sentence(message) + " [" + code + "]" }

// adviceFor says what to do about a refusal, where a command helps.
func adviceFor(code string) string {
	switch code {
	case "account.unknown":
		return "Have a member open the account: dure account open KEY --sponsor MEMBER."
	case "account.not_authorised":
		return "The key may not act for the account. See which may: dure account show ACCOUNT."
	case "account.frozen":
		return "See why and until when: dure account show ACCOUNT. Its owner may appeal: dure account appeal ACCOUNT --text …; its sponsor can lift it: dure account unfreeze ACCOUNT --by SPONSOR."
	case "account.recovery_waits":
		return "See it: dure account recovery show ACCOUNT. The account itself ends it with dure account recover object ACCOUNT."
	case "account.not_guardian":
		return "See who may: dure account recovery show ACCOUNT."
	case "account.too_early":
		return "See from when: dure account recovery show ACCOUNT."
	case "asset.insufficient_balance":
		return "See what is there: dure asset balance ASSET ACCOUNT."
	case "asset.unknown_receiver":
		return "Check the address. A receiver's account must be opened first: dure account open."
	case "asset.unknown":
		return "See which assets there are: dure asset list."
	case "tx.expired", "tx.too_far_ahead":
		return "Check this machine's clock against the node's: dure status."
	case "access.not_yours":
		return "Say with --as which account reads: one that it concerns, or a member."
	case "access.key_not_acting":
		return "If the account acts by another key of yours, name it with --as-key."
	case "access.frozen":
		return "Only the account's sponsor can lift this: dure account unfreeze ACCOUNT --by SPONSOR."
	case "key.wrong_passphrase":
		return "Try again, or check --passphrase-file and DURE_PASSPHRASE."
	case "pool.full":
		return "The node is busy. Try again in a moment, or name another with --node."
	case "tx.unknown":
		return "It may not be committed yet: dure tx show ID --wait."
	}
	return ""
}

// adviceForDisk says what to do when files could not be read or written. Not every layer keeps the error itself.
func adviceForDisk(err error) string {
	text := err.Error()
	is := func(errno syscall.Errno) bool { return errors.Is(err, errno) || strings.Contains(text, errno.Error()) }
	switch {
	case is(syscall.EIO):
		return "The disk, or what connects it, does not work: the system's log (dmesg) says more. Repair or replace it and start again; " +
			"docs/damage.md says what to do about files that are lost."
	case is(syscall.ENOSPC) && !strings.Contains(text, "Free some space"):
		return "The disk is full. Free some space and start again."
	}
	return ""
}
