package coap

import (
	"bytes"
	"sync"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/udp/client"
	"github.com/plgd-dev/go-coap/v3/udp/coder"
)

// remembered is how many answers are kept for each connection, for requests that come again under the same message id.
const remembered = 64

// memory has the latest answers of a connection. It implements client.MessageCache. What is forgotten too soon is asked again, which doubles
// nothing: a reading counts once by its number, a transaction by its id.
type memory struct {
	mu      sync.Mutex
	answers [remembered]kept
	next    int
}

type kept struct {
	key string
	raw []byte
	at  time.Time
}

// Load implements client.MessageCache.
func (m *memory) Load(key string, msg *pool.Message) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.find(key)
	if k == nil {
		return false, nil
	}
	_, err := msg.UnmarshalWithDecoder(coder.DefaultCoder, k.raw)
	return err == nil, err
}

func (m *memory) find(key string) *kept {
	for i := range m.answers {
		if k := &m.answers[i]; k.key == key && time.Since(k.at) < client.ExchangeLifetime {
			return k
		}
	}
	return nil
}

// Store implements client.MessageCache. The first answer to a request stays its answer.
func (m *memory) Store(key string, msg *pool.Message) error {
	raw, err := msg.MarshalWithEncoder(coder.DefaultCoder)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.find(key) == nil {
		m.answers[m.next] = kept{key, bytes.Clone(raw), time.Now()}
		m.next = (m.next + 1) % remembered
	}
	return nil
}

// CheckExpirations implements client.MessageCache: what is old goes when others come.
func (m *memory) CheckExpirations(time.Time) {}
