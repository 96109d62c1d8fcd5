package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// described is an action being put into words.
type described struct {
	app    *app
	ctx    context.Context
	actor  string
	fields map[string]*structpb.Value
}

// text is a field as text; the API shows small numbers as numbers.
func (d described) text(name string) string {
	if n, ok := d.fields[name].GetKind().(*structpb.Value_NumberValue); ok {
		return strconv.FormatFloat(n.NumberValue, 'f', -1, 64)
	}
	return clean(d.fields[name].GetStringValue())
}

func (d described) account(name string) string { return d.app.short(d.fields[name].GetStringValue()) }

// proposed says what each action of a proposal does, which stands there as its actor and its call.
func (d described) proposed() []string {
	var out []string
	for _, item := range d.fields["actions"].GetListValue().GetValues() {
		action := &apiv1.Action{Actor: item.GetStructValue().GetFields()["actor"].GetStringValue()}
		for name, value := range item.GetStructValue().GetFields() {
			if name != "actor" {
				action.Call, action.Arguments = strings.Replace(name, "_", ".", 1), value.GetStructValue()
			}
		}
		out = append(out, d.app.actionText(d.ctx, action))
	}
	return out
}

// items is how many a list has.
func (d described) items(name string) int { return len(d.fields[name].GetListValue().GetValues()) }

func (d described) amount() string {
	return d.app.money(d.ctx, d.text("asset"), d.text("amount"))
}

// notes are memo and reference, if there are any.
func (d described) notes() string {
	out := ""
	if memo := d.text("memo"); memo != "" {
		out += fmt.Sprintf(", memo %q", memo)
	}
	if reference := d.text("reference"); reference != "" {
		out += fmt.Sprintf(", reference %q", reference)
	}
	return out
}

