package exec

// Place is where a transaction was applied.
type Place struct {
	Height   int64
	Position uint32
	// Seq is the index of its outcome in the history log.
	Seq uint64
}

// bucketMS is how much of not_after one bucket of the window covers.
const bucketMS = 4096

// Window remembers the ids of transactions that have not expired. An id contains its not_after, so an id is only ever
// looked for in one bucket, and a bucket whose whole span has passed can go at once.
type Window struct {
	buckets map[int64]map[[32]byte]Place
}

// NewWindow makes an empty window.
func NewWindow() *Window { return &Window{buckets: map[int64]map[[32]byte]Place{}} }

// Add remembers an id.
func (w *Window) Add(id [32]byte, notAfter int64, p Place) {
	b := w.buckets[notAfter/bucketMS]
	if b == nil {
		b = map[[32]byte]Place{}
		w.buckets[notAfter/bucketMS] = b
	}
	b[id] = p
}

// Find returns where an id was applied.
func (w *Window) Find(id [32]byte, notAfter int64) (Place, bool) {
	p, ok := w.buckets[notAfter/bucketMS][id]
	return p, ok
}

// Search is Find for those who do not know when the id expires.
func (w *Window) Search(id [32]byte) (Place, bool) {
	for _, b := range w.buckets { //dure:sorted an id is in one bucket at most
		if p, ok := b[id]; ok {
			return p, true
		}
	}
	return Place{}, false
}

// Prune forgets ids that had expired before time: those are refused as expired.
func (w *Window) Prune(time int64) {
	for k := range w.buckets { //dure:sorted only deletes; order does not matter
		if (k+1)*bucketMS <= time {
			delete(w.buckets, k)
		}
	}
}

// Len is the number of ids remembered.
func (w *Window) Len() int {
	n := 0
	for _, b := range w.buckets { //dure:sorted sums; order does not matter
		n += len(b)
	}
	return n
}
