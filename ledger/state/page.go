package state

import (
	"bytes"
	"crypto/sha256"
	"unsafe" //dure:unsafe a page's arrays follow it in the same piece, which newPage lays out
)

// A page holds what a subtree of at most maxLeaves keys of at most maxPageData bytes is, and no more: a subtree that
// would fit is never two pages. A larger value has a page of its own. Larger pages make fewer objects and cost more
// to copy at each change.
const (
	maxLeaves   = 16
	maxPageData = 4096
)

// page is a subtree in one piece: its keys and values in order, its hashes, and the bits at which neighbours
// differ, which say its shape. A key is found in the few cache lines at its start. It never changes.
//
// A subtree is split where neighbours differ at the lowest bit of any; so n leaves have n-1 inner nodes, of which the i-th stands
// between leaves i and i+1.
type page struct {
	node
	count uint16
	data  uint32 // bytes of keys and values
}

// What follows a page, in this order:
//
//	bits   [count]uint16       the first bit in which leaf i and leaf i+1 differ; nothing for the last
//	keys   [count]uint16       the length of each key
//	ends   [count]uint32       where each value ends in the data
//	data   [data]byte          each key and its value
//	leafs  [count][32]byte     hashes
//	inners [count-1][32]byte   hashes
const (
	pageHead = int(unsafe.Sizeof(page{}))
	perLeaf  = 2 + 2 + 4
)

// newPage makes a page, but for what follows its head.
func (u *update) newPage(count, data int) (ref, *page) {
	r := u.alloc(pageSize(count, data))
	p := u.node(r).page()
	p.born, p.bit, p.count, p.data = u.born, pageBit, uint16(count), uint32(data)
	return r, p
}

// clone is a copy of the page, to be changed before settle, and the place for it. In a large tree it is on the desk until then.
func (u *update) clone(p *page) (ref, *page) {
	size := p.size()
	r := u.alloc(size)
	q := u.node(r).page()
	if u.far && size <= deskSize {
		q = (*page)(unsafe.Pointer(&u.desk))
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(q)), size), unsafe.Slice((*byte)(unsafe.Pointer(p)), size))
	q.born = u.born
	return r, q
}

// settle puts a page that clone made in its place.
func (u *update) settle(r ref, p *page) {
	if q := u.node(r).page(); q != p {
		stream(unsafe.Pointer(q), unsafe.Pointer(p), p.size())
	}
}

// class is that of the page's place in memory.
func (p *page) class() uint8 { return classOf(p.size()) }

// size is the bytes that the page takes.
func (p *page) size() int { return pageSize(p.len(), int(p.data)) }

func pageSize(count, data int) int {
	return pageHead + count*perLeaf + data + (2*count-1)*sha256.Size
}

func (p *page) len() int                     { return int(p.count) }
func (p *page) at(offset int) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(p), pageHead+offset) }

func (p *page) bits() []uint16 { return unsafe.Slice((*uint16)(p.at(0)), p.len()-1) }
func (p *page) keys() []uint16 { return unsafe.Slice((*uint16)(p.at(2*p.len())), p.len()) }
func (p *page) ends() []uint32 { return unsafe.Slice((*uint32)(p.at(4*p.len())), p.len()) }
func (p *page) kv() []byte     { return unsafe.Slice((*byte)(p.at(perLeaf*p.len())), int(p.data)) }

func (p *page) leafHash(i int) *[32]byte {
	return (*[32]byte)(p.at(perLeaf*p.len() + int(p.data) + i*sha256.Size))
}

func (p *page) innerHash(i int) *[32]byte { return p.leafHash(p.len() + i) }

// leaf is one key of a page.
type leaf struct {
	page *page
	i    int
}

func (l leaf) start() int {
	if l.i == 0 {
		return 0
	}
	return int(l.page.ends()[l.i-1])
}

func (l leaf) key() []byte {
	start := l.start()
	end := start + int(l.page.keys()[l.i])
	return l.page.kv()[start:end:end]
}

func (l leaf) value() []byte {
	end := int(l.page.ends()[l.i])
	return l.page.kv()[l.start()+int(l.page.keys()[l.i]) : end : end]
}

// copied is the leaf's key and value, in memory of their own.
func (l leaf) copied() (key, value []byte) {
	both := bytes.Clone(l.page.kv()[l.start():l.page.ends()[l.i]])
	n := int(l.page.keys()[l.i])
	return both[:n:n], both[n:]
}

// toward is the leaf that following key's bits leads to.
func (p *page) toward(key []byte) int {
	at, low := 0, uint16(pageBit)
	for i, d := range p.bits() {
		// low is the lowest bit since the walk went left: what comes before a lower one is beside the way.
		switch {
		case d > low:
		case bitAt(key, d) == 0:
			low = d
		default:
			at, low = i+1, pageBit
		}
	}
	return at
}

// seek is the first leaf whose key is not before from.
func (p *page) seek(from []byte) int {
	i := 0
	for i < p.len() && bytes.Compare(leaf{p, i}.key(), from) < 0 {
		i++
	}
	return i
}

// split is where the subtree of leaves lo to hi-1, at least two, is split: between leaf s and leaf s+1.
func split(bits []uint16, lo, hi int) (s int) {
	s = lo
	for i := lo + 1; i < hi-1; i++ {
		if bits[i] < bits[s] {
			s = i
		}
	}
	return s
}

// subtreeHash is the hash of the subtree of leaves lo to hi-1.
func (p *page) subtreeHash(lo, hi int) *[32]byte {
	if hi-lo == 1 {
		return p.leafHash(lo)
	}
	return p.innerHash(split(p.bits(), lo, hi))
}
