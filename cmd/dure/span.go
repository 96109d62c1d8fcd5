package main

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// readSpan reads a time such as 90m, 24h or 3d; false if it is none, or not more than 0.
func readSpan(text string) (time.Duration, bool) {
	unit := int64(1)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		text, unit = days+"h", 24
	}
	span, err := time.ParseDuration(text)
	if err != nil || span <= 0 || int64(span) > math.MaxInt64/unit {
		return 0, false
	}
	return time.Duration(int64(span) * unit), true
}

// spanText writes milliseconds as readSpan reads them; 0 as nothing.
func spanText(ms int64) string {
	const day = 24 * 3600 * 1000
	switch {
	case ms == 0:
		return ""
	case ms%day == 0 && ms != day:
		return strconv.FormatInt(ms/day, 10) + "d"
	case ms%(3600*1000) == 0:
		return strconv.FormatInt(ms/(3600*1000), 10) + "h"
	}
	return (time.Duration(ms) * time.Millisecond).String()
}
