package hardware

import (
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/windowstpm"
)

// openDevice opens the one TPM that Windows manages, whatever its path.
func openDevice(string) (transport.TPMCloser, error) { return windowstpm.Open() }
