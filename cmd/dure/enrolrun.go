package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// enrolChunk is how many rows a transaction has, at most. Rows go in the same chunks in every run.
const enrolChunk = 50

// enrolment is one run of dure device enrol --list.
type enrolment struct {
	app                                               *app
	list, model, report, by, sponsor, key, sponsorKey string
	firmware                                          uint64
	dryRun, quiet                                     bool

	client        *client.Client
	network       string
	maker, opener party
	file          *enrolFile
	rows          []enrolResult
}

// What became of a device of a list.
const (
	enrolledNow    = "enrolled"
	enrolledBefore = "enrolled before"
	enrolFailed    = "failed"
	enrolNotSent   = "not sent"
)

// enrolResult is what is known of a row: what the ledger had before, and what became of it.
type enrolResult struct {
	open          bool // its account
	status, id    string
	code, message string
}

func (e *enrolment) run(ctx context.Context) error {
	if e.report != "" && exists(e.report) {
		return failed(e.report+" exists already.", "Choose another name for the report, or move it away.")
	}
	if err := e.prepare(ctx); err != nil {
		return err
	}
	if e.dryRun {
		return e.conclude(nil)
	}
	signer, err := e.app.signerFor(ctx, e.maker, e.key)
	if err != nil {
		return err
	}
	opener := signer
	signers := []tx.Signer{signer}
	if e.opener.address != e.maker.address {
		if opener, err = e.app.signerFor(ctx, e.opener, e.sponsorKey); err != nil {
			return err
		}
		signers = append(signers, opener) // it agrees that its accounts are devices
	}
	bar := e.app.newProgress("enrolled", len(e.rows), e.quiet)
	cause := e.send(ctx, "open", e.opener, []tx.Signer{opener}, func(d *client.Draft, i int) bool {
		if e.rows[i].open {
			return false
		}
		d.OpenAccount(e.opener.address, e.file.Rows[i].Key)
		return true
	}, func(i int, _ string) { e.rows[i].open = true })
	if cause == nil {
		cause = e.send(ctx, "enrol", e.maker, signers, func(d *client.Draft, i int) bool {
			row := e.file.Rows[i]
			if e.rows[i].status != enrolNotSent || !e.rows[i].open {
				return false
			}
			d.EnrolDevice(e.maker.address, row.address(), row.Owner.address, e.model, row.Serial, e.firmware)
			return true
		}, func(i int, id string) {
			e.rows[i].status, e.rows[i].id = enrolledNow, id
			bar.add(1)
		})
	}
	bar.end()
	return e.conclude(cause)
}

// agreeing is who signs beside an actor that an account is what the actor makes it, such as a device of its maker: nobody if the actor sponsors it, the sponsor if
// one is named, else the account.
func (a *app) agreeing(ctx context.Context, maker, device party, what, sponsor, sponsorKey string) ([]tx.Signer, error) {
	c, err := a.ledger()
	if err != nil {
		return nil, err
	}
	account, err := c.Account(ctx, device.address)
	if isNotFound(err) {
		return nil, failed("There is no account "+device.String()+" yet.", "Open it first: dure account open.")
	}
	if err != nil || account.GetSponsor() == maker.address.String() {
		return nil, err
	}
	who := device
	if sponsor != "" {
		if who, err = a.party(sponsor); err != nil {
			return nil, err
		}
	} else if sponsorKey == "" && a.named(who.address).name == "" {
		return nil, failed("The keystore has no key for "+device.String()+", which has to sign that it is "+what+".",
			"Bring its key here (dure key import), or have its sponsor sign: --sponsor "+account.GetSponsor())
	}
	signer, err := a.signerFor(ctx, who, sponsorKey)
	return []tx.Signer{signer}, err
}

