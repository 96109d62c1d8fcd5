package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// maxProofFile bounds the file of a credential's status, in bytes.
const maxProofFile = 1 << 20

func credentialStatus(a *app) *cobra.Command {
	return parent("status", "The status of credentials", `Token Status Lists (draft-ietf-oauth-status-list-21) on the ledger: an entry of 1, 2, 4 or 8 bits for each credential. Everybody reads whole lists, so that nobody learns
which credential somebody looks at.`,
		statusOpen(a), statusSet(a), statusShow(a), statusVerify(a), statusToken(a))
}

func statusOpen(a *app) *cobra.Command {
	var by string
	var bits, entries uint32
	var f writeFlags
	cmd := &cobra.Command{
		Use: "open LIST", Short: "Open a status list", Args: cobra.ExactArgs(1),
		Long: `Opens a status list of your organisation, LIST a number from 1 on, with all entries valid. A list holds at most 128 KiB: 1,048,576 entries of one bit. The larger a list, the
less an entry says about who holds the credential. Two bits tell suspended from invalid.`,
		Example: "  dure credential status open 1 --bits 2 --entries 131072 --by gimpo",
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := parseNumber("LIST", args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.OpenStatusList(w.actor.address, number, bits, entries)
			w.done = fmt.Sprintf("Opened the status list %d of %s", number, w.actor)
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the issuer")
	cmd.Flags().Uint32Var(&bits, "bits", 1, "bits of an entry: 1, 2, 4 or 8")
	cmd.Flags().Uint32Var(&entries, "entries", 131072, "how many entries, a multiple of 8")
	f.register(a, cmd)
	return cmd
}

func parseNumber(what, text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, usagef("%s %q: want a whole number", what, text)
	}
	return uint32(n), nil
}

// statuses are the words for what the draft defines; any other is a number.
var statuses = []string{statuslist.Valid: "valid", statuslist.Invalid: "invalid", statuslist.Suspended: "suspended"}

func statusName(status uint32) string {
	if int(status) < len(statuses) {
		return statuses[status]
	}
	return strconv.FormatUint(uint64(status), 10)
}

func statusSet(a *app) *cobra.Command {
	var by, to string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "set LIST INDEX…", Short: "Set the status of credentials", Args: cobra.MinimumNArgs(2),
		Long: `Sets entries of a status list of yours, up to 4,096 at once, to one status: valid, invalid, suspended, or a number that you have given a meaning. It can be set again. You can set
it also when you have lost the right to issue.`,
		Example: "  dure credential status set 1 4711 --to invalid --by gimpo\n  dure credential status set 1 17 4711 90210 --to suspended --by gimpo",
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := parseNumber("LIST", args[0])
			if err != nil {
				return err
			}
			status, err := parseStatus(to)
			if err != nil {
				return err
			}
			var indexes []uint32
			for _, text := range args[1:] {
				index, err := parseNumber("INDEX", text)
				if err != nil {
					return err
				}
				indexes = append(indexes, index)
			}
			slices.Sort(indexes)
			indexes = slices.Compact(indexes)
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.SetCredentialStatus(w.actor.address, number, status, indexes...)
			w.done = fmt.Sprintf("Set %d of the status list %d to %s", len(indexes), number, statusName(status))
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the issuer")
	cmd.Flags().StringVar(&to, "to", "", "valid, invalid, suspended or a number (required)")
	must(cmd.MarkFlagRequired("to"))
	f.register(a, cmd)
	return cmd
}

func parseStatus(word string) (uint32, error) {
	if i := slices.Index(statuses, word); i >= 0 {
		return uint32(i), nil
	}
	n, err := strconv.ParseUint(word, 10, 8)
	if err != nil {
		return 0, usagef("--to %q: want valid, invalid, suspended, or a number to 255", word)
	}
	return uint32(n), nil
}

func statusShow(a *app) *cobra.Command {
	var issuer, out string
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "show LIST [INDEX]", Short: "Show a status list, or the status of one credential", Args: cobra.RangeArgs(1, 2),
		Long: `Reads the whole list from a node, which therefore does not learn which credential you look at. With --prove the status of one credential is proven to the file, verified from
what you trust: it can be verified again later, without a node, by dure credential status verify. Exit code 3 if the credential is not valid.`,
		Example: "  dure credential status show 1 --issuer gimpo\n  dure credential status show 1 4711 --issuer gimpo\n  dure credential status show 1 4711 --issuer gimpo --prove status.json --genesis genesis.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, c, err := a.askAbout(issuer)
			if err != nil {
				return err
			}
			ref := client.CredentialRef{Issuer: p.address}
			if ref.List, err = parseNumber("LIST", args[0]); err != nil {
				return err
			}
			if len(args) == 2 {
				if ref.Index, err = parseNumber("INDEX", args[1]); err != nil {
					return err
				}
			}
			switch {
			case out != "" && len(args) == 1:
				return usage("--prove is for one credential: say its INDEX")
			case out != "":
				return a.proveStatus(cmd, c, ref, out, from)
			}
			entries, shown, err := c.StatusList(cmd.Context(), ref.Issuer, ref.List)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.print(shown, func(w io.Writer) { a.printStatusList(w, entries, shown) })
			}
			status, ok := entries.Get(ref.Index)
			if !ok {
				return usagef("INDEX %d: the list has the entries 0 to %d", ref.Index, entries.Len()-1)
			}
			return a.sayStatus(ref, status, shown.GetHeight(), shown.GetTime())
		},
	}
	a.accountFlag(cmd, &issuer, "issuer", "whose list it is")
	cmd.Flags().StringVar(&out, "prove", "", "write a proof of the status to this file; it must not exist")
	from.register(cmd)
	return cmd
}

