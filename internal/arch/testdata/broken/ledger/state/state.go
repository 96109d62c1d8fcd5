// Package state walks maps.
package state

import "maps"

type index map[string]int

func walk(m index) (n int) {
	for _, v := range m { // want `range over a map`
		n += v
	}
	for v := range maps.Values(m) { // want `map order`
		n += v
	}
	for _, v := range m { /* no reason given: // want `range over a map` */ //dure:sorted
		n += v
	}
	return n
}

func keys[M ~map[string]V, V any](m M) (out []string) {
	for k := range m { // want `range over a map`
		out = append(out, k)
	}
	return out
}
