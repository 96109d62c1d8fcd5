package consensus

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/p2p"
)

// lines is a log to look into.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), s)
}

// A peer from which nothing arrives loses its connection, and the log says so; one that gives signs of life keeps it
// for as long as it likes.
func TestSilentPeer(t *testing.T) {
	log := &lines{}
	switches := pulsing(t, log, 20*time.Millisecond, time.Hour)
	within(t, "a silent peer stays connected", func() bool { return switches[0].Peers().Size() == 0 && log.has("nothing arrives") })

	switches = pulsing(t, &lines{}, 20*time.Millisecond, 20*time.Millisecond)
	first := switches[0].Peers().Copy()[0]
	began := first.Status().RecvMonitor.Bytes
	within(t, "peers do not give signs of life", func() bool { return first.Status().RecvMonitor.Bytes > began+10*4*silentPulses })
	if switches[0].Peers().Size() != 1 || switches[1].Peers().Size() != 1 {
		t.Error("peers that give signs of life were parted")
	}
}

// pulsing connects two reactors that give signs of life each at its pace.
func pulsing(t *testing.T, log io.Writer, every ...time.Duration) []*p2p.Switch {
	t.Helper()
	switches := p2p.MakeConnectedSwitches(cmtcfg.DefaultP2PConfig(), len(every), func(i int, sw *p2p.Switch) *p2p.Switch {
		r := newReactor(&counter{shelf: newShelf(nil), accepted: map[Hash]int{}}, slog.New(slog.NewTextHandler(log, nil)))
		r.pulseEvery = every[i]
		sw.AddReactor("DURE", r)
		return sw
	}, p2p.Connect2Switches)
	t.Cleanup(func() {
		for _, sw := range switches {
			if err := sw.Stop(); err != nil {
				t.Error(err)
			}
		}
	})
	return switches
}
