package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/services/id"
	"github.com/dureledger/dure/services/id/shop"
)

// demoProviders are the members of the demonstration that run a sign-in provider, by the names of their keys. The first has the first port.
var demoProviders = []string{"bank", "city"}

// What else runs beside them, on the ports after theirs.
const (
	operatorPort = 2 + iota
	wonPort
	shopPort
	signinPorts
)

func (d demo) signin(parts ...string) string {
	return filepath.Join(append([]string{string(d), "signin"}, parts...)...)
}

// signinPlan is what was decided about signing in when a demonstration was made.
type signinPlan struct {
	Port int `json:"port"`
}

func here(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// issuer is what browsers call a loopback port: passkeys are for names, not addresses.
func issuer(port int) string { return fmt.Sprintf("http://localhost:%d", port) }

// demoRP is the relying party that the demonstration's passkeys are made for, at its wallets and its providers.
const demoRP = "localhost"

// fillSignin writes the settings of the providers and of the shop.
func (d demo) fillSignin(port, api int) error {
	trial := shop.Config{Name: "두레 가게 Dure Shop", URL: issuer(port + shopPort), Asks: []string{id.ItemName, id.ItemPhone}}
	for i, member := range demoProviders {
		secret, hash := newSecret()
		name := demoMembers[memberOf(member)].name
		trial.Providers = append(trial.Providers, shop.Provider{Name: name, Issuer: issuer(port + i), ClientID: "shop", Secret: secret})
		if err := writeJSON(d.signin(member+".json"), id.Settings{
			Name: name, Issuer: issuer(port + i), Operator: id.Service{URL: "http://" + here(port+operatorPort)}, Bank: id.Service{URL: "http://" + here(port+wonPort)},
			LedgerPage: "http://" + here(api+memberOf(member)),
			Services: []id.Party{{
				ID: "shop", Name: trial.Name, SecretSHA256: hash, RedirectURIs: []string{trial.URL + "/callback"}, PostLogoutRedirectURIs: []string{trial.URL + "/"},
				BackchannelLogoutURI: trial.URL + "/backchannel", MayAsk: []string{id.ItemName, id.ItemPhone, id.ItemBank, id.ItemAccount},
			}},
		}); err != nil {
			return err
		}
	}
	return errors.Join(writeJSON(d.signin("shop.json"), trial), writeJSON(d.signin("plan.json"), signinPlan{port}))
}

func memberOf(key string) int {
	for i, m := range demoMembers {
		if m.key == key {
			return i
		}
	}
	return 0
}

// signinPort is the first port for signing in; 0 if the network was made without.
func (d demo) signinPort() int {
	raw, err := readSmall(d.signin("plan.json"), 4096)
	var plan signinPlan
	if err != nil || json.Unmarshal(raw, &plan) != nil {
		return 0
	}
	return plan.Port
}

// helper is a process beside the members, which only this machine can reach.
type helper struct {
	name, listen, log string
	args              []string
	cmd               *exec.Cmd
	done              chan struct{}
}

// helpers are those for signing in.
type helpers struct {
	all  []*helper
	died chan int
}

// signinHelpers lists them: a provider for each member that has one, the two sandboxes, the shop.
func (d demo) signinHelpers(port int, nodes []string) *helpers {
	h := &helpers{died: make(chan int, signinPorts)}
	add := func(name string, port int, args ...string) {
		h.all = append(h.all, &helper{name: name, listen: here(port), log: d.signin(name + ".log"), args: append(args, "--listen", here(port))})
	}
	for i, member := range demoProviders {
		add(member, port+i, "signin", "serve", "--home", d.client(), "--node", nodes[memberOf(member)], "--settings", d.signin(member+".json"), "--dir", d.signin(member), "--as", member)
	}
	add("operator", port+operatorPort, "signin", "sandbox", "operator")
	add("won", port+wonPort, "signin", "sandbox", "bank")
	add("shop", port+shopPort, "signin", "shop", "--settings", d.signin("shop.json"))
	return h
}

// free looks at every port before anything starts.
func (h *helpers) free() error {
	for _, one := range h.all {
		if err := portFree(one.listen, "make a new network with other ports by --dir and --signin-port, or go without by --signin=false"); err != nil {
			return err
		}
	}
	return nil
}

// startAll starts all and waits until they answer.
func (h *helpers) startAll(ctx context.Context) error {
	for i := range h.all {
		if err := h.start(i); err != nil {
			return err
		}
	}
	var ready errgroup.Group
	for _, one := range h.all {
		ready.Go(func() error { return one.ready(ctx) })
	}
	return ready.Wait()
}

func (h *helpers) start(i int) error {
	one := h.all[i]
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(one.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return failed("the network's folder cannot be written: "+err.Error(), "choose another with --dir, or change its owner")
	}
	cmd := exec.Command(self, one.args...) // this very program
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = withoutSettings(os.Environ())
	cmd.SysProcAttr = childAttributes()
	if err := cmd.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	done := make(chan struct{})
	one.cmd, one.done = cmd, done
	go func() {
		_ = cmd.Wait() // its log says why
		_ = log.Close()
		close(done)
		h.died <- i
	}()
	return nil
}

func (one *helper) ready(parent context.Context) error {
	ctx, cancel := context.WithTimeout(parent, upTimeout)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", one.listen)
		if err == nil {
			return c.Close()
		}
		select {
		case <-one.done:
			return failed(one.name+" for signing in could not start", "see "+one.log+":\n"+tail(one.log))
		case <-ctx.Done():
			return failed(one.name+" for signing in did not get ready", "see "+one.log+":\n"+tail(one.log))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop ends all; requests under way are answered first.
func (h *helpers) stop() {
	for _, one := range h.all {
		if one.cmd != nil {
			_ = one.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		}
	}
	late := time.After(downTimeout)
	for _, one := range h.all {
		if one.cmd == nil {
			continue
		}
		select {
		case <-one.done:
		case <-late:
			_ = one.cmd.Process.Kill() // it may have ended
			<-one.done
		}
		one.cmd = nil
	}
}

// greetSignin says where to sign in.
func (a *app) greetSignin(port int) {
	names := make([]string, len(demoProviders))
	for i, member := range demoProviders {
		names[i] = issuer(port+i) + " (" + member + ")"
	}
	fmt.Fprintf(a.out, `
  Sign-in       %s   try it at the shop, %s
                codes come to http://localhost:%d (messages) and http://localhost:%d (1 won)
`, strings.Join(names, ", "), issuer(port+shopPort), port+operatorPort, port+wonPort)
}
