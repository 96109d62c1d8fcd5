package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
)

func deviceSend(a *app) *cobra.Command {
	var by, key, gateway, authority string
	cmd := &cobra.Command{
		Use: "send FILE", Short: "Send a signed reading to a gateway", Args: cobra.ExactArgs(1),
		Long: `Sends a reading that dure device reading signed to a gateway and waits until it is committed. The connection is made with the device's
key where it is: in the keystore, a TPM or a token. Exit code 1 when it was refused or is not known to be committed; send the same file again
then, it counts once.`,
		Example: "  dure device reading speed.ring 52.3 --unit km/h --boot 4 --sequence 17 --by car-81 -o r.cbor\n" +
			"  dure device send r.cbor --gateway 127.0.0.1:8883 --gateway-ca gw.pem --by car-81",
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readSmall(args[0], reading.MaxBytes)
			if err != nil {
				return err
			}
			r, err := reading.Parse(raw)
			if err != nil {
				return err
			}
			p, err := a.self(by)
			if err != nil {
				return err
			}
			roots, err := readAuthorities(authority)
			if err != nil {
				return err
			}
			signer, err := a.deviceKey(p, key)
			if err != nil {
				return err
			}
			said, err := device.Send(cmd.Context(), device.Config{
				Address: p.address, Key: signer, Gateway: gateway, TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			}, "reading", raw)
			if refusal := (*fault.Error)(nil); errors.As(err, &refusal) {
				return err
			}
			if err != nil {
				return failed(err.Error(), "Send the same file again: it counts once.")
			}
			if !said.Committed {
				return failed("The gateway refused the reading: "+said.Said, "")
			}
			return a.print(map[string]any{"device": p.address.String(), "boot": r.Boot, "sequence": r.Sequence, "committed": true, "said": said.Said}, func(w io.Writer) {
				fmt.Fprintf(w, "Committed: reading %d.%d of %s is %s.\n", r.Boot, r.Sequence, p, clean(said.Said))
			})
		},
	}
	a.actorFlag(cmd, &by, "by", "the device")
	keyFlag(a, cmd, &key)
	cmd.Flags().StringVar(&gateway, "gateway", "", "a gateway's door: mqtts://HOST:PORT, coaps://HOST:PORT, or HOST:PORT, which is MQTT's (required)")
	cmd.Flags().StringVar(&authority, "gateway-ca", "", "PEM file of who vouches for the gateway, or its own certificate (default: the system's authorities)")
	must(cmd.MarkFlagRequired("gateway"))
	return cmd
}

// readAuthorities reads certificates in PEM; without a file the system's count.
func readAuthorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	content, err := readSmall(file, 1<<20)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return nil, usagef("%s has no certificates in PEM", file)
	}
	return roots, nil
}
