package anchor

// memory keeps the answers of the latest readings that the ledger took, by digest.
type memory struct {
	results map[[32]byte]Result
	ring    [][32]byte
	next    int
}

func newMemory(most int) *memory {
	return &memory{results: map[[32]byte]Result{}, ring: make([][32]byte, 0, most)}
}

func (m *memory) get(digest [32]byte) (Result, bool) {
	r, ok := m.results[digest]
	return r, ok
}

// put remembers a result and forgets the oldest when there is no room.
func (m *memory) put(digest [32]byte, r Result) {
	if _, ok := m.results[digest]; ok {
		return
	}
	m.results[digest] = r
	if len(m.ring) < cap(m.ring) {
		m.ring = append(m.ring, digest)
		return
	}
	delete(m.results, m.ring[m.next])
	m.ring[m.next] = digest
	m.next = (m.next + 1) % len(m.ring)
}
