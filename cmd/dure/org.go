package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
)

func newOrg(a *app) *cobra.Command {
	return parent("org", "Organisations", `Members are organisations by being members. Others, such as licensed firms, public bodies and shops, are admitted by a member, or by the
members' vote. An organisation registers schemas of credentials, may be given the right to issue them, and opens status lists.`,
		orgList(a), orgShow(a), orgAdmit(a), orgContact(a), orgDismiss(a), orgService(a))
}

func orgList(a *app) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List organisations", Args: cobra.NoArgs, Example: "  dure org list\n  dure org list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.ledger()
			if err != nil {
				return err
			}
			return list[*apiv1.Organisation]{
				heading: []string{"NAME", "KIND", "ACCOUNT", "SINCE", "ADMITTED BY"}, none: "No organisations.", limit: limit,
				row: func(o *apiv1.Organisation) []string {
					return []string{clean(o.GetName()), organisationKind(o), a.short(o.GetAccount()), o.GetSince(), a.admitter(o)}
				},
			}.show(a, c.Organisations(cmd.Context()))
		},
	}
	limitFlag(cmd, &limit)
	return cmd
}

// organisationKind is what an organisation is, or that it is none any more.
func organisationKind(o *apiv1.Organisation) string {
	kind := strings.ReplaceAll(clean(o.GetKind()), "_", " ")
	if o.GetDismissedAt() != "" {
		return "dismissed (" + kind + ")"
	}
	return kind
}

func (a *app) admitter(o *apiv1.Organisation) string {
	switch {
	case o.GetKind() == "member":
		return ""
	case o.GetAdmittedBy() == "":
		return "the members' vote"
	}
	return a.short(o.GetAdmittedBy())
}

func orgShow(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "show ORGANISATION", Short: "Show an organisation, what it may issue, and its status lists", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Example: "  dure org show gimpo",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, c, err := a.askAbout(args[0])
			if err != nil {
				return err
			}
			o, err := c.Organisation(cmd.Context(), p.address)
			if err != nil {
				return err
			}
			shown := struct {
				Organisation *apiv1.Organisation `json:"organisation"`
				Rights       []*apiv1.Right      `json:"rights"`
				StatusLists  []*apiv1.StatusList `json:"status_lists"`
			}{Organisation: o}
			for right, err := range c.RightsOf(cmd.Context(), p.address) {
				if err != nil {
					return err
				}
				shown.Rights = append(shown.Rights, right)
			}
			for l, err := range c.StatusLists(cmd.Context(), p.address) {
				if err != nil {
					return err
				}
				shown.StatusLists = append(shown.StatusLists, l)
			}
			return a.print(shown, func(w io.Writer) {
				facts := []fact{{"organisation", clean(o.GetName())}, {"account", p.String()}, {"kind", organisationKind(o)}, {"contact", clean(o.GetContact())},
					{"admitted by", a.admitter(o)}, {"since", o.GetSince()}, {"dismissed", joined(o.GetDismissedAt(), o.GetDismissReason())}}
				for _, right := range shown.Rights {
					facts = append(facts, fact{"may issue", clean(right.GetSchema()) + " " + a.rightText(right)})
				}
				for _, l := range shown.StatusLists {
					facts = append(facts, fact{"status list", fmt.Sprintf("%d: %d entries of %s, set %s%s", l.GetList(), l.GetSize(), plural(int(l.GetBits()), "bit"),
						plural(int(l.GetVersion()), "time"), after(", last ", l.GetChangedAt()))})
				}
				printFacts(w, facts)
			})
		},
	}
	return cmd
}

// joined is a time and why, empty if there is no time.
func joined(at, why string) string {
	if at == "" {
		return ""
	}
	return at + ", " + why
}

// after is text behind a lead, empty if there is none.
func after(lead, text string) string {
	if text == "" {
		return ""
	}
	return lead + text
}

// rightText says in one line until when a right holds and who gave it, or why it does not hold.
func (a *app) rightText(r *apiv1.Right) string {
	giver := "the members"
	if r.GetGiver() != "" {
		giver = a.short(r.GetGiver())
	}
	if !r.GetEffective() {
		return "NOT NOW: " + clean(r.GetWhyNot())
	}
	text := "until " + r.GetEndsAt() + ", by " + giver
	if r.GetDepth() > 0 {
		text += fmt.Sprintf(", may be passed on %s", plural(int(r.GetDepth()), "time"))
	}
	return text
}

// kinds are what an organisation may be admitted as.
var kinds = map[string]identityv1.Kind{
	"firm": identityv1.Kind_KIND_LICENSED_FIRM, "public-body": identityv1.Kind_KIND_PUBLIC_BODY, "association": identityv1.Kind_KIND_ASSOCIATION,
	"school": identityv1.Kind_KIND_SCHOOL, "medical": identityv1.Kind_KIND_MEDICAL, "shop": identityv1.Kind_KIND_SHOP,
}

const kindWords = "firm, public-body, association, school, medical or shop"

