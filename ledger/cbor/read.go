package cbor

// Is says whether the next item begins as one of a major type.
func (c *Cursor) Is(major Major) bool {
	return c.err == nil && c.at < len(c.b) && Major(c.b[c.at]>>5) == major
}

// Head reads the head of an item of a major type and returns its argument: a number, or how much follows.
func (c *Cursor) Head(major Major) uint64 {
	at := c.at
	got, argument := c.head()
	if c.err == nil && got != major {
		c.FailAt(at, "want %s, not %s", major, got)
	}
	return argument
}

// Exactly reads the head of an item that can only be one, such as a map of four.
func (c *Cursor) Exactly(major Major, argument uint64) {
	at := c.at
	if got := c.Head(major); c.err == nil && got != argument {
		c.FailAt(at, "want %s of %d, not of %d", major, argument, got)
	}
}

// Key reads an integer that can only be one.
func (c *Cursor) Key(want int64) {
	at := c.at
	if got := c.Integer(); c.err == nil && got != want {
		c.FailAt(at, "want the key %d, not %d", want, got)
	}
}

// Integer reads an integer of 64 bits with a sign.
func (c *Cursor) Integer() int64 {
	at := c.at
	major, n := c.head()
	switch {
	case c.err != nil:
		return 0
	case major > Negative:
		c.FailAt(at, "want an integer, not %s", major)
		return 0
	case n > 1<<63-1:
		c.FailAt(at, "an integer is below -2^63 or above 2^63 - 1")
		return 0
	case major == Negative:
		return -1 - int64(n)
	}
	return int64(n)
}

// Bytes reads a byte string of least to most bytes, sharing the memory of the message.
func (c *Cursor) Bytes(least, most int) []byte { return c.string(Bytes, least, most) }

// Text reads a text of least to most bytes. Whether it is UTF-8 is for the caller to check.
func (c *Cursor) Text(least, most int) string { return string(c.string(Text, least, most)) }

func (c *Cursor) string(major Major, least, most int) []byte {
	at := c.at
	n := c.Head(major)
	if n < uint64(least) || n > uint64(most) {
		c.FailAt(at, "want %s of %d to %d bytes, not of %d", major, least, most, n)
		return nil
	}
	return c.Take(int(n))
}

// head reads the first bytes of an item: its major type and its argument, in the shortest form.
func (c *Cursor) head() (Major, uint64) {
	if c.err != nil || c.at == len(c.b) {
		c.Fail("it is cut off")
		return 0, 0
	}
	first := c.b[c.at]
	major, info := Major(first>>5), first&31
	if info < 24 {
		c.at++
		return major, uint64(info)
	}
	switch {
	case info == 31:
		c.Fail("%#02x is of indefinite length, or its end; every length is given", first)
		return 0, 0
	case info > 27:
		c.Fail("%#02x begins nothing in CBOR", first)
		return 0, 0
	}
	size := 1 << (info - 24)
	if len(c.b)-c.at-1 < size {
		c.Fail("it is cut off")
		return 0, 0
	}
	argument := uint64(0)
	for _, b := range c.b[c.at+1 : c.at+1+size] {
		argument = argument<<8 | uint64(b)
	}
	if size == 1 && argument < 24 || size > 1 && argument>>(4*size) == 0 {
		c.Fail("a number or length is not in its shortest form")
		return 0, 0
	}
	c.at += 1 + size
	return major, argument
}
