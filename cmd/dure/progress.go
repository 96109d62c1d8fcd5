package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Intervals at which progress is drawn for a person and written to a log.
const (
	drawEvery = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

// progress shows how far something is, on standard error: a bar on a terminal, else a line now and then.
type progress struct {
	mu       sync.Mutex
	w        io.Writer
	now      func() time.Time
	what     string
	done     int64
	total    int64
	terminal bool
	silent   bool
	begun    time.Time
	shown    time.Time
	drawn    bool
	// unit turns a count into text.
	unit func(int64) string
}

func (a *app) newProgress(what string, total int, quiet bool) *progress {
	now := a.now()
	return &progress{w: a.err, now: a.now, what: what, total: int64(total), terminal: a.errTerminal, silent: quiet || a.json && !a.errTerminal,
		begun: now, shown: now, unit: func(n int64) string { return fmt.Sprint(n) }}
}

// add counts n more and shows it if it is time.
func (p *progress) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	if p.silent {
		return
	}
	now, every := p.now(), lineEvery
	if p.terminal {
		every = drawEvery
	}
	if now.Sub(p.shown) < every && !(p.terminal && p.done == p.total) {
		return
	}
	p.shown = now
	text := p.what + " " + p.unit(p.done)
	if p.total > 0 {
		text += " of " + p.unit(p.total)
	}
	if left := p.left(now); left > 0 {
		text += ", about " + left.String() + " left"
	}
	if !p.terminal {
		fmt.Fprintln(p.w, text)
		return
	}
	p.drawn = true
	if p.total == 0 {
		fmt.Fprintf(p.w, "\r\033[K%s", text)
		return
	}
	fmt.Fprintf(p.w, "\r\033[K%s %s", bar(p.done, p.total, 30), text)
}

// left estimates the time left from the pace so far.
func (p *progress) left(now time.Time) time.Duration {
	if p.done == 0 || p.done >= p.total {
		return 0
	}
	return time.Duration(float64(now.Sub(p.begun)) / float64(p.done) * float64(p.total-p.done)).Round(time.Second)
}

// end takes the bar away: the summary says the rest.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.w, "\r\033[K")
	}
}

func bar(done, total int64, width int) string {
	full := 0
	if total > 0 {
		full = int(done * int64(width) / total)
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "]"
}
