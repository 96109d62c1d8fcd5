package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/certificate"
	"github.com/dureledger/dure/client/hardware"
	"github.com/dureledger/dure/ledger/reading"
)

// deviceKey is the key of a device that is in the keystore, in the form that signs readings.
func (a *app) deviceKey(device party, key string) (crypto.Signer, error) {
	if key == "" {
		key = device.address.String()
		if named := a.named(device.address); named.name != "" {
			key = named.name
		}
	}
	return unlockWith(a, key, a.openDeviceKey)
}

func deviceCert(a *app) *cobra.Command {
	var out, key string
	cmd := &cobra.Command{
		Use: "cert DEVICE", Short: "Write a device's certificate for TLS, and its key unless that is in hardware", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Long: `Writes OUT.pem, an X.509 certificate for the device's own key and signed by it, and OUT-key.pem, the key itself, unprotected (PKCS #8), for
clients of MQTT and CoAP. No authority is needed: a gateway asks the ledger whose key it is. The key is Ed25519 or P-256. It signs
for the device whatever it likes, so keep OUT-key.pem as you keep the device. Of a key in hardware there is no OUT-key.pem: dure device send and
the Go SDK use it where it is.`,
		Example: "  dure device cert car-81 -o car-81",
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.party(args[0])
			if err != nil {
				return err
			}
			signer, err := a.deviceKey(p, key)
			if err != nil {
				return err
			}
			shown, err := certificate.Make(p.address, signer)
			if err != nil {
				return err
			}
			if out == "" {
				out = args[0]
			}
			said := map[string]string{"device": p.address.String(), "certificate": out + ".pem"}
			wrote := out + ".pem"
			if _, hard := signer.(*hardware.Key); !hard {
				if err := writeSecret(out+"-key.pem", signer); err != nil {
					return err
				}
				said["key"] = out + "-key.pem"
				wrote += " and " + said["key"]
			}
			if err := writeNew(out+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shown}), 0o644); err != nil {
				return err
			}
			return a.print(said, func(w io.Writer) {
				fmt.Fprintln(w, "Wrote "+wrote+".")
				printFacts(w, []fact{{"device", p.String()}, {"client id", p.address.String()}})
			})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "beginning of the names of both files; they must not exist (default DEVICE)")
	keyFlag(a, cmd, &key)
	return cmd
}

// writeSecret writes a key itself, unprotected.
func writeSecret(file string, key crypto.Signer) error {
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	defer clear(secret)
	return writeNew(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
}

func keyFlag(a *app, cmd *cobra.Command, key *string) {
	cmd.Flags().StringVar(key, "key", "", "name of the device's key, when it is not the account's first")
	must(cmd.RegisterFlagCompletionFunc("key", a.completeKeys))
}

func deviceReading(a *app) *cobra.Command {
	var by, key, unit, at, out string
	r := &reading.Reading{}
	cmd := &cobra.Command{
		Use: "reading FEED VALUE", Short: "Sign a reading of a device into a file", Args: cobra.ExactArgs(2),
		Long: `Signs one reading for a feed with the device's key and writes it to a file, which any MQTT client can send to a gateway. docs/reading.md has the
format. BOOT counts the starts of the device and SEQUENCE its readings since then, both from 1; the ledger takes a number once and
in order alone, so count on from the last.`,
		Example: "  dure device reading speed.ring 52.3 --unit km/h --boot 4 --sequence 17 --by car-81 -o r.cbor\n" +
			"  mosquitto_pub -V 5 -h 127.0.0.1 -p 8883 --cafile gw.pem --cert car-81.pem --key car-81-key.pem -i 0x… -t dure/1/0x…/reading -q 1 -f r.cbor",
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			r.Feed, r.Unit = args[0], unit
			if r.Value, err = reading.ParseDecimal(args[1]); err != nil {
				return err
			}
			when := a.now()
			if at != "" {
				if when, err = time.Parse(time.RFC3339, at); err != nil {
					return usagef("--at %q: want a time such as 2026-11-22T09:30:00Z", at)
				}
			}
			r.Time = when.UnixMilli()
			p, err := a.self(by)
			if err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			network, err := c.Network(cmd.Context())
			if err != nil {
				return err
			}
			signer, err := a.deviceKey(p, key)
			if err != nil {
				return err
			}
			raw, err := reading.Sign(network, p.address, r, signer)
			if err != nil {
				return err
			}
			if out == "-" {
				_, err = a.out.Write(raw)
				return err
			}
			if err := writeNew(out, raw, 0o644); err != nil {
				return err
			}
			return a.print(map[string]any{"device": p.address.String(), "file": out, "bytes": len(raw)}, func(w io.Writer) {
				fmt.Fprintf(w, "Wrote %s, %d bytes.\n", out, len(raw))
				printFacts(w, []fact{{"reading", r.Value.String() + " " + clean(r.Unit) + " for " + r.Feed}, {"by", p.String()},
					{"start, sequence", strconv.FormatUint(r.Boot, 10) + ", " + strconv.FormatUint(r.Sequence, 10)}, {"taken", when.UTC().Format(time.RFC3339)}})
			})
		},
	}
	a.actorFlag(cmd, &by, "by", "the device")
	keyFlag(a, cmd, &key)
	cmd.Flags().StringVar(&unit, "unit", "", "the feed's unit, as SenML writes it, such as km/h (required)")
	cmd.Flags().Uint64Var(&r.Boot, "boot", 0, "how often the device has been started (required)")
	cmd.Flags().Uint64Var(&r.Sequence, "sequence", 0, "the reading's number since that start (required)")
	cmd.Flags().StringVar(&at, "at", "", "when it was measured, RFC 3339 (default: now)")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write, which must not exist; - is standard output (required)")
	for _, name := range []string{"unit", "boot", "sequence", "out"} {
		must(cmd.MarkFlagRequired(name))
	}
	return cmd
}
