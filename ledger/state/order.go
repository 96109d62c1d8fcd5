package state

import (
	"slices"
	"sort"
)

// maxRun is the most keys in one run of an order: few enough to move at each insertion.
const maxRun = 256

// order is a sorted set of keys that grows one key at a time: runs of sorted keys, each run before the next.
type order struct{ runs [][]string }

// insert adds key; if it is there already nothing changes.
func (o *order) insert(key string) {
	if len(o.runs) == 0 {
		o.runs = append(o.runs, []string{key})
		return
	}
	// The last run that starts at or before key, or the first of all.
	r := max(0, sort.Search(len(o.runs), func(i int) bool { return o.runs[i][0] > key })-1)
	i, found := slices.BinarySearch(o.runs[r], key)
	if found {
		return
	}
	run := slices.Insert(o.runs[r], i, key)
	o.runs[r] = run
	if len(run) > maxRun {
		o.runs[r] = run[: maxRun/2 : maxRun/2]
		o.runs = slices.Insert(o.runs, r+1, slices.Clone(run[maxRun/2:]))
	}
}

// cursor stands at one key of an order, which must not change meanwhile.
type cursor struct {
	order  *order
	run, i int
}

// seek stands at the first key that is not before from.
func (o *order) seek(from string) cursor {
	r := max(0, sort.Search(len(o.runs), func(i int) bool { return o.runs[i][0] > from })-1)
	c := cursor{order: o, run: r}
	if r < len(o.runs) {
		c.i, _ = slices.BinarySearch(o.runs[r], from)
	}
	return c
}

// key is the key stood at; false after the last.
func (c *cursor) key() (string, bool) {
	for c.run < len(c.order.runs) {
		if run := c.order.runs[c.run]; c.i < len(run) {
			return run[c.i], true
		}
		c.run, c.i = c.run+1, 0
	}
	return "", false
}

// advance goes on to the next key.
func (c *cursor) advance() { c.i++ }
