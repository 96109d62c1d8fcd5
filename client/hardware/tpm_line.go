package hardware

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/google/go-tpm/tpm2/transport"
)

const (
	// tpmPatience is how long a TPM behind a socket may take for a command; slow ones take seconds to make a key.
	tpmPatience = 30 * time.Second
	tpmHeader   = 10 // tag, size, code
)

// socketTPM is a TPM behind a socket, such as swtpm: commands and replies as they are, one after the other, each whole.
type socketTPM struct{ conn net.Conn }

// dialTPM opens a device file, a unix socket or tcp:HOST:PORT.
func dialTPM(path string) (transport.TPMCloser, error) {
	network, address := "unix", strings.TrimPrefix(path, "unix:")
	if rest, ok := strings.CutPrefix(path, "tcp:"); ok {
		network, address = "tcp", rest
	} else {
		info, err := os.Stat(address)
		if err != nil {
			return nil, err
		}
		if info.Mode()&os.ModeSocket == 0 {
			return openDevice(address)
		}
	}
	conn, err := net.DialTimeout(network, address, tpmPatience)
	if err != nil {
		return nil, err
	}
	return transport.FromReadWriteCloser(&socketTPM{conn}), nil // which sends again what the TPM wants again
}

func (s *socketTPM) Write(command []byte) (int, error) {
	if err := s.conn.SetDeadline(time.Now().Add(tpmPatience)); err != nil {
		return 0, err
	}
	return s.conn.Write(command)
}

// Read reads one reply, whole, as the device file gives it.
func (s *socketTPM) Read(reply []byte) (int, error) {
	if len(reply) < tpmHeader {
		return 0, io.ErrShortBuffer
	}
	if _, err := io.ReadFull(s.conn, reply[:tpmHeader]); err != nil {
		return 0, err
	}
	size := binary.BigEndian.Uint32(reply[2:])
	if size < tpmHeader || uint64(size) > uint64(len(reply)) {
		return 0, fmt.Errorf("the TPM's reply says that it has %d bytes", size)
	}
	_, err := io.ReadFull(s.conn, reply[tpmHeader:size])
	return int(size), err
}

func (s *socketTPM) Close() error { return s.conn.Close() }
