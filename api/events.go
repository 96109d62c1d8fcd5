package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/dureledger/dure/api/web"
)

const (
	// liveEvery is the shortest time between two events to one browser, liveIdle the longest.
	liveEvery = time.Second
	liveIdle  = 10 * time.Second
)

// live keeps the last event in each language: a thousand browsers cost one drawing a second.
type live struct {
	mu    sync.Mutex
	drawn map[string]liveEvent
}

type liveEvent struct {
	at   time.Time
	data []byte
}

// liveData is one event: parts of the front page as HTML.
type liveData struct {
	Figures string `json:"figures"`
	Recent  string `json:"recent"`
}

// events is the stream that keeps the front page fresh (server-sent events, WHATWG HTML section 9.2).
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	lang := web.Language(w, r)
	control := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = fmt.Fprint(w, "retry: 3000\n\n")
	pace := time.NewTicker(liveEvery)
	defer pace.Stop()
	idle := time.NewTicker(liveIdle)
	defer idle.Stop()
	for {
		advanced := s.ledger.Advanced()
		data, err := s.event(lang)
		if err != nil {
			s.log.Error("the live part of the page could not be drawn", "error", err)
			return
		}
		if _, err := fmt.Fprintf(w, "event: live\ndata: %s\n\n", data); err != nil {
			return
		}
		if control.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.stopping:
			return
		case <-pace.C:
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.stopping:
			return
		case <-advanced:
		case <-idle.C:
		}
	}
}

// event is the live part of the page in a language, drawn at most once a liveEvery.
func (s *Server) event(lang string) ([]byte, error) {
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	if e, ok := s.live.drawn[lang]; ok && time.Since(e.at) < liveEvery/2 {
		return e.data, nil
	}
	figures, recent, err := s.site.Fragments(lang, s.liveView())
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(liveData{figures, recent})
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if s.live.drawn == nil {
		s.live.drawn = map[string]liveEvent{}
	}
	s.live.drawn[lang] = liveEvent{time.Now(), data}
	return data, nil
}
