package api

import (
	"encoding/json"
	"net/http"
)

// Check is one thing that must be so for a node to be well.
type Check struct {
	// Name is one word for programs: store, peers, disk.
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Reason says how it is, for people; when it is not OK also what to do.
	Reason string `json:"reason"`
}

// health is what /healthz and /readyz answer.
type health struct {
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`
}

// alive says whether the process can commit; if not, it should be started again.
func (s *Server) alive(w http.ResponseWriter, _ *http.Request) {
	var checks []Check
	if s.checks.Live != nil {
		checks = s.checks.Live()
	}
	answerHealth(w, checks)
}

// ready says whether the node should be asked: it is not while it stops, catches up, or could not commit anything.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	checks := s.readiness()
	select {
	case <-s.stopping:
		checks = append(checks, Check{"running", false, "the node is stopping; ask another"})
	default:
	}
	answerHealth(w, checks)
}

// readiness are the node's own checks, or the one that every ledger has.
func (s *Server) readiness() []Check {
	if s.checks.Ready != nil {
		return s.checks.Ready()
	}
	if s.ledger.Status().CatchingUp {
		return []Check{{"caught_up", false, "the node is catching up with the others; ask another, or again in a moment"}}
	}
	return []Check{{"caught_up", true, "up to date"}}
}

func answerHealth(w http.ResponseWriter, checks []Check) {
	h := health{OK: true, Checks: checks}
	if h.Checks == nil {
		h.Checks = []Check{}
	}
	for _, c := range checks {
		h.OK = h.OK && c.OK
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !h.OK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(h) // the caller may be gone
}
