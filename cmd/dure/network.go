package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
)

func newNetwork(a *app) *cobra.Command {
	return parent("network", "Members, validators and parameters, and votes on them", `The network is changed by vote: a member proposes a change, and it takes effect when more than two thirds of the members have
voted for it.`,
		networkShow(a), networkPropose(a), networkVote(a), networkProposals(a))
}

func networkShow(a *app) *cobra.Command {
	var genesisOut string
	cmd := &cobra.Command{
		Use: "show", Short: "Show members, validators and parameters", Args: cobra.NoArgs,
		Long:    "Shows members, validators and parameters, and the evidence that the ledger holds against validators that signed twice. With --genesis it writes the genesis file, checked against the network id.",
		Example: "  dure network show\n  dure network show --genesis genesis.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.ledger()
			if err != nil {
				return err
			}
			n, err := c.NetworkInfo(cmd.Context())
			if err != nil {
				return err
			}
			if genesisOut != "" {
				if err := a.saveGenesis(genesisOut, n); err != nil {
					return err
				}
			}
			return a.print(n, func(w io.Writer) {
				printFacts(w, []fact{{"network", n.GetNetwork()}, {"genesis", genesisOut}})
				printMembers(w, a, n.GetMembers())
				for _, v := range n.GetFormerValidators() {
					fmt.Fprintf(w, "former  validator %s of %s\n", clean(v.GetValidator()), a.formerMember(v))
					printMisbehaviours(w, v.GetMisbehaviours(), v.GetMisbehaviourCount())
				}
				fmt.Fprintln(w)
				printFacts(w, parameterFacts(n.GetParameters()))
			})
		},
	}
	cmd.Flags().StringVar(&genesisOut, "genesis", "", "write the genesis file here; it must not exist")
	return cmd
}

func printMembers(w io.Writer, a *app, members []*apiv1.Member) {
	for _, m := range members {
		power := "does not validate"
		if m.GetPower() > 0 {
			power = "power " + strconv.FormatInt(m.GetPower(), 10)
		}
		fmt.Fprintf(w, "member  %s  %s, %s, %d void\n", a.short(m.GetAddress()), clean(m.GetName()), power, m.GetVoids())
		printMisbehaviours(w, m.GetMisbehaviours(), m.GetMisbehaviourCount())
	}
}

// printMisbehaviours shows what the ledger holds against a validator, the latest last.
func printMisbehaviours(w io.Writer, known []*apiv1.Misbehaviour, count uint64) {
	if more := count - min(count, uint64(len(known))); more > 0 {
		fmt.Fprintf(w, "        misbehaved %d times before what follows\n", more)
	}
	for _, m := range known {
		what := clean(m.GetKind())
		if what == "duplicate_vote" {
			what = "signed two votes"
		}
		fmt.Fprintf(w, "        misbehaved: %s for block %d at %s; the evidence is in block %d\n", what, m.GetHeight(), clean(m.GetTime()), m.GetRecordedAt())
	}
}

// formerMember names the member whose validator it was.
func (a *app) formerMember(v *apiv1.FormerValidator) string {
	if v.GetMember() == "" {
		return "a member that had left"
	}
	return a.short(v.GetMember())
}

func parameterFacts(s *structpb.Struct) []fact {
	var out []fact
	for name, value := range s.GetFields() {
		if list := value.GetListValue().GetValues(); len(list) > 0 {
			for _, one := range list {
				out = append(out, fact{name, clean(one.GetStringValue())})
			}
			continue
		}
		text := value.GetStringValue()
		if text == "" {
			raw, err := value.MarshalJSON()
			if err != nil {
				continue
			}
			text = string(raw)
		}
		out = append(out, fact{name, clean(text)})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].name < out[j].name })
	return out
}

// change is what network propose proposes: exactly one of its fields.
type change struct {
	addMember, removeMember, power string
	set                            []string
}

