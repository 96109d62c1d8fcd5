package moduletest

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/account"
	"github.com/dureledger/dure/modules/asset"
	"github.com/dureledger/dure/modules/device"
	"github.com/dureledger/dure/modules/network"
	"github.com/dureledger/dure/modules/record"
	"github.com/dureledger/dure/modules/stream"
)

// show answers a look at the state:
//
//	account NAME · freezes NAME · recovery NAME · rule NAME · proposed NAME NUMBER (a proposal of an account) · spent NAME ASSET · balance ASSET NAME · asset ID · hold hN · record DIGEST NAME · device NAME · commands NAME · firmware MAKER MODEL NUMBER ·
//	organisation NAME · schema ID · right SCHEMA NAME · fact NAME SCHEMA VALUE ISSUER · has NAME SCHEMA VALUE [AGO] (- is no value) · list ISSUER NUMBER ·
//	consent NAME RECIPIENT DIGEST · rely DEVICE AGO · feed ID · report FEED DEVICE · head DEVICE · quarantined FEED DEVICE BOOT SEQUENCE · value FEED [MAX AGE] · members · proposal N · parameters
func (p *player) show(words []string) (string, error) {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	var m proto.Message
	var ok bool
	switch arg(0) {
	case "account":
		m, ok = account.Get(p.View, p.names.add(arg(1)))
	case "freezes":
		var lines []string
		for _, f := range account.FreezesOf(p.View, p.names.add(arg(1))) {
			lines = append(lines, p.text(f.ProtoReflect()))
		}
		return strings.Join(lines, "\n"), nil
	case "recovery":
		m, ok = account.RecoveryOf(p.View, p.names.add(arg(1)), p.Now), true
	case "rule":
		m, ok = account.GetRule(p.View, p.names.add(arg(1)))
	case "proposed":
		id, err := strconv.ParseUint(arg(2), 10, 64)
		if err != nil {
			return "", err
		}
		m, ok = account.GetProposal(p.View, account.ProposalID{Account: p.names.add(arg(1)), Number: id})
	case "spent":
		return p.spent(arg(1), arg(2)), nil
	case "balance":
		available, held := asset.Balance(p.View, arg(1), p.names.add(arg(2)))
		return fmt.Sprintf("available=%s held=%s", available.Dec(), held.Dec()), nil
	case "asset":
		m, ok = asset.Get(p.View, arg(1))
	case "hold":
		id, err := p.bytes("hold", arg(1))
		if err != nil {
			return "", err
		}
		m, ok = asset.Hold(p.View, asset.HoldID(id))
	case "record":
		m, ok = record.Get(p.View, sha256.Sum256([]byte(arg(1))), p.names.add(arg(2)))
	case "device":
		m, ok = device.Get(p.View, p.names.add(arg(1)))
	case "commands":
		var lines []string
		for _, command := range device.Commands(p.View, p.names.add(arg(1))) {
			lines = append(lines, p.text(command.ProtoReflect()))
		}
		return strings.Join(lines, "\n"), nil
	case "firmware":
		number, err := strconv.ParseUint(arg(3), 10, 64)
		if err != nil {
			return "", err
		}
		m, ok = device.GetFirmware(p.View, device.Model{Maker: p.names.add(arg(1)), Name: arg(2)}, number)
	case "rely":
		ago, err := duration(arg(2))
		if err != nil {
			return "", err
		}
		r := device.Rely(p.View, p.names.add(arg(1)), p.Now-ago)
		return p.inWords(fmt.Sprintf("reason=%q confirmed=%t age=%s level=%s firmware=%d", r.Reason, r.Confirmed, time.Duration(r.Age)*time.Millisecond,
			strings.ToLower(r.Level.String()), r.Firmware)), nil
	case "feed":
		m, ok = stream.Get(p.View, arg(1))
	case "report":
		m, ok = stream.GetReport(p.View, arg(1), p.names.add(arg(2)))
	case "head":
		m, ok = stream.GetHead(p.View, p.names.add(arg(1)))
	case "quarantined":
		boot, err := strconv.ParseUint(arg(3), 10, 64)
		if err != nil {
			return "", err
		}
		sequence, err := strconv.ParseUint(arg(4), 10, 64)
		if err != nil {
			return "", err
		}
		m, ok = stream.GetQuarantined(p.View, arg(1), p.names.add(arg(2)), boot, sequence)
	case "value":
		return p.feedValue(arg(1), arg(2))
	case "members":
		var lines []string
		for _, member := range network.Members(p.View) {
			lines = append(lines, p.text(member.ProtoReflect()))
		}
		return strings.Join(lines, "\n"), nil
	case "proposal":
		id, err := strconv.ParseUint(arg(1), 10, 64)
		if err != nil {
			return "", err
		}
		m, ok = network.Proposal(p.View, id)
	case "parameters":
		m, ok = network.Parameters(p.View), true
	default:
		answer, known, err := p.showIdentity(arg)
		if !known {
			err = fmt.Errorf("cannot show %q", arg(0))
		}
		return answer, err
	}
	if !ok {
		return "none", nil
	}
	return p.text(m.ProtoReflect()), nil
}

