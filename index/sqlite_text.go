package index

import "strings"

// FTS5 takes words of ASCII letters only, as configured: each letter becomes 6 hex digits, and each pair of letters one
// word of 12. A part of a word is then a phrase.

// ftsText is plain text as FTS5 stores it.
func ftsText(plain string) string {
	var b strings.Builder
	b.Grow(13 * len(plain))
	for w := range strings.FieldsSeq(plain) {
		letters := []rune(w)
		for i := range letters {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			letter(&b, letters[i])
			if i+1 < len(letters) {
				letter(&b, letters[i+1])
			}
		}
	}
	return b.String()
}

// ftsQuery is the FTS5 query for text of which each of words is part.
func ftsQuery(words []string) string {
	var b strings.Builder
	for n, w := range words {
		if n > 0 {
			b.WriteString(" AND ")
		}
		b.WriteByte('"')
		letters := []rune(w)
		if len(letters) == 1 {
			letter(&b, letters[0])
			b.WriteString(`"*`)
			continue
		}
		for i := range len(letters) - 1 {
			if i > 0 {
				b.WriteByte(' ')
			}
			letter(&b, letters[i])
			letter(&b, letters[i+1])
		}
		b.WriteByte('"')
	}
	return b.String()
}

func letter(b *strings.Builder, r rune) {
	const digits = "0123456789abcdef"
	for shift := 20; shift >= 0; shift -= 4 {
		b.WriteByte(digits[(r>>shift)&15])
	}
}
