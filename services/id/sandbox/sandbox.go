// Package sandbox stands in for a mobile operator and a bank, so that a person can be registered on one machine. Both are HTTP services
// with a page where what they sent can be read, and must never be reachable from outside: they show codes to whoever asks.
//
//	operator  POST /messages   {"to": "+821012345678", "text": "…"}
//	bank      POST /transfers  {"bank": "088", "account": "110123456789", "holder": "홍길동", "amount": "1", "memo": "…"}
//	both      GET  /?to=…      the page; with Accept: application/json the same as JSON, newest first
package sandbox

import (
	"encoding/json"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"
)

const (
	maxBody = 4 << 10
	// maxKept messages are shown; older ones are forgotten.
	maxKept = 1000
	// shown at a time.
	shown = 50
	// maxText bounds a message, a memo and a holder's name, in bytes.
	maxText = 200
)

// Message is one that was sent: to a phone, or as the memo of a transfer.
type Message struct {
	To   string    `json:"to"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// box is the last messages. It is safe for concurrent use.
type box struct {
	title string
	mu    sync.Mutex
	kept  []Message
}

func (b *box) add(to, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = append(b.kept, Message{to, text, time.Now()})
	if len(b.kept) > maxKept {
		b.kept = slices.Delete(b.kept, 0, len(b.kept)-maxKept)
	}
}

// to lists the newest messages, those for one receiver if it is named.
func (b *box) to(receiver string) (out []Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.kept) - 1; i >= 0 && len(out) < shown; i-- {
		if receiver == "" || b.kept[i].To == receiver {
			out = append(out, b.kept[i])
		}
	}
	return out
}

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="ko"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title><link rel="stylesheet" href="/sandbox.css"></head><body><main><h1>{{.Title}}</h1>
<p>시험용입니다. 실제로 보내지 않고 여기에 보여 줍니다. For trying out: nothing is really sent, it is shown here.</p>
<ul>{{range .Messages}}<li><b>{{.To}}</b> <time>{{.At.Format "15:04:05"}}</time><br>{{.Text}}</li>{{else}}<li>아직 없습니다. Nothing yet.</li>{{end}}</ul></main></body></html>`))

const sheet = `body{font-family:system-ui,sans-serif;line-height:1.5;margin:0;background:#f6f5f1;color:#1c211f}main{max-width:36rem;margin:0 auto;padding:1.25rem}
ul{padding:0}li{list-style:none;background:#fff;border:1px solid #dfddd5;border-radius:.6rem;padding:.7rem 1rem;margin:.6rem 0}time{color:#57605c}`

func (b *box) serve(mux *http.ServeMux) http.Handler {
	mux.HandleFunc("GET /sandbox.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		_, _ = w.Write([]byte(sheet)) // the reader may be gone
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		messages := b.to(r.URL.Query().Get("to"))
		if r.Header.Get("Accept") == "application/json" {
			answer(w, http.StatusOK, messages)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, struct { // the reader may be gone
			Title    string
			Messages []Message
		}{b.title, messages})
	})
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if origin.Check(r) != nil {
			http.Error(w, "a page of another origin may not call this", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

var (
	phone  = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
	digits = regexp.MustCompile(`^[0-9]{6,20}$`)
	bankNo = regexp.MustCompile(`^[0-9]{3}$`)
)

// NewOperator is a mobile operator.
func NewOperator() http.Handler {
	b := &box{title: "시험용 통신사 Sandbox operator"}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /messages", func(w http.ResponseWriter, r *http.Request) {
		var m struct{ To, Text string }
		if !read(w, r, &m) {
			return
		}
		if !phone.MatchString(m.To) || m.Text == "" || len(m.Text) > maxText {
			refuse(w, "operator.bad_message", "A message needs a number such as +821012345678 and a text of at most 200 bytes.")
			return
		}
		b.add(m.To, m.Text)
		answer(w, http.StatusCreated, struct{}{})
	})
	return b.serve(mux)
}

// NewBank is a bank with every account there may be. The first transfer to one says whose it is; a later one to another name is refused.
func NewBank() http.Handler {
	b := &box{title: "시험용 은행 Sandbox bank"}
	holders := map[string]string{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /transfers", func(w http.ResponseWriter, r *http.Request) {
		var m struct{ Bank, Account, Holder, Amount, Memo string }
		if !read(w, r, &m) {
			return
		}
		if !bankNo.MatchString(m.Bank) || !digits.MatchString(m.Account) || m.Holder == "" || m.Amount != "1" || m.Memo == "" || len(m.Memo) > maxText || len(m.Holder) > maxText {
			refuse(w, "bank.bad_transfer", "A transfer needs a bank of three digits, an account of 6 to 20 digits, its holder, the amount 1 and a memo.")
			return
		}
		to := m.Bank + " " + m.Account
		b.mu.Lock()
		holder, known := holders[to]
		if !known && len(holders) < maxKept {
			holders[to] = m.Holder
		}
		b.mu.Unlock()
		if known && holder != m.Holder {
			refuse(w, "bank.other_holder", "The account belongs to somebody else.")
			return
		}
		b.add(to, m.Memo)
		answer(w, http.StatusCreated, struct{}{})
	})
	return b.serve(mux)
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		refuse(w, "sandbox.malformed", "The request is no JSON, or larger than 4 KiB.")
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, code, message string) {
	answer(w, http.StatusBadRequest, map[string]string{"code": code, "message": message})
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the reader may be gone
}