// prepare reads and checks the list against the ledger before anything is sent.
func (e *enrolment) prepare(ctx context.Context) error {
	var err error
	if e.maker, err = e.app.self(e.by); err != nil {
		return err
	}
	if e.opener = e.maker; e.sponsor != "" {
		if e.opener, err = e.app.party(e.sponsor); err != nil {
			return err
		}
	}
	if e.client, err = e.app.ledger(); err != nil {
		return err
	}
	if e.network, err = e.client.Network(ctx); err != nil {
		return err
	}
	content, err := readSmall(e.list, maxEnrolBytes)
	if err != nil {
		return err
	}
	e.file, err = parseEnrolFile(content, filepath.Dir(e.list), e.owners(ctx))
	var faults enrolFaults
	if err == nil {
		faults, err = e.compare(ctx)
	}
	if len(faults) > 0 || errors.As(err, &faults) {
		return &problem{exit: exitUsage, code: "enrol.bad_list", what: e.list + ": " + faults.Error(), advice: "Correct the list and run the command again."}
	}
	return err
}

// owners reads an owner, whose account has to be open.
func (e *enrolment) owners(ctx context.Context) func(string) (party, error) {
	seen := map[string]party{}
	return func(name string) (party, error) {
		if known, ok := seen[name]; ok {
			return known, nil
		}
		found, err := e.app.party(name)
		if err == nil {
			if _, err = e.client.Account(ctx, found.address); isNotFound(err) {
				err = errors.New("there is no account " + found.String() + "; open it first")
			}
		}
		if err == nil {
			seen[name] = found
		}
		return found, err
	}
}

// compare looks up what the ledger has of the model and of each row.
func (e *enrolment) compare(ctx context.Context) (faults enrolFaults, err error) {
	model, err := e.client.DeviceModel(ctx, e.maker.address, e.model)
	if err != nil {
		return nil, err
	}
	if why := unfit(model, e.firmware); why != "" {
		return nil, failed(why, "")
	}
	bySerial := map[string]*apiv1.Device{}
	for d, err := range e.client.AllDevices(ctx, e.maker.address, e.model) {
		if err != nil {
			return nil, err
		}
		bySerial[d.GetSerial()] = d
	}
	e.rows = make([]enrolResult, len(e.file.Rows))
	for i, row := range e.file.Rows {
		r := &e.rows[i]
		r.status = enrolNotSent
		if d := bySerial[row.Serial]; d != nil {
			if d.GetDevice() == row.address().String() {
				r.open, r.status = true, enrolledBefore
			} else {
				faults = append(faults, fmt.Sprintf("line %d: the serial number %s is that of %s", row.Line, row.Serial, d.GetDevice()))
			}
			continue
		}
		_, err := e.client.Account(ctx, row.address())
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		r.open = true
		d, err := e.client.Device(ctx, row.address())
		switch {
		case err == nil:
			faults = append(faults, fmt.Sprintf("line %d: %s is a device already, %s with serial number %s, %s", row.Line, row.address(), d.GetModel(), clean(d.GetSerial()), d.GetState()))
		case !isNotFound(err):
			return nil, err
		}
	}
	return faults, nil
}

// unfit says why a firmware of a model may not be on devices; "" if it may.
func unfit(model *apiv1.GetModelResponse, number uint64) string {
	for _, f := range model.GetFirmware() {
		if f.GetNumber() != number {
			continue
		}
		if f.GetWithdrawnAt() != "" {
			return fmt.Sprintf("Firmware %d is withdrawn: %s", number, clean(f.GetWithdrawReason()))
		}
		return ""
	}
	return fmt.Sprintf("The model has no firmware %d. Register it first: dure device firmware.", number)
}

// send makes a transaction of each chunk of rows and marks those of which put made an action when it is committed. The once keys come
// from the list, the row that a chunk begins with, and how many transactions of it were committed before; so what a broken run has sent and
// this one sends again counts once.
func (e *enrolment) send(ctx context.Context, step string, actor party, signers []tx.Signer, put func(*client.Draft, int) bool, done func(i int, id string)) error {
	for from := 0; from < len(e.rows); from += enrolChunk {
		draft, members := client.NewTransaction(e.network), []int{}
		for i := from; i < min(from+enrolChunk, len(e.rows)); i++ {
			if put(draft, i) {
				members = append(members, i)
			}
		}
		if len(members) == 0 {
			continue
		}
		once, err := e.once(ctx, step, actor.address, from)
		if err != nil {
			return err
		}
		signed, err := e.client.Sign(draft.Once(once).Salt(binary.BigEndian.Uint64(once[:8])).NotAfter(payNotAfter(e.app.now())), signers...)
		if err != nil {
			return err
		}
		outcome, err := e.client.Submit(ctx, signed)
		if err == nil {
			err = client.Check(outcome)
		}
		var refusal *client.Refusal
		switch {
		case err == nil:
			for _, i := range members {
				done(i, outcome.GetId())
			}
		case errors.As(err, &refusal) && !refusal.Retryable && !errors.As(err, new(*client.Undecided)):
			for _, i := range members {
				e.rows[i].status, e.rows[i].id, e.rows[i].code, e.rows[i].message = enrolFailed, signed.ID, refusal.Code, refusal.Message
			}
		default:
			return err
		}
	}
	return nil
}

