package torture

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/node"
)

// member is one member's node: a process, or the folder of one that is dead.
type member struct {
	index  int
	home   node.Home
	api    string // host:port
	binary string
	peers  string
	level  string
	env    []string
	fabric fabric

	mu    sync.Mutex
	cmd   *exec.Cmd
	done  chan struct{}
	asked *client.Client
	told  int64 // how much of the log news has returned
}

// start runs the node. Its log is appended to the file in its folder.
func (m *member) start() error {
	log, err := os.OpenFile(m.home.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("torture: %w", err)
	}
	defer log.Close() // the process has its own
	args := []string{"start", "--home", string(m.home), "--p2p-peers", m.peers}
	if m.level != "" {
		args = append(args, "--log-level", m.level)
	}
	cmd := m.fabric.command(m.index, m.binary, args...)
	cmd.Env = append(cmd.Env, m.env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("torture: member %d: %w", m.index, err)
	}
	done := make(chan struct{})
	m.cmd, m.done = cmd, done
	go func() {
		_ = cmd.Wait() // its log says why it ended
		close(done)
	}()
	return nil
}

// kill ends the process at once and waits until it is gone.
func (m *member) kill() {
	m.mu.Lock()
	cmd, done := m.cmd, m.done
	m.cmd, m.done = nil, nil
	m.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // it may have ended
	<-done
}

// freeze stops the process where it is; thaw lets it go on as if no time had passed.
func (m *member) freeze() error { return m.signal(syscall.SIGSTOP) }
func (m *member) thaw() error   { return m.signal(syscall.SIGCONT) }

func (m *member) signal(s syscall.Signal) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd == nil {
		return fmt.Errorf("torture: member %d does not run", m.index)
	}
	return m.cmd.Process.Signal(s)
}

// ended says that the process ended although nobody killed it.
func (m *member) ended() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd == nil {
		return false
	}
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// ask is a client of this member alone that gives up soon.
func (m *member) ask(n *Network) *client.Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asked == nil {
		m.asked = n.client(time.Millisecond, m.index)
	}
	return m.asked
}

// tail is the end of the log.
func (m *member) tail() string {
	raw, err := os.ReadFile(m.home.Log())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// news is what was logged since the last call.
func (m *member) news() string {
	f, err := os.Open(m.home.Log())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	raw, err := io.ReadAll(io.NewSectionReader(f, m.told, 1<<30))
	if err != nil {
		return err.Error()
	}
	m.told += int64(len(raw))
	return string(raw)
}
