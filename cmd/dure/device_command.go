package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

func deviceCommand(a *app) *cobra.Command {
	var by, payload, expires string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "command DEVICE KIND", Short: "Tell a device to do something", Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeKeys,
		Long: `Puts a command for a device on the ledger, as its maker or owner. Its gateway hands it to the device with the receipt, which the device checks by
itself. What kinds there are, and what their payload means, is the device's to say; an update of the firmware is dure device update. Everybody who sees
the ledger sees the command.`,
		Example: "  dure device command car-81 unlock --expires 1h --by alice\n  dure device command car-81 limit --payload @limits.cbor --expires 30d --by alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			device, err := a.party(args[0])
			if err != nil {
				return err
			}
			content, err := readPayload(payload)
			if err != nil {
				return err
			}
			until, err := parseUntil(expires, a.now())
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.CommandDevice(w.actor.address, device.address, args[1], content, until)
			w.done = "Told " + device.String() + " to " + args[1]
			w.after = func(out io.Writer, o *apiv1.Outcome) {
				printFacts(out, []fact{{"command    ", eventField(o, "device.commanded", "command")}, {"expires    ", clockTime(until)}, {"next       ", "dure device commands " + args[0]}})
			}
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "its maker or owner")
	cmd.Flags().StringVar(&payload, "payload", "", "what goes with the command: text, or @FILE; at most 512 bytes, public")
	cmd.Flags().StringVar(&expires, "expires", "", "when the device shall not begin any more: 1h, 30d, or a time in RFC 3339; at most 30 days (required)")
	must(cmd.MarkFlagRequired("expires"))
	f.register(a, cmd)
	return cmd
}

const maxPayload = 512

func readPayload(text string) ([]byte, error) {
	file, ok := strings.CutPrefix(text, "@")
	if !ok {
		return []byte(text), nil
	}
	if _, err := os.Stat(file); err != nil {
		return nil, usage(err.Error())
	}
	return readSmall(file, maxPayload)
}

func deviceCommands(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "commands DEVICE", Short: "List what a device was told to do, and what it said of it", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Long:    "Lists the commands that the ledger keeps of a device, at most 16, the oldest first: without an answer (open, expired) or answered (done, failed).",
		Example: "  dure device commands car-81",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, c, err := a.askAbout(args[0])
			if err != nil {
				return err
			}
			d, err := c.Device(cmd.Context(), p.address)
			if err != nil {
				return err
			}
			return a.print(d, func(w io.Writer) { a.printCommands(w, p, d.GetCommands()) })
		},
	}
}

func (a *app) printCommands(w io.Writer, p party, commands []*apiv1.DeviceCommand) {
	if len(commands) == 0 {
		fmt.Fprintln(w, "No commands for "+p.String()+".")
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "COMMAND\tKIND\tPAYLOAD\tBY\tSENT\tEXPIRES\tSTATE\tNOTE")
	for _, c := range commands {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.GetCommand(), clean(c.GetKind()), payloadText(c), a.short(c.GetBy()), c.GetSentAt(), c.GetExpiresAt(), c.GetState(), clean(c.GetNote()))
	}
	_ = t.Flush()
}

// payloadText is a payload for people: an update, text, or hex digits.
func payloadText(c *apiv1.DeviceCommand) string {
	if u, err := client.ParseUpdate(c.GetPayload()); err == nil && c.GetKind() == client.KindUpdate {
		return fmt.Sprintf("firmware %d, %.8x…", u.Number, u.Digest)
	}
	text := string(c.GetPayload())
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		text = hex.EncodeToString(c.GetPayload())
	}
	if len(text) > 64 {
		text = strings.ToValidUTF8(text[:64], "") + "…"
	}
	return clean(text)
}