// once is SHA-256("dure/enrol/v1\n" || network id || list digest || step || row, attempt: 8 bytes each, big-endian) of the first attempt that the
// ledger has not taken.
func (e *enrolment) once(ctx context.Context, step string, actor tx.Address, row int) ([32]byte, error) {
	for attempt := uint64(0); ; attempt++ {
		h := sha256.New()
		h.Write([]byte("dure/enrol/v1\n" + e.network))
		h.Write(e.file.Digest[:])
		h.Write([]byte(step))
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(row)))
		h.Write(binary.BigEndian.AppendUint64(nil, attempt))
		key := [32]byte(h.Sum(nil))
		if _, used, err := e.client.OnceUsed(ctx, actor, key); err != nil || !used {
			return key, err
		}
	}
}

// conclude writes the report and the summary, and says how to go on.
func (e *enrolment) conclude(cause error) error {
	if e.report != "" && !e.dryRun {
		if err := e.writeReport(); err != nil {
			return err
		}
	}
	count := map[string]int{}
	var devices []map[string]any
	for i, r := range e.rows {
		count[r.status]++
		devices = append(devices, map[string]any{"serial": e.file.Rows[i].Serial, "device": e.file.Rows[i].address().String(), "status": r.status, "transaction": r.id, "code": r.code})
	}
	err := e.app.print(map[string]any{
		"rows": len(e.rows), "enrolled": count[enrolledNow], "enrolledBefore": count[enrolledBefore], "failed": count[enrolFailed], "notSent": count[enrolNotSent], "devices": devices,
	}, func(w io.Writer) { e.printSummary(w, count) })
	switch {
	case err != nil:
		return err
	case cause != nil:
		said := *e.app.explain(cause)
		said.advice = joinLines(fmt.Sprintf("%s left. Run the same command again to go on: no device is enrolled twice.", plural(count[enrolNotSent], "device")), said.advice)
		return &said
	case count[enrolFailed] > 0:
		return quietExit(exitFailed)
	}
	return nil
}

func (e *enrolment) printSummary(w io.Writer, count map[string]int) {
	if e.dryRun {
		fmt.Fprintln(w, "The list is in order. Nothing was sent.")
	}
	shown := 0
	for i, r := range e.rows {
		if r.status == enrolFailed && shown < maxShownFailures {
			shown++
			fmt.Fprintf(w, "line %d: %s is not enrolled: %s\n", e.file.Rows[i].Line, clean(e.file.Rows[i].Serial), withCode(clean(r.message), r.code))
		}
	}
	number := func(status string) string {
		if count[status] == 0 {
			return ""
		}
		return strconv.Itoa(count[status])
	}
	printFacts(w, []fact{{"enrolled now", number(enrolledNow)}, {"enrolled before", number(enrolledBefore)}, {"failed", number(enrolFailed)}, {"not sent", number(enrolNotSent)},
		{"rows", strconv.Itoa(len(e.rows))}, {"report", e.report}})
}

func (e *enrolment) writeReport() error {
	f, err := os.OpenFile(e.report, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	_ = w.Write([]string{"line", "serial", "owner", "device", "status", "transaction", "code", "message"}) // Flush reports
	for i, r := range e.rows {
		row := e.file.Rows[i]
		_ = w.Write([]string{strconv.Itoa(row.Line), formulaSafe(row.Serial), row.Owner.address.String(), row.address().String(), r.status, r.id, r.code, formulaSafe(r.message)})
	}
	w.Flush()
	return errors.Join(w.Error(), f.Close())
}