func (a *app) printStatusList(w io.Writer, l statuslist.List, shown *apiv1.GetStatusListResponse) {
	head := shown.GetStatusList()
	printFacts(w, []fact{{"issuer", a.short(head.GetIssuer())}, {"list", fmt.Sprint(head.GetList())}, {"entries", fmt.Sprint(head.GetSize()) + " of " + plural(int(head.GetBits()), "bit")},
		{"opened", head.GetOpenedAt()}, {"changed", head.GetChangedAt()}, {"as of", fmt.Sprintf("block %d, %s", shown.GetHeight(), shown.GetTime())}, {"lst", shown.GetLst()}})
	count := map[uint32]int{}
	for i := range l.Len() {
		status, _ := l.Get(i)
		count[status]++
	}
	for status := range uint32(1) << l.Bits {
		if n := count[status]; n > 0 {
			fmt.Fprintf(w, "%8d  %s\n", n, statusName(status))
		}
	}
}

// sayStatus prints the status of one credential. One that is not valid ends the program with exit code 3.
func (a *app) sayStatus(ref client.CredentialRef, status uint32, height int64, at string) error {
	shown := struct {
		Issuer string `json:"issuer"`
		List   uint32 `json:"list"`
		Index  uint32 `json:"index"`
		Status uint32 `json:"status"`
		Name   string `json:"name"`
		Height int64  `json:"height"`
		Time   string `json:"time"`
	}{ref.Issuer.String(), ref.List, ref.Index, status, statusName(status), height, at}
	err := a.print(shown, func(w io.Writer) {
		fmt.Fprintf(w, "%s: entry %d of the status list %d of %s.\n", strings.ToUpper(shown.Name), ref.Index, ref.List, a.short(shown.Issuer))
		printFacts(w, []fact{{"as of", fmt.Sprintf("block %d, %s", height, at)}})
	})
	if err != nil || status == statuslist.Valid {
		return err
	}
	return quietExit(exitNotVerified)
}

// statusFile is a credential's status with its proof, as dure credential status show --prove writes it.
type statusFile struct {
	Issuer string              `json:"issuer"`
	List   uint32              `json:"list"`
	Index  uint32              `json:"index"`
	Proof  *client.StatusProof `json:"proof"`
}

func (a *app) proveStatus(cmd *cobra.Command, c *client.Client, ref client.CredentialRef, out string, from anchorFlags) error {
	anchor, err := a.anchor(from)
	if err != nil {
		return err
	}
	p, status, err := c.ProveCredentialStatus(cmd.Context(), ref, anchor)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(statusFile{ref.Issuer.String(), ref.List, ref.Index, p})
	if err != nil {
		return err
	}
	if err := writeNew(out, append(raw, '\n'), 0o644); err != nil {
		return err
	}
	return a.sayStatus(ref, status.Status, status.Height, clockTime(status.Time))
}

func statusVerify(a *app) *cobra.Command {
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Verify the status of a credential without a node", Args: cobra.ExactArgs(1),
		Long: `Verifies a file that dure credential status show --prove wrote, from what you trust. It says what the status was in the block it is of; of what came later it knows nothing. Exit
code 3 if the file does not hold, or the credential is not valid.`,
		Example: "  dure credential status verify status.json --genesis genesis.json",
		RunE: func(_ *cobra.Command, args []string) error {
			raw, err := readSmall(args[0], maxProofFile)
			if err != nil {
				return err
			}
			var file statusFile
			if err := json.Unmarshal(raw, &file); err != nil || file.Proof == nil {
				return usage(args[0] + " is no proof of a credential's status")
			}
			issuer, err := tx.ParseAddress(file.Issuer)
			if err != nil {
				return usage(args[0] + ": " + err.Error())
			}
			anchor, err := a.anchor(from)
			if err != nil {
				return err
			}
			ref := client.CredentialRef{Issuer: issuer, List: file.List, Index: file.Index}
			status, err := client.VerifyCredentialStatus(ref, file.Proof, anchor)
			if err != nil {
				return notVerified(err, "")
			}
			return a.sayStatus(ref, status.Status, status.Height, clockTime(status.Time))
		},
	}
	from.register(cmd)
	return cmd
}