func networkPropose(a *app) *cobra.Command {
	var by string
	var ch change
	var f writeFlags
	cmd := &cobra.Command{
		Use: "propose", Short: "Propose a change and vote for it", Args: cobra.NoArgs,
		Example: `  dure network propose --by bank --add-member member.json
  dure network propose --by bank --power 0x8ba1…BA72=20
  dure network propose --by bank --set window_ms=90000 --set max_tx_bytes=32768`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			proposed, what, err := a.readChange(cmd, ch)
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.Propose(w.actor.address, proposed)
			w.done = w.actor.String() + " proposed to " + what
			w.after = func(out io.Writer, o *apiv1.Outcome) {
				if id, ok := proposalOf(o); ok {
					printFacts(out, []fact{{"proposal   ", strconv.FormatUint(id, 10)}})
				}
			}
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the member that proposes")
	cmd.Flags().StringVar(&ch.addMember, "add-member", "", "take in the member of this card (member.json, made by dure init)")
	cmd.Flags().StringVar(&ch.removeMember, "remove-member", "", "remove this member: address or name of a key")
	cmd.Flags().StringVar(&ch.power, "power", "", "set voting power: MEMBER=POWER; 0: does not validate")
	cmd.Flags().StringArrayVar(&ch.set, "set", nil, "set a parameter, NAME=VALUE, the others stay; may be repeated")
	cmd.MarkFlagsOneRequired("add-member", "remove-member", "power", "set")
	cmd.MarkFlagsMutuallyExclusive("add-member", "remove-member", "power", "set")
	f.register(a, cmd)
	return cmd
}

// proposalOf is the number that an outcome gives a new proposal.
func proposalOf(o *apiv1.Outcome) (uint64, bool) {
	for _, e := range o.GetEvents() {
		if e.GetName() == "network.proposed" {
			id, ok := e.GetFields().AsMap()["proposal"].(float64)
			return uint64(id), ok
		}
	}
	return 0, false
}

// readChange makes a change of the flags and says what it is.
func (a *app) readChange(cmd *cobra.Command, ch change) (*networkv1.Change, string, error) {
	switch {
	case ch.addMember != "":
		card, err := readSmall(ch.addMember, 64<<10)
		if err != nil {
			return nil, "", err
		}
		m := &networkv1.Member{}
		if err := protojson.Unmarshal(card, m); err != nil {
			return nil, "", usage(ch.addMember + " is no member's card: " + err.Error())
		}
		return &networkv1.Change{Kind: &networkv1.Change_AddMember{AddMember: m}}, "take in " + m.GetName(), nil
	case ch.removeMember != "":
		p, err := a.party(ch.removeMember)
		return &networkv1.Change{Kind: &networkv1.Change_RemoveMember{RemoveMember: p.address[:]}}, "remove " + p.String(), err
	case ch.power != "":
		name, number, _ := strings.Cut(ch.power, "=")
		p, err := a.party(name)
		if err != nil {
			return nil, "", err
		}
		power, err := strconv.ParseInt(number, 10, 64)
		if err != nil || power < 0 {
			return nil, "", usagef("--power %q: want MEMBER=POWER, the power a number from 0", ch.power)
		}
		return &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: p.address[:], Power: power}}},
			fmt.Sprintf("set the power of %s to %d", p, power), nil
	}
	c, err := a.ledger()
	if err != nil {
		return nil, "", err
	}
	n, err := c.NetworkInfo(cmd.Context())
	if err != nil {
		return nil, "", err
	}
	parameters, err := changeParameters(n.GetParameters(), ch.set)
	if err != nil {
		return nil, "", err
	}
	return &networkv1.Change{Kind: &networkv1.Change_SetParameters{SetParameters: parameters}}, "set " + strings.Join(ch.set, ", "), nil
}

// changeParameters applies NAME=VALUE settings to the network's parameters.
func changeParameters(now *structpb.Struct, settings []string) (*networkv1.Parameters, error) {
	object := now.AsMap()
	fields := (&networkv1.Parameters{}).ProtoReflect().Descriptor().Fields()
	for _, setting := range settings {
		name, value, ok := strings.Cut(setting, "=")
		f := fields.ByName(protoreflect.Name(name))
		if !ok || f == nil {
			return nil, usagef("--set %q: want NAME=VALUE with a parameter's name; dure network show lists them", setting)
		}
		object[name] = value
		if f.IsList() {
			object[name] = strings.FieldsFunc(value, separator)
		}
	}
	raw, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	p := &networkv1.Parameters{}
	if err := protojson.Unmarshal(raw, p); err != nil {
		return nil, usage("--set: " + err.Error())
	}
	return p, nil
}

func networkVote(a *app) *cobra.Command {
	var by string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "vote PROPOSAL", Short: "Vote for a proposal", Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		Example: "  dure network proposals\n  dure network vote 3 --by bank",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return usagef("proposal %q: want its number, as dure network proposals lists it", args[0])
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.Vote(w.actor.address, id)
			w.done = fmt.Sprintf("%s voted for proposal %d", w.actor, id)
			w.after = func(out io.Writer, o *apiv1.Outcome) {
				for _, e := range o.GetEvents() {
					if e.GetName() == "network.enacted" {
						fmt.Fprintln(out, "With this vote it is decided and takes effect.")
					}
				}
			}
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the member that votes")
	f.register(a, cmd)
	return cmd
}

func networkProposals(a *app) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "proposals", Short: "List proposals", Args: cobra.NoArgs, Example: "  dure network proposals",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.ledger()
			if err != nil {
				return err
			}
			return list[*apiv1.Proposal]{
				heading: []string{"ID", "STATE", "VOTES", "PROPOSER", "EXPIRES", "CHANGE"}, none: "No proposals.", limit: limit,
				row: func(p *apiv1.Proposal) []string {
					return []string{strconv.FormatUint(p.GetId(), 10), p.GetState(), strconv.Itoa(len(p.GetVotes())), a.short(p.GetProposer()),
						p.GetExpiresAt(), strings.TrimSpace(a.argumentText(p.GetChange()))}
				},
			}.show(a, c.Proposals(cmd.Context()))
		},
	}
	limitFlag(cmd, &limit)
	return cmd
}