// words says what each call does. A call that is not here is shown with its arguments.
var words = map[string]func(described) string{
	"account.open": func(d described) string {
		return d.actor + " opens an account for the " + d.text("kind") + " key " + d.text("public_key")
	},
	"account.rotate_key": func(d described) string {
		return d.actor + " hands the account over to the " + d.text("kind") + " key " + d.text("public_key")
	},
	"account.freeze": func(d described) string {
		return d.actor + " freezes " + d.account("account") + " until " + d.text("ends_at") + " on the ground of " + groundText(strings.TrimPrefix(strings.ToLower(d.text("basis")), "basis_")) +
			suffix(": ", d.text("reason"))
	},
	"account.unfreeze": func(d described) string { return d.actor + " unfreezes " + d.account("account") },
	"account.appeal": func(d described) string {
		return d.actor + " appeals against its freeze: " + d.text("text")
	},
	"account.answer": func(d described) string {
		return d.actor + " answers the appeal of " + d.account("account") + ": " + d.text("text")
	},
	"account.recover": func(d described) string {
		return d.actor + " begins to recover " + d.account("account") + " to the " + d.text("kind") + " key " + d.text("public_key")
	},
	"account.agree_recovery": func(d described) string {
		return d.actor + " agrees to recover " + d.account("account") + " to the key " + d.text("key")
	},
	"account.object_recovery": func(d described) string {
		return d.actor + " ends the recovery of " + d.account("account") + " to the key " + d.text("key")
	},
	"account.finish_recovery": func(d described) string {
		return d.actor + " lets the key " + d.text("key") + " act for " + d.account("account") + ", which ends its recovery"
	},
	"account.set_sponsor": func(d described) string {
		return d.actor + " moves to the sponsor " + d.account("sponsor")
	},
	"account.set_rule": func(d described) string {
		rule := d.fields["rule"].GetStructValue()
		return d.actor + " will act by a rule over " + plural(len(rule.GetFields()["keys"].GetListValue().GetValues()), "key") + ":" + d.app.argumentText(rule)
	},
	"account.approve":  func(d described) string { return d.actor + " approves its proposal " + d.text("proposal") },
	"account.withdraw": func(d described) string { return d.actor + " withdraws from its proposal " + d.text("proposal") },
	"account.execute":  func(d described) string { return d.actor + " does its proposal " + d.text("proposal") },
	"account.lock":     func(d described) string { return d.actor + " locks itself: " + d.text("reason") },
	"account.unlock":   func(d described) string { return d.actor + " unlocks itself" },
	"asset.create": func(d described) string {
		return d.actor + " creates the asset " + d.text("asset") + " " + d.text("name")
	},
	"asset.issue": func(d described) string {
		return d.actor + " issues " + d.amount() + " to " + d.account("to") + d.notes()
	},
	"asset.transfer": func(d described) string {
		return d.actor + " pays " + d.amount() + " to " + d.account("to") + d.notes()
	},
	"asset.redeem": func(d described) string { return d.actor + " redeems " + d.amount() + d.notes() },
	"asset.hold": func(d described) string {
		arbiter := "the payer"
		if d.text("arbiter") != "" {
			arbiter = d.account("arbiter")
		}
		return d.actor + " sets aside " + d.amount() + " for " + d.account("payee") + " until " + d.text("expires_at") +
			", arbiter " + arbiter + d.notes()
	},
	"asset.release": func(d described) string {
		return d.actor + " ends the hold " + d.text("hold") + " and pays " + d.text("pay") + " smallest units of it"
	},
	"asset.pause":   func(d described) string { return d.actor + " pauses " + d.text("asset") },
	"asset.unpause": func(d described) string { return d.actor + " unpauses " + d.text("asset") },
	"record.add": func(d described) string {
		return fmt.Sprintf("%s records %q, SHA-256 %s", d.actor, d.text("title"), d.text("digest"))
	},
	"record.cosign": func(d described) string {
		return d.actor + " cosigns the record of " + d.account("recorder") + " of SHA-256 " + d.text("digest")
	},
	"record.withdraw": func(d described) string {
		return d.actor + " withdraws the record of SHA-256 " + d.text("digest") + ": " + d.text("reason")
	},
	"device.register_model": func(d described) string { return d.actor + " registers the model " + d.text("model") },
	"device.register_firmware": func(d described) string {
		return d.actor + " registers firmware " + d.text("number") + " (" + d.text("version") + ") of " + d.text("model") + ", SHA-256 " + d.text("digest")
	},
	"device.measure_firmware": func(d described) string {
		return d.actor + " says what a TPM quotes of firmware " + d.text("number") + " of " + d.text("model") + ": " + d.text("pcr_digest")
	},
	"device.withdraw_firmware": func(d described) string {
		return d.actor + " withdraws firmware " + d.text("number") + " of " + d.text("model") + ": " + d.text("reason")
	},
	"device.report_fault": func(d described) string {
		return d.actor + " makes known that firmware " + d.text("number") + " of " + d.text("model") + " has the fault " + d.text("id") + ": " + d.text("text")
	},
	"device.enrol": func(d described) string {
		return d.actor + " enrols " + d.account("device") + ", a " + d.text("model") + " of serial number " + d.text("serial") + ", for " + d.account("owner")
	},
	"device.challenge": func(d described) string { return d.actor + " asks " + d.account("device") + " for evidence" },
	"device.attest": func(d described) string {
		return d.actor + " says that it runs the firmware of SHA-256 " + d.text("firmware") + " since start " + d.text("boot")
	},
	"device.present":       func(d described) string { return d.actor + " passes on a device's evidence" },
	"device.present_quote": func(d described) string { return d.actor + " passes on a quote of the TPM of " + d.account("device") },
	"device.vouch": func(d described) string {
		if d.text("key") == "" {
			return d.actor + " vouches no more for the key of " + d.account("device")
		}
		return d.actor + " says of the key of " + d.account("device") + " that it is in hardware: " + d.text("hardware")
	},
	"device.set_attester": func(d described) string {
		return d.actor + " registers the key " + d.text("public_key") + " of the TPM of " + d.account("device")
	},
	"device.command": func(d described) string {
		return d.actor + " commands " + d.account("device") + ": " + d.text("kind")
	},
	"device.answer": func(d described) string { return d.actor + " answers a command" },
	"device.suspend": func(d described) string {
		return d.actor + " suspends " + d.account("device") + ": " + d.text("reason")
	},
	"device.readmit": func(d described) string {
		return d.actor + " readmits " + d.account("device") + ": " + d.text("reason")
	},
	"device.revoke": func(d described) string {
		return d.actor + " revokes " + d.account("device") + ": " + d.text("reason")
	},
	"device.transfer": func(d described) string {
		return d.actor + " gives " + d.account("device") + " to " + d.account("owner")
	},
	"stream.open":  func(d described) string { return d.actor + " opens the feed " + d.text("feed") },
	"stream.close": func(d described) string { return d.actor + " closes the feed " + d.text("feed") },
	"stream.admit": func(d described) string {
		return d.actor + " lets " + plural(d.items("devices"), "device") + " report to " + d.text("feed")
	},
	"stream.dismiss": func(d described) string {
		return d.actor + " dismisses " + plural(d.items("devices"), "device") + " from " + d.text("feed") + ": " + d.text("reason")
	},
	"stream.fund": func(d described) string {
		return d.actor + " gives the feed " + d.text("feed") + " " + d.text("amount") + " smallest units of its premium's asset"
	},
	"stream.anchor": func(d described) string {
		return d.actor + " anchors readings of " + plural(d.items("sources"), "device")
	},
	"stream.appeal": func(d described) string {
		return d.actor + " appeals for reading " + d.text("sequence") + " of start " + d.text("boot") + " of " + d.account("device") + ": " + d.text("reason")
	},
	"stream.decide": func(d described) string {
		return d.actor + " decides about reading " + d.text("sequence") + " of start " + d.text("boot") + " of " + d.account("device") + ": " + d.text("reason")
	},
	"stream.settle": func(d described) string {
		return d.actor + " has " + plural(d.items("devices"), "device") + " of " + d.text("feed") + " paid"
	},
}

// actionText says in words what an action does.
func (a *app) actionText(ctx context.Context, action *apiv1.Action) string {
	d := described{app: a, ctx: ctx, actor: a.short(action.GetActor()), fields: action.GetArguments().GetFields()}
	if action.GetCall() == "account.propose" {
		return d.actor + " proposes (" + d.text("reason") + "): " + strings.Join(d.proposed(), "; ")
	}
	if say := words[action.GetCall()]; say != nil {
		return say(d)
	}
	return d.actor + " " + action.GetCall() + a.argumentText(action.GetArguments())
}

// argumentText lists arguments in order of name.
func (a *app) argumentText(arguments *structpb.Struct) string {
	fields := arguments.GetFields()
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	out := ""
	for _, name := range names {
		value := a.short(fields[name].GetStringValue())
		if _, isText := fields[name].GetKind().(*structpb.Value_StringValue); !isText {
			raw, err := json.Marshal(fields[name].AsInterface())
			if err != nil {
				continue
			}
			value = clean(string(raw))
		}
		out += " " + name + "=" + value
	}
	return out
}

// dayOrTime reads a day, meant in local time, or an RFC 3339 time, for the API; empty stays empty.
func dayOrTime(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if day, err := time.ParseInLocation("2006-01-02", text, time.Local); err == nil {
		return clockTime(day), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return clockTime(at), nil
	}
	return "", usage(fmt.Sprintf("%q is no time: want a day such as 2026-11-01, or RFC 3339", text))
}
