package indextest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Postgres is a PostgreSQL server of its own, in a temporary folder and on a free port of loopback, with its default
// durability. Its user dure has a password; it has the databases that PostgreSQL makes itself.
type Postgres struct {
	dir  string
	port int
	as   *syscall.Credential
	cmd  *exec.Cmd
	out  locked
}

// PostgresPassword is what the server asks for.
const PostgresPassword = "correct-horse"

// StartPostgres makes and starts a server with the installed PostgreSQL. It will not run as root, and so runs as the
// user that Debian made for it when the caller is root.
func StartPostgres() (*Postgres, error) {
	dir, err := os.MkdirTemp("", "dure-postgres-*")
	if err != nil {
		return nil, err
	}
	p := &Postgres{dir: dir}
	if err := p.init(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := p.Start(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Postgres) init() error {
	password := filepath.Join(p.dir, "password")
	if err := os.WriteFile(password, []byte(PostgresPassword), 0o600); err != nil {
		return err
	}
	if os.Getuid() == 0 {
		if err := p.dropRoot(password); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	cmd, err := p.command("initdb", "--pgdata", p.data(), "--username", "dure", "--pwfile", password, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--locale", "C", "--no-sync")
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// dropRoot gives the folder to the user that the server will run as.
func (p *Postgres) dropRoot(files ...string) error {
	u, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	p.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for _, f := range append(files, p.dir) {
		if err := os.Chown(f, int(uid), int(gid)); err != nil {
			return err
		}
	}
	return nil
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// command prepares one of PostgreSQL's programs, which Debian keeps out of PATH.
func (p *Postgres) command(name string, args ...string) (*exec.Cmd, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		if len(found) == 0 {
			return nil, fmt.Errorf("%s is not installed: install PostgreSQL (Debian's package postgresql)", name)
		}
		path = found[len(found)-1]
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
	return cmd, nil
}

// Start starts the server, also after Kill, and returns when it answers.
func (p *Postgres) Start() error {
	cmd, err := p.command("postgres", "-D", p.data(), "-p", strconv.Itoa(p.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd = cmd
	db, err := sql.Open("pgx", p.URL("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		if err = db.PingContext(ctx); err == nil {
			tick.Stop()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, p.out.String())
		case <-tick.C:
		}
	}
}

// Kill ends the server at once, without its writing anything more; Start recovers it from its log. The signal is QUIT,
// by which its many processes end together.
func (p *Postgres) Kill() error {
	if p.cmd == nil {
		return nil
	}
	err := p.cmd.Process.Signal(syscall.SIGQUIT)
	_ = p.cmd.Wait() // it says that it was killed
	p.cmd = nil
	return err
}

// Close ends the server and removes its folder.
func (p *Postgres) Close() error { return errors.Join(p.Kill(), os.RemoveAll(p.dir)) }

// URL is where a database of the server is, with the password.
func (p *Postgres) URL(database string) string {
	return fmt.Sprintf("postgres://dure:%s@127.0.0.1:%d/%s?sslmode=disable", PostgresPassword, p.port, database)
}

// Log is what the server has written so far.
func (p *Postgres) Log() string { return p.out.String() }

type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
