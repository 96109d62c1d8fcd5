package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dureledger/dure/node"
)

// processes are the members of a network on this machine, each a process of its own.
type processes struct {
	all  []*process
	died chan int
}

// process is one member's node.
type process struct {
	name   string
	home   node.Home
	config *node.Config
	flags  []string
	cmd    *exec.Cmd     // nil before its first start
	done   chan struct{} // closed when cmd has ended
}

func newProcesses() *processes { return &processes{died: make(chan int, maxMembers)} }

// maxMembers is how many members a network may have.
const maxMembers = 100

// add lists a member; flags are added to its "dure start".
func (p *processes) add(name string, home node.Home, config *node.Config, flags ...string) {
	p.all = append(p.all, &process{name: name, home: home, config: config, flags: flags})
}

// startAll starts every member and waits until all are ready.
func (p *processes) startAll(ctx context.Context) error {
	for i := range p.all {
		if err := p.start(i); err != nil {
			return err
		}
	}
	return p.ready(ctx)
}

// start runs one member's node, its log in its folder. It ends with this process, whatever ends this one.
func (p *processes) start(i int) error {
	m := p.all[i]
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(m.home.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return failed("the network's folder cannot be written: "+err.Error(), "choose another with --dir, or change its owner")
	}
	m.cmd = exec.Command(self, append([]string{"start", "--home", string(m.home)}, m.flags...)...) // this very program
	m.cmd.Stdout, m.cmd.Stderr = log, log
	m.cmd.Env = withoutSettings(os.Environ())
	m.cmd.SysProcAttr = childAttributes()
	if err := m.cmd.Start(); err != nil {
		m.cmd = nil
		return errors.Join(err, log.Close())
	}
	cmd, done := m.cmd, make(chan struct{})
	m.done = done
	go func() {
		_ = cmd.Wait() // its log says why
		_ = log.Close()
		close(done)
		p.died <- i
	}()
	return nil
}

// withoutSettings leaves out what would give all members the same settings.
func withoutSettings(env []string) []string {
	return slices.DeleteFunc(env, func(s string) bool { return strings.HasPrefix(s, "DURE_") })
}

// ready waits until every member answers and has the first block.
func (p *processes) ready(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, upTimeout)
	defer cancel()
	for _, m := range p.all {
		for !answers(ctx, "http://"+m.config.APIListen+"/readyz") {
			select {
			case i := <-p.died:
				dead := p.all[i]
				return failed(dead.name+" could not start", "see "+dead.home.Log()+":\n"+tail(dead.home.Log()))
			case <-parent.Done():
				return failed("stopped before the members were ready", "nothing is lost; \"dure up\" goes on")
			case <-ctx.Done():
				return failed("the members did not get ready in time", "see "+m.home.Log()+":\n"+tail(m.home.Log()))
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return nil
}

// restart kills a member without warning and starts it again at once.
func (p *processes) restart(i int) error {
	m := p.all[i]
	if err := m.cmd.Process.Kill(); err != nil {
		return err
	}
	<-m.done
	return p.start(i)
}

// stop ends all members cleanly, and by force those that do not end in time.
func (p *processes) stop() {
	for _, m := range p.all {
		if m.cmd != nil {
			_ = m.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		}
	}
	late := time.After(downTimeout)
	for _, m := range p.all {
		if m.cmd == nil {
			continue
		}
		select {
		case <-m.done:
		case <-late:
			_ = m.cmd.Process.Kill() // it may have ended
			<-m.done
		}
		m.cmd = nil
	}
}
