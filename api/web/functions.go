package web

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// kst is shown to people; UTC is in the title of each time.
var kst = time.FixedZone("KST", 9*60*60)

// functions are what templates call, for one language.
func functions(lang string) template.FuncMap {
	return template.FuncMap{
		"t":       func(key string) string { return Text(lang, key) },
		"field":   func(name string) string { return named(lang, "field.", name, name) },
		"kind":    func(kind string) string { return named(lang, "kind.", kind, kind) },
		"refusal": func(code string) string { return refusal(lang, code) },
		"lang":    func() string { return lang },
		"short":   short,
		"number":  func(v any) string { return group(toText(v)) },
		"decimal": func(f float64, digits int) string { return group(strconv.FormatFloat(f, 'f', digits, 64)) },
		"seconds": func(ms float64) string { return strconv.FormatFloat(ms/1000, 'f', 2, 64) },
		"clock":   func(ms int64) string { return time.UnixMilli(ms).In(kst).Format("2006-01-02 15:04:05") },
		"brief":   func(ms int64) string { return time.UnixMilli(ms).In(kst).Format("01-02 15:04:05") },
		"utc":     func(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000") + " UTC" },
		"iso":     func(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") },
		"add":     func(a, b int) int { return a + b },
		"percent": percent,
		"span":    func(text string) string { return span(lang, text) },
	}
}

// named is the text of group and name, or instead where there is none.
func named(lang, group, name, instead string) string {
	if _, ok := names[group+name]; !ok {
		return instead
	}
	return Text(lang, group+name)
}

// refusal is a refusal in words where the ledger's own, which are English, do not serve.
func refusal(lang, code string) string {
	if lang == "en" {
		return ""
	}
	return named(lang, "refusal.", code, "")
}

// short cuts an id to its ends; the whole is in a title.
func short(s string) string {
	if len(s) <= 16 {
		return s
	}
	head := 8
	if strings.HasPrefix(s, "0x") {
		head = 6
	}
	return s[:head] + "…" + s[len(s)-4:]
}

// span is a time such as 1h30m in the words of a language.
func span(lang, text string) string {
	if language(lang) == "en" {
		return text
	}
	return strings.TrimSpace(spanWords.Replace(text))
}

var spanWords = strings.NewReplacer("ms", "밀리초 ", "h", "시간 ", "m", "분 ", "s", "초 ")

func toText(v any) string {
	switch n := v.(type) {
	case int:
		return strconv.Itoa(n)
	case int64:
		return strconv.FormatInt(n, 10)
	case uint32:
		return strconv.FormatUint(uint64(n), 10)
	case uint64:
		return strconv.FormatUint(n, 10)
	case string:
		return n
	}
	return ""
}

// group puts commas between thousands of a decimal number.
func group(s string) string {
	whole, rest := s, ""
	if i := strings.IndexByte(s, '.'); i >= 0 {
		whole, rest = s[:i], s[i:]
	}
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return sign + b.String() + rest
}

// percent is part of whole in percent, for a meter: 0 when whole is 0.
func percent(part, whole int) int {
	if whole <= 0 {
		return 0
	}
	return min(100, part*100/whole)
}