func orgAdmit(a *app) *cobra.Command {
	var by, name, kind, contact, sponsor, sponsorKey string
	var vote bool
	var f writeFlags
	cmd := &cobra.Command{
		Use: "admit ACCOUNT", Short: "Admit an organisation", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Long: `Makes an account an organisation that you, a member, license. Its account must be open (dure account open), and its key signs too; or that of the
member that sponsors it: --sponsor. Whoever admits it and sponsors it signs alone. With --vote it is proposed to the members instead. Name and contact are public, of
the organisation, and stay in the history: nothing about a person belongs there.`,
		Example: "  dure org admit gimpo --name 김포시 --kind public-body --contact https://www.gimpo.go.kr --by bank\n  dure org admit bakery --name 'Gimpo Bakery' --kind shop --by bank --vote",
		RunE: func(cmd *cobra.Command, args []string) error {
			is, ok := kinds[kind]
			if !ok {
				return usagef("--kind %q: want %s", kind, kindWords)
			}
			account, err := a.party(args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			if vote {
				a.decide(w, &identityv1.Decision{Kind: &identityv1.Decision_Admit{Admit: &identityv1.Admit{
					Account: account.address[:], Name: name, Kind: is, Contact: contact}}}, "admit "+name)
				return a.finish(cmd.Context(), &f, w)
			}
			if w.signers, err = a.agreeing(cmd.Context(), w.actor, account, "an organisation", sponsor, sponsorKey); err != nil {
				return err
			}
			w.draft.AdmitOrganisation(w.actor.address, account.address, name, is, contact)
			w.done = "Admitted " + name + " (" + account.String() + ")"
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the member that admits")
	cmd.Flags().StringVar(&name, "name", "", "name of the organisation, public, 1 to 64 bytes (required)")
	cmd.Flags().StringVar(&kind, "kind", "", kindWords+" (required)")
	cmd.Flags().StringVar(&contact, "contact", "", "an https page, public")
	cmd.Flags().StringVar(&sponsor, "sponsor", "", "the member that signs for the account (default: the account signs)")
	cmd.Flags().StringVar(&sponsorKey, "sponsor-key", "", "name of the key to sign with for the sponsor, when it is not the account's own")
	voteFlag(cmd, &vote)
	for _, required := range []string{"name", "kind"} {
		must(cmd.MarkFlagRequired(required))
	}
	f.register(a, cmd)
	return cmd
}

func voteFlag(cmd *cobra.Command, vote *bool) {
	cmd.Flags().BoolVar(vote, "vote", false, "propose it to the members, who vote with dure network vote")
}

// decide makes of a writing a proposal to the members.
func (a *app) decide(w *writing, decision *identityv1.Decision, what string) {
	w.draft.Decide(w.actor.address, decision)
	w.done = w.actor.String() + " proposed to " + what
	w.after = a.printProposal
}

func orgContact(a *app) *cobra.Command {
	var by string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "contact [PAGE]", Short: "Say where you are reached", Args: cobra.MaximumNArgs(1),
		Long:    "Replaces the contact of your organisation by an https page, or takes it away.",
		Example: "  dure org contact https://bank.example/contact --by bank",
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			page := strings.Join(args, "")
			w.draft.DescribeOrganisation(w.actor.address, page)
			w.done = "The contact of " + w.actor.String() + " is " + page
			if page == "" {
				w.done = w.actor.String() + " has no contact any more"
			}
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the organisation")
	f.register(a, cmd)
	return cmd
}

func orgDismiss(a *app) *cobra.Command {
	var by, reason string
	var vote bool
	var f writeFlags
	cmd := &cobra.Command{
		Use: "dismiss ORGANISATION", Short: "End that an account is an organisation", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Long: `For the member that admitted it, or the organisation itself; with --vote for all members. Its rights to issue end with it, and what it attested. They do not come
back when it is admitted again.`,
		Example: "  dure org dismiss bakery --reason ended --by bank\n  dure org dismiss bakery --reason breach --by insurer --vote",
		RunE: func(cmd *cobra.Command, args []string) error {
			why, err := readReason(reason)
			if err != nil {
				return err
			}
			account, err := a.party(args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			if vote {
				a.decide(w, &identityv1.Decision{Kind: &identityv1.Decision_Dismiss{Dismiss: &identityv1.Dismiss{Account: account.address[:], Reason: why}}}, "dismiss "+account.String())
			} else {
				w.draft.DismissOrganisation(w.actor.address, account.address, why)
				w.done = account.String() + " is no organisation any more"
			}
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who ends it")
	whyFlag(cmd, &reason)
	voteFlag(cmd, &vote)
	f.register(a, cmd)
	return cmd
}

const reasonWords = "ended, requested, mistake, breach or compromised"

func whyFlag(cmd *cobra.Command, reason *string) {
	cmd.Flags().StringVar(reason, "reason", "", reasonWords+" (required)")
	must(cmd.MarkFlagRequired("reason"))
}

func readReason(word string) (identityv1.Reason, error) {
	n, ok := identityv1.Reason_value["REASON_"+strings.ToUpper(word)]
	if !ok || n == 0 {
		return 0, usagef("--reason %q: want %s", word, reasonWords)
	}
	return identityv1.Reason(n), nil
}
