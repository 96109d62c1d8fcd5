package torture

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/dureledger/dure/internal/ports"
)

// fabric is what the members' nodes stand on and are joined by.
type fabric interface {
	// listen gives member i the addresses of its API and for its peers.
	listen(i int) (api, p2p string)
	// peer is the address at which one member finds another.
	peer(from, to int) string
	// command prepares a program that runs where member i is.
	command(i int, program string, args ...string) *exec.Cmd
	// dial connects a client to the API of member i.
	dial(ctx context.Context, i int, address string) (net.Conn, error)
	// cut parts the members of side from all others, so that nothing passes between.
	cut(side []int, style cutStyle) error
	// weather makes all links bad.
	weather(w weather) error
	// heal ends cuts and bad weather.
	heal() error
	// close gives everything back.
	close() error
}

// cutStyle is how a cut shows.
type cutStyle string

const (
	// silent: connections stay and nothing arrives, as when a cable is pulled.
	silent cutStyle = "silent"
	// refusing: connections break and new ones are refused, as by a firewall.
	refusing cutStyle = "refusing"
)

// weather is how bad links are. A fabric does what it can: proxies all but the rate, namespaces the rate alone, which
// loses packets when more is sent.
type weather struct {
	// delay of everything, one way, and up to how much more by chance.
	delay, jitter time.Duration
	// stall is the chance that a piece of up to 32 KiB comes stallFor later, as after lost packets.
	stall    float64
	stallFor time.Duration
	// drop is the chance that a piece breaks its connection.
	drop float64
	// rate of each member's link in Mbit/s, 0: as fast as the machine.
	rate int
}

// proxies join members on loopback through a proxy for each ordered pair.
type proxies struct {
	size  int
	apis  []string
	p2ps  []string
	links map[[2]int]*link

	giveBack func() // the members' ports
}

func newProxies(size int, seed uint64) (fabric, error) {
	addresses, giveBack, err := ports.Addresses(2 * size)
	if err != nil {
		return nil, err
	}
	p := &proxies{size: size, links: map[[2]int]*link{}, giveBack: giveBack}
	p.apis, p.p2ps = addresses[:size], addresses[size:]
	for from := range size {
		for to := range size {
			if from == to {
				continue
			}
			l, err := newLink(p.p2ps[to], seed, uint64(from*size+to))
			if err != nil {
				return nil, errors.Join(err, p.close())
			}
			p.links[[2]int{from, to}] = l
		}
	}
	return p, nil
}

func (p *proxies) listen(i int) (api, p2p string) { return p.apis[i], p.p2ps[i] }

func (p *proxies) peer(from, to int) string { return p.links[[2]int{from, to}].address() }

func (p *proxies) command(_ int, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = withoutSettings(os.Environ())
	return cmd
}

func (p *proxies) dial(ctx context.Context, _ int, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 2 * time.Second}
	return d.DialContext(ctx, "tcp", address)
}

func (p *proxies) cut(side []int, style cutStyle) error {
	for pair, l := range p.links {
		if slices.Contains(side, pair[0]) != slices.Contains(side, pair[1]) {
			l.cut(style)
		}
	}
	return nil
}

func (p *proxies) weather(w weather) error {
	for _, l := range p.links {
		l.set(w)
	}
	return nil
}

func (p *proxies) heal() error {
	for _, l := range p.links {
		l.heal()
	}
	return nil
}

func (p *proxies) close() error {
	for _, l := range p.links {
		l.close()
	}
	p.giveBack()
	return nil
}

// withoutSettings leaves out what would give all members the same settings.
func withoutSettings(env []string) []string {
	return slices.DeleteFunc(env, func(s string) bool { return strings.HasPrefix(s, "DURE_") })
}