// spent is what counts now against the limit per window of an account for an asset.
func (p *player) spent(name, asset string) string {
	rule, _ := account.GetRule(p.View, p.names.add(name))
	for _, l := range rule.GetLimits() {
		if l.GetAsset() == asset {
			spent := account.SpentInWindow(p.View, p.names.add(name), l, p.Now)
			return spent.Dec() + " of " + l.GetPerWindow()
		}
	}
	return "none"
}

// answer says what came of a transaction.
func (p *player) answer(r Result) string {
	if r.Err != nil {
		status := "failed"
		if r.Void {
			status = "void"
		}
		if r.Action > 0 {
			status += fmt.Sprintf(" at action %d", r.Action)
		}
		f := fault.As(r.Err)
		return fmt.Sprintf("%s %s: %s\n", status, f.Code, p.inWords(f.Message))
	}
	var b strings.Builder
	b.WriteString("ok\n")
	for _, e := range r.Events {
		b.WriteString("  " + p.event(e) + "\n")
	}
	return b.String()
}

func (p *player) event(e *ledgerv1.Event) string {
	if held := e.GetAssetHeld(); held != nil {
		p.names.holds++
		p.names.remember(held.GetHold(), fmt.Sprintf("h%d", p.names.holds))
	}
	if asked := e.GetDeviceChallenged(); asked != nil {
		p.names.nonces++
		p.names.remember(asked.GetNonce(), fmt.Sprintf("n%d", p.names.nonces))
	}
	if told := e.GetDeviceCommanded(); told != nil {
		p.names.commands++
		p.names.remember(told.GetCommand(), fmt.Sprintf("c%d", p.names.commands))
	}
	m := e.ProtoReflect()
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind"))
	name := strings.Replace(string(field.Name()), "_", ".", 1)
	return strings.TrimSpace(name + " " + p.text(m.Get(field).Message()))
}

// text writes the fields of a message that are set, in the order of the schema.
func (p *player) text(m protoreflect.Message) string {
	var words []string
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if !m.Has(field) {
			continue
		}
		v := m.Get(field)
		if !field.IsList() {
			words = append(words, fmt.Sprintf("%s=%s", field.Name(), p.word(field, v)))
			continue
		}
		for i := range v.List().Len() {
			words = append(words, fmt.Sprintf("%s=%s", field.Name(), p.word(field, v.List().Get(i))))
		}
	}
	return strings.Join(words, " ")
}

func (p *player) word(field protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch field.Kind() {
	case protoreflect.MessageKind:
		return "{" + p.text(v.Message()) + "}"
	case protoreflect.EnumKind:
		return strings.ToLower(string(field.Enum().Values().ByNumber(v.Enum()).Name()))
	case protoreflect.BytesKind:
		switch field.Name() {
		case "verdicts":
			return verdicts(v.Bytes())
		case "actions":
			if a, err := tx.DecodeAction(v.Bytes()); err == nil {
				return "{" + p.text(a.ProtoReflect()) + "}"
			}
		case "payload":
			return fmt.Sprintf("%.32q", v.Bytes())
		}
		if word := p.names.word(v.Bytes()); word != "" {
			return word
		}
		return fmt.Sprintf("%.8x", v.Bytes())
	case protoreflect.StringKind:
		if s := v.String(); strings.ContainsAny(s, " \"") {
			return strconv.Quote(s)
		}
	case protoreflect.Int64Kind:
		if name := string(field.Name()); strings.HasSuffix(name, "_at") || name == "since" || name == "until" || name == "deadline" {
			return p.names.clock(v.Int())
		}
	}
	return v.String()
}

// inWords puts names for the addresses, ids and digests in a message.
func (p *player) inWords(s string) string {
	for _, k := range p.names.list {
		written := fmt.Sprintf("%x", k.bytes)
		if len(k.bytes) == 20 {
			written = tx.Address(k.bytes).String()
		}
		s = strings.ReplaceAll(s, written, k.word)
	}
	return s
}
