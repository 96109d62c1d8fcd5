package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// fresh is how long what the ledger said of a device is taken for true without an event that says otherwise.
const fresh = 30 * time.Second

// roster is what is known of the devices that are here or were lately.
type roster struct {
	client *client.Client
	most   int

	mu      sync.Mutex
	devices map[tx.Address]standing
	asking  singleflight.Group
}

// standing is what the ledger last said of a device.
type standing struct {
	// key is the address of the key that may act for it.
	key     string
	revoked bool
	at      time.Time
}

// check says whether a key may speak for a device. Codes gateway.no_device, gateway.revoked, gateway.wrong_key; other errors
// mean that the network did not answer.
func (r *roster) check(ctx context.Context, device tx.Address, key tx.Key) error {
	s, ok := r.get(device)
	if !ok {
		var err error
		if s, err = r.ask(ctx, device); err != nil {
			return err
		}
	}
	return s.allows(device, key)
}

func (s standing) allows(device tx.Address, key tx.Key) error {
	switch {
	case s.revoked:
		return fault.New("gateway.revoked", "The device "+device.String()+" is revoked on the ledger, for good.", "device", device)
	case s.key != key.Address().String():
		return fault.New("gateway.wrong_key", fmt.Sprintf("The key of the certificate, %s, may not act for %s. Make the certificate with the device's own key: "+
			"dure device cert.", key.Address(), device), "device", device, "key", key.Address())
	}
	return nil
}

func (r *roster) get(device tx.Address) (standing, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.devices[device]
	return s, ok && time.Since(s.at) < fresh
}

// knows says whether a device was here, however long ago.
func (r *roster) knows(device tx.Address) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.devices[device]
	return ok
}

// forget makes the next check ask the ledger.
func (r *roster) forget(device tx.Address) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.devices[device]; ok {
		s.at = time.Time{}
		r.devices[device] = s
	}
}

func (r *roster) ask(ctx context.Context, device tx.Address) (standing, error) {
	asked, err, _ := r.asking.Do(string(device[:]), func() (any, error) {
		d, err := r.client.Device(ctx, device)
		if errors.Is(err, client.ErrNotFound) {
			return nil, fault.New("gateway.no_device", device.String()+" is no device on this ledger. Its maker has to enrol it.", "device", device)
		}
		if err != nil {
			return nil, err
		}
		account, err := r.client.Account(ctx, device)
		if err != nil {
			return nil, err
		}
		s := standing{key: account.GetKey(), revoked: d.GetState() == "revoked", at: time.Now()}
		r.put(device, s)
		return s, nil
	})
	if err != nil {
		return standing{}, err
	}
	return asked.(standing), nil
}

// put remembers a device and, when there are too many, forgets some other.
func (r *roster) put(device tx.Address, s standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.devices[device]; !ok && len(r.devices) >= r.most {
		for other := range r.devices {
			delete(r.devices, other)
			break
		}
	}
	r.devices[device] = s
}
