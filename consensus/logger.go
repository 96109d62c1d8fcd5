package consensus

import (
	"log/slog"

	cmtlog "github.com/cometbft/cometbft/libs/log"
)

// logger passes CometBFT's log lines on to slog; its info lines are debug lines here.
type logger struct{ log *slog.Logger }

// onStop is what CometBFT logs as an error when it is told to stop.
const onStop = "Stopped accept routine, as transport is closed"

func (l *logger) Debug(string, ...any)         {}
func (l *logger) Info(msg string, kv ...any)   { l.log.Debug(msg, kv...) }
func (l *logger) Warn(msg string, kv ...any)   { l.log.Warn(msg, kv...) }
func (l *logger) With(kv ...any) cmtlog.Logger { return &logger{l.log.With(kv...)} }
func (l *logger) Error(msg string, kv ...any) {
	if msg == onStop {
		l.log.Debug(msg, kv...)
		return
	}
	l.log.Error(msg, kv...)
}
