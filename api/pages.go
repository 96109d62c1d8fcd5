package api

import "net/http"

type live struct{}

func (s *Server) pages(mux *http.ServeMux) {}
