package state

import (
	"bytes"
	"slices"

	"github.com/dureledger/dure/ledger/sha2"
)

// entry is a leaf of a page to be made. It has the hash that it had in the page before; nil if there was none.
type entry struct {
	key, value []byte
	hash       *[32]byte
}

// fits says whether so many leaves of so many bytes are a page.
func fits(leaves, data int) bool {
	return leaves == 1 || leaves <= maxLeaves && data <= maxPageData
}

func (p *page) entry(i int) entry {
	l := leaf{p, i}
	return entry{l.key(), l.value(), p.leafHash(i)}
}

// entries appends the page's leaves.
func (p *page) entries(to []entry) []entry {
	for i := range p.len() {
		to = append(to, p.entry(i))
	}
	return to
}

// mergePage makes changes to the page at r. Its keys and those of changes share their first skip bytes.
func (u *update) mergePage(r ref, changes []Change, skip int) ref {
	if changed, ok := u.overwrite(r, changes); ok {
		return changed
	}
	p := u.node(r).page()
	var room [2 * maxLeaves]entry
	entries, i, changed := room[:0], 0, false
	for at, c := range changes {
		for ; i < p.len() && bytes.Compare(leaf{p, i}.key(), c.Key) < 0; i++ {
			entries = append(entries, p.entry(i))
		}
		old := entry{}
		if i < p.len() && bytes.Equal(leaf{p, i}.key(), c.Key) {
			old = p.entry(i)
			i++
		}
		if bytes.Equal(old.value, c.Value) { // no value is empty, so both are there or neither
			u.same(&changes[at])
			if c.Value != nil {
				entries = append(entries, old)
			}
			continue
		}
		changed = true
		if c.Value != nil {
			entries = append(entries, entry{c.Key, c.Value, nil})
		}
	}
	if !changed {
		return r
	}
	for ; i < p.len(); i++ {
		entries = append(entries, p.entry(i))
	}
	u.size += len(entries) - p.len()
	merged := u.buildPages(entries, skip)
	u.drop(r)
	return merged
}

// overwrite is the page with changes that leave its keys and the lengths of its values as they are; false if they do not. That is
// what most changes are, and costs a copy and the hashes on their ways.
func (u *update) overwrite(r ref, changes []Change) (ref, bool) {
	p, changed := u.node(r).page(), r
	var stale uint32 // a bit for each leaf
	for i, c := range changes {
		l := leaf{p, p.toward(c.Key)}
		switch value := l.value(); {
		case len(value) != len(c.Value) || !bytes.Equal(l.key(), c.Key):
			if changed != r {
				u.release(changed, p.class())
			}
			return 0, false
		case bytes.Equal(value, c.Value):
			u.same(&changes[i])
			continue
		}
		hash := hashLeaf(c.Key, c.Value) // before the copy: it reads what it has just written, which would come after all of that
		if stale == 0 {
			changed, p = u.clone(p)
			l.page = p
		}
		stale |= 1 << l.i
		copy(l.value(), c.Value)
		*p.leafHash(l.i) = hash
	}
	if stale != 0 {
		p.hash = *p.hashSubtree(stale, 0, p.len())
		u.settle(changed, p)
		u.drop(r)
	}
	return changed, true
}

// hashSubtree brings the hashes of inner nodes above stale leaves up to date, in the subtree of leaves lo to hi-1, and returns the topmost.
func (p *page) hashSubtree(stale uint32, lo, hi int) *[32]byte {
	if hi-lo == 1 {
		return p.leafHash(lo)
	}
	s := split(p.bits(), lo, hi)
	h := p.innerHash(s)
	if stale>>lo&(1<<(hi-lo)-1) != 0 {
		sha2.Node(h, p.hashSubtree(stale, lo, s+1), p.hashSubtree(stale, s+1, hi))
	}
	return h
}

// buildPages makes the subtree of entries, which share their first skip bytes.
func (u *update) buildPages(entries []entry, skip int) ref {
	data := 0
	for _, e := range entries {
		data += len(e.key) + len(e.value)
	}
	switch {
	case len(entries) == 0:
		return 0
	case fits(len(entries), data):
		return u.makePage(entries, data, skip)
	}
	d := diffBit(entries[0].key, entries[len(entries)-1].key, skip)
	cut, _ := slices.BinarySearchFunc(entries, d, func(e entry, d uint16) int { return bitAt(e.key, d) - 1 })
	left := u.buildPages(entries[:cut], int(d>>4))
	return u.newInner(d, left, u.buildPages(entries[cut:], int(d>>4)))
}

func (u *update) makePage(entries []entry, data, skip int) ref {
	r, p := u.newPage(len(entries), data)
	kv, ends, keys, bits := p.kv(), p.ends(), p.keys(), p.bits()
	end := 0
	for i, e := range entries {
		end += copy(kv[end:], e.key)
		end += copy(kv[end:], e.value)
		ends[i], keys[i] = uint32(end), uint16(len(e.key))
		if e.hash != nil {
			*p.leafHash(i) = *e.hash
		} else {
			*p.leafHash(i) = hashLeaf(e.key, e.value)
		}
		if i > 0 {
			bits[i-1] = diffBit(entries[i-1].key, e.key, skip)
		}
	}
	p.hash = *p.hashSubtree(^uint32(0), 0, p.len())
	return r
}
