package index

import (
	"strings"
	"unicode"
)

// Text is found by any part of a word, in any script, from one letter up: Korean words are often two syllables, which
// FTS5's own trigram tokens cannot find. Each word becomes its overlapping pairs of letters and its last letter, each
// letter as 6 hex digits, so that a part of a word is a phrase of pairs and one letter the start of a pair.

// maxQueryWords bounds the words of one search.
const maxQueryWords = 8

// indexText is the tokens of texts as FTS5 stores them.
func indexText(texts []string) string {
	var b strings.Builder
	for _, text := range texts {
		for _, w := range words(text) {
			for i := range w {
				if b.Len() > 0 {
					b.WriteByte(' ')
				}
				letter(&b, w[i])
				if i+1 < len(w) {
					letter(&b, w[i+1])
				}
			}
		}
	}
	return b.String()
}

// matchText is the FTS5 query for text that contains every word of query, or "" if it has no word.
func matchText(query string) string {
	var b strings.Builder
	for n, w := range words(query) {
		if n == maxQueryWords {
			break
		}
		if n > 0 {
			b.WriteString(" AND ")
		}
		b.WriteByte('"')
		if len(w) == 1 {
			letter(&b, w[0])
			b.WriteString(`"*`)
			continue
		}
		for i := range len(w) - 1 {
			if i > 0 {
				b.WriteByte(' ')
			}
			letter(&b, w[i])
			letter(&b, w[i+1])
		}
		b.WriteByte('"')
	}
	return b.String()
}

// words cuts text at everything that is neither letter nor digit nor mark, in lower case.
func words(text string) [][]rune {
	var out [][]rune
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}) {
		out = append(out, []rune(w))
	}
	return out
}

func letter(b *strings.Builder, r rune) {
	const digits = "0123456789abcdef"
	for shift := 20; shift >= 0; shift -= 4 {
		b.WriteByte(digits[(r>>shift)&15])
	}
}
