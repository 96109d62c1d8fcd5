package device

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/dureledger/dure/client"
)

// Update is how a device takes a new firmware that its maker or owner tells it to run.
type Update struct {
	// Fetch gets the image of a firmware, from wherever the maker has it, into a file. What it gets need not be trusted.
	Fetch func(ctx context.Context, u client.Update) (file string, err error)
	// Install makes an image, whose SHA-256 is the one commanded, what the device runs. It may start the device anew before it
	// returns: the next start finds by Measure that the update is done.
	Install func(ctx context.Context, u client.Update, file string) error
}

// update fetches, checks and installs a firmware. Doing it again does no harm, so one that was begun is done once more.
func (d *Device) update(ctx context.Context, k Command, begun bool) (string, error) {
	u, err := client.ParseUpdate(k.Payload)
	if err != nil {
		return "", err
	}
	running, err := d.cfg.Measure(ctx)
	if err != nil {
		return "", fmt.Errorf("measuring the firmware: %w", err)
	}
	if running == u.Digest {
		if begun {
			return fmt.Sprintf("runs firmware %d", u.Number), nil
		}
		return fmt.Sprintf("runs firmware %d already", u.Number), nil
	}
	file, err := d.cfg.Update.Fetch(ctx, u)
	if err != nil {
		return "", fmt.Errorf("fetching the image: %w", err)
	}
	if err := checkImage(file, u.Digest); err != nil {
		return "", err
	}
	if err := d.cfg.Update.Install(ctx, u, file); err != nil {
		return "", fmt.Errorf("installing: %w", err)
	}
	return fmt.Sprintf("installed firmware %d", u.Number), nil
}

func checkImage(file string, want [32]byte) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("the image: %w", err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("the image: %w", err)
	}
	if got := h.Sum(nil); [32]byte(got) != want {
		return fmt.Errorf("the image that was fetched has the SHA-256 %x, not the one commanded; it is not installed", got)
	}
	return nil
}
