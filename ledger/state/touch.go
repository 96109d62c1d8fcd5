package state

// lanes is how many keys Touch looks for at once: about as many reads of memory as a core can wait for together.
const lanes = 16

// Touch brings what Get and Apply will need for keys into the processor's caches. In a tree that is larger than these, most steps
// of a look-up wait for memory, one after the other; Touch takes a step for many keys before the next one, so that they wait together.
// It changes nothing, and what it returns means nothing but that the reads happened.
func (t *Tree) Touch(keys [][]byte) (sum uint32) {
	if t.root == nil {
		return 0
	}
	for len(keys) > 0 {
		n := min(len(keys), lanes)
		sum += t.touch(keys[:n])
		keys = keys[n:]
	}
	return sum
}

func (t *Tree) touch(keys [][]byte) (sum uint32) {
	var at [lanes]*node
	for i := range keys {
		at[i] = t.root
	}
	for under := true; under; {
		under = false
		for i, key := range keys {
			if n := at[i]; n.bit != pageBit {
				in, side := n.inner(), bitAt(key, n.bit)
				at[i] = in.kids[side]
				sum += uint32(in.kids[1-side].hash[0]) // hashing a change needs it
				under = true
			}
		}
	}
	for i := range keys {
		p := at[i].page()
		sum += p.ends()[p.len()-1]
	}
	for i, key := range keys {
		p := at[i].page()
		sum += uint32(leaf{p, p.toward(key)}.key()[0])
	}
	return sum
}
