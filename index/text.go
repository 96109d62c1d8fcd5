package index

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is found by any part of a word, in any script, from one letter up: Korean words are often two syllables, which
// indexes of whole words or of three letters cannot find. A database keeps of each word its overlapping pairs of
// letters and its last letter, so that a part of a word is some pairs and one letter the start of a pair.

// maxQueryWords bounds the words of one search.
const maxQueryWords = 8

// words cuts text at everything that is neither letter nor digit nor mark, in lower case.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// plain is the words of texts with a space between them.
func plain(texts ...string) string {
	var all []string
	for _, t := range texts {
		all = append(all, words(t)...)
	}
	return strings.Join(all, " ")
}

// sought are the words of a search.
func sought(query string) []string {
	w := words(query)
	return w[:min(len(w), maxQueryWords)]
}

// pairs are the distinct pairs of letters in plain text and the last letters of its words.
func pairs(plain string) []string {
	var out []string
	for _, w := range strings.Fields(plain) {
		for i := 0; i < len(w); {
			_, one := utf8.DecodeRuneInString(w[i:])
			_, two := utf8.DecodeRuneInString(w[i+one:])
			out = append(out, w[i:i+one+two])
			i += one
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// storable says whether a database can hold s as text. What people may put on the ledger always is; what a failed
// transaction or a question names may not be.
func storable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
