package shop

import (
	"html/template"
	"net/http"
)

var front = template.Must(template.New("").Parse(`<!doctype html><html lang="ko"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Shop.Name}}</title><link rel="stylesheet" href="/shop.css"></head><body><main><h1>{{.Shop.Name}}</h1>
{{with .Wrong}}<p role="alert" class="wrong">로그인하지 못했습니다. Not signed in: {{.}}</p>{{end}}
{{with .Visitor}}<p id="welcome">어서 오세요. {{.Via}}(으)로 로그인했습니다. <span lang="en">Welcome: you came by {{.Via}}.</span></p>
<dl><div><dt>고객 번호 <span lang="en">Your number here</span></dt><dd><code id="subject">{{.Subject}}</code></dd></div>
{{range $name, $value := .Told}}<div><dt><code>{{$name}}</code></dt><dd>{{$value}}</dd></div>{{end}}</dl>
<p><a class="button" href="/logout">로그아웃 Sign out</a></p>
{{else}}<p>두레 계정으로 로그인해 보세요. 어느 회원 기관으로 와도 됩니다. <span lang="en">Sign in with your Dure account, by any member.</span></p>
{{range $i, $p := .Shop.Providers}}<p><a class="button" href="/login?via={{$i}}">{{$p.Name}}(으)로 두레 로그인 <span lang="en">Sign in with Dure</span></a></p>{{end}}{{end}}
</main></body></html>`))

const sheet = `body{font-family:system-ui,"Noto Sans KR","Noto Sans CJK KR",sans-serif;line-height:1.55;margin:0;background:#f2f3f7;color:#1d1f27;word-break:keep-all;overflow-wrap:anywhere}
main{max-width:34rem;margin:0 auto;padding:1.5rem 1rem}.button{display:block;padding:.8rem 1rem;border-radius:.5rem;background:#2f3e8f;color:#fff;text-decoration:none;font-weight:600;text-align:center}
:focus-visible{outline:3px solid #2f3e8f;outline-offset:2px}.wrong{background:#fbe6e4;color:#a02020;padding:.8rem 1rem;border-radius:.5rem}dl>div{padding:.4rem 0;border-top:1px solid #d6d8e2}dt{color:#555a6e}dd{margin:0}`

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css")
	_, _ = w.Write([]byte(sheet)) // the reader may be gone
}

type view struct {
	Shop    Config
	Visitor *visitor
	Wrong   string
}

func (s *Shop) front(w http.ResponseWriter, r *http.Request) {
	v, _ := s.visitor(r)
	s.draw(w, http.StatusOK, view{Shop: s.config, Visitor: v})
}

func (s *Shop) fail(w http.ResponseWriter, err error) {
	s.draw(w, http.StatusBadRequest, view{Shop: s.config, Wrong: err.Error()})
}

func (s *Shop) draw(w http.ResponseWriter, status int, v view) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = front.Execute(w, v) // the reader may be gone
}
