package proof

// Sizes of what validators sign with, bytes: Ed25519's first, ML-DSA-65's second.
var (
	keySizes       = [2]int{32, 1952}
	signatureSizes = [2]int{64, 3309}
)

// SignatureSize is how long signatures by a public key of so many bytes are; 0 if no validator's key has as many.
func SignatureSize(key int) int {
	for i, n := range keySizes {
		if n == key {
			return signatureSizes[i]
		}
	}
	return 0
}

// wide says whether there is a key or signature of another kind than Ed25519, which the first layout cannot carry. In the wide layout the
// length of each stands before it.
func (e *Evidence) wide() bool {
	if e.Commit.wide() {
		return true
	}
	for i := range e.Changes {
		if e.Changes[i].Commit.wide() {
			return true
		}
		for _, v := range e.Changes[i].Next {
			if len(v.Key) != keySizes[0] {
				return true
			}
		}
	}
	return false
}

func (c *Commit) wide() bool {
	for i := range c.Signatures {
		if len(c.Signatures[i].Bytes) != signatureSizes[0] {
			return true
		}
	}
	return false
}

// sized writes a key or signature. One of a size that none has makes a file that cannot be read, which whoever encodes it finds.
func (w *writer) sized(v []byte) {
	if w.wide {
		w.u16(uint16(len(v)))
	}
	w.raw(v)
}

// sized reads a key or signature of one of two sizes.
func (r *reader) sized(sizes [2]int, what string) []byte {
	n := sizes[0]
	if r.wide {
		if n = int(r.u16(what)); r.err == nil && n != sizes[0] && n != sizes[1] {
			r.fail(what + " has a length that none has")
		}
	}
	return r.take(n, what)
}
