package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// memory reads the largest resident set of each member.
func (r *session) memory() error {
	for i := range r.net.APIs {
		peak, err := memoryOf(r.net.PID(i), peakRSS)
		if err != nil {
			return fmt.Errorf("bench: member's memory: %w", err)
		}
		r.measured.RSSBytes = append(r.measured.RSSBytes, peak)
	}
	return nil
}

// The largest resident set so far and the one of now, in proc(5).
const (
	peakRSS = "VmHWM"
	rss     = "VmRSS"
)

// memoryOf is a figure of a process's status in proc(5), in bytes.
func memoryOf(pid int, figure string) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if text, ok := strings.CutPrefix(s.Text(), figure+":"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("no " + figure + " in the process's status")
}

// cpuSeconds is what the members' processes and this one have used of the processors so far.
func (r *session) cpuSeconds() (members, own float64, err error) {
	for i := range r.net.APIs {
		s, err := cpuOf(r.net.PID(i))
		if err != nil {
			return 0, 0, fmt.Errorf("bench: member's processor time: %w", err)
		}
		members += s
	}
	own, err = cpuOf(os.Getpid())
	return members, own, err
}

// ticks a second in proc(5), which Linux fixes for user space.
const ticks = 100

// cpuOf is utime and stime of proc(5), in seconds.
func cpuOf(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the name, may hold spaces and ends with the last bracket.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("the process's stat is cut off")
	}
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticks, err
}
