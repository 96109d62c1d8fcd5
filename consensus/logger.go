package consensus

import (
	"fmt"
	"log/slog"
	"sync"

	cmtlog "github.com/cometbft/cometbft/libs/log"
)

// logger passes CometBFT's log lines on to slog; its info lines are debug lines here.
type logger struct {
	log *slog.Logger
	why *reason // may be nil
}

// reason is why consensus ended by itself, as CometBFT logged it: it tells in no other way.
type reason struct {
	mu  sync.Mutex
	err error
}

// set keeps the first error.
func (r *reason) set(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

func (r *reason) get() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// onStop is what CometBFT logs as an error when it is told to stop.
const onStop = "Stopped accept routine, as transport is closed"

// onFailure is what CometBFT logs, with a stack trace, when its consensus routine cannot go on.
const onFailure = "CONSENSUS FAILURE!!!"

func (l *logger) Debug(string, ...any)         {}
func (l *logger) Info(msg string, kv ...any)   { l.log.Debug(msg, kv...) }
func (l *logger) Warn(msg string, kv ...any)   { l.log.Warn(msg, kv...) }
func (l *logger) With(kv ...any) cmtlog.Logger { return &logger{l.log.With(kv...), l.why} }
func (l *logger) Error(msg string, kv ...any) {
	if msg == onStop {
		l.log.Debug(msg, kv...)
		return
	}
	if msg == onFailure && l.why != nil {
		l.failed(kv)
		return
	}
	l.log.Error(msg, kv...)
}

// failed keeps and logs the reason for people; the stack trace is for level debug.
func (l *logger) failed(kv []any) {
	l.log.Debug(onFailure, kv...)
	for i := 0; i+1 < len(kv); i += 2 {
		if kv[i] == "err" {
			err, isError := kv[i+1].(error)
			if !isError {
				err = fmt.Errorf("%v", kv[i+1])
			}
			l.why.set(err)
			l.log.Error("consensus cannot go on, so this node stops", "error", err)
		}
	}
}
