package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/dureledger/dure/consensus"
)

// admin is what the owner of a running node's folder may ask of it, over a socket in that folder. Whoever may open the
// socket, the folder's owner and root, may ask.
type admin struct {
	node   *Node
	server *http.Server
	cancel context.CancelFunc
	folder *os.File
	done   chan struct{}
	busy   sync.Mutex // held by the one backup at a time
}

// socket is the admin socket.
func (h Home) socket() string { return filepath.Join(h.data(""), "admin.sock") }

// maxSocketPath is the longest path that a socket can have on every system.
const maxSocketPath = 100

// short is a name of the socket that is not too long. It is good while folder is open.
func (h Home) short() (name string, folder *os.File, err error) {
	if len(h.socket()) <= maxSocketPath || runtime.GOOS != "linux" {
		return h.socket(), nil, nil
	}
	if folder, err = os.Open(h.data("")); err != nil {
		return "", nil, err
	}
	return filepath.Join("/proc/self/fd", strconv.Itoa(int(folder.Fd())), filepath.Base(h.socket())), folder, nil
}

// startAdmin listens. The store's lock says that no other node has the folder, so a socket that is there is left over.
func startAdmin(n *Node) (*admin, error) {
	name, folder, err := n.home.short()
	if err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	if err := os.Remove(n.home.socket()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("admin socket: %w", err), closeFolder(folder))
	}
	l, err := net.Listen("unix", name)
	if err == nil {
		err = os.Chmod(n.home.socket(), 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("admin socket: %w", err), closeFolder(folder))
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &admin{node: n, cancel: cancel, folder: folder, done: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /backup", a.backup)
	a.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() {
		defer close(a.done)
		if err := a.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.log.Error("the admin socket stopped", "error", err)
		}
	}()
	return a, nil
}

// adminTimeout is how long a request under way may take to notice that the node stops.
const adminTimeout = 5 * time.Second

// stop ends requests under way and returns when none is left.
func (a *admin) stop() error {
	a.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	err := a.server.Shutdown(ctx)
	if err != nil {
		err = a.server.Close()
	}
	<-a.done
	a.busy.Lock() // until the backup that was cut off has let the stores go; there is none after it
	return errors.Join(err, closeFolder(a.folder))
}

func closeFolder(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// failedHeader is the trailer that tells why a backup ended early.
const failedHeader = "Dure-Failed"

// backup streams a backup. The request's body is what the caller wants carried as the node's keys.
func (a *admin) backup(w http.ResponseWriter, r *http.Request) {
	keys, err := readMost(r.Body, maxSmallFile)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !a.busy.TryLock() {
		http.Error(w, "another backup is being made; wait for it", http.StatusConflict)
		return
	}
	defer a.busy.Unlock()
	w.Header().Set("Trailer", failedHeader)
	n := a.node
	n.log.Info("a backup is being made")
	err = backup(r.Context(), n.home, w, n.storage.Store, keys, func() (*consensus.Copy, error) { return n.engine.Copy() })
	if err != nil {
		n.log.Warn("the backup was not finished", "error", err)
		w.Header().Set(failedHeader, fmt.Sprintf("%.500q", err.Error()))
		return
	}
	n.log.Info("the backup is made")
}

// ErrNotRunning says that no node answers in a home.
var ErrNotRunning = errors.New("no node runs in this folder")

// BackupRunning writes a backup of the node that runs in a home, as BackupStopped does; ErrNotRunning if none does.
func BackupRunning(ctx context.Context, home Home, w io.Writer, keys io.Reader) error {
	name, folder, err := home.short()
	if err != nil {
		return ErrNotRunning
	}
	defer func() { _ = closeFolder(folder) }() // it was only read
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", name)
		if err != nil {
			err = errors.Join(ErrNotRunning, err)
		}
		return conn, err
	}}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node/backup", keys)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	response, err := client.Do(request)
	if errors.Is(err, ErrNotRunning) {
		return ErrNotRunning
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := readMost(response.Body, maxSmallFile)
		return fmt.Errorf("backup: the node refused: %s", text)
	}
	_, err = io.Copy(w, response.Body)
	if why := response.Trailer.Get(failedHeader); why != "" {
		return fmt.Errorf("backup: the node could not finish it: %s", why)
	}
	if err != nil {
		return fmt.Errorf("backup: the node stopped in the middle: %w", err)
	}
	return nil
}
