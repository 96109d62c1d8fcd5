package torture

import "os/exec"

// Hosts are machines with nothing on them: each has a network namespace of its own with one address, and a switch joins
// them. Nothing of the machine they are on can be reached, nor they from it. They need root and Linux.
type Hosts struct {
	n *namespaces
}

// NewHosts makes them; Close removes them and must be called.
func NewHosts(size int) (*Hosts, error) {
	f, err := newNamespaces(size, 0)
	if err != nil {
		return nil, err
	}
	return &Hosts{f.(*namespaces)}, nil
}

// IP is the address of host i, counted from 0, by which the others reach it.
func (h *Hosts) IP(i int) string { return h.n.ip(i) }

// Command prepares a program that is to run on host i, without the settings that this process has in its environment.
func (h *Hosts) Command(i int, program string, args ...string) *exec.Cmd {
	return h.n.command(i, program, args...)
}

// Close removes the hosts' networks. What still runs on them has no network then.
func (h *Hosts) Close() error { return h.n.close() }
