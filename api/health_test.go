package api

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
)

func TestOneFailedCheckIsNotWell(t *testing.T) {
	for _, c := range []struct {
		checks []Check
		want   int
	}{
		{nil, 200},
		{[]Check{{"store", true, "writes succeed"}}, 200},
		{[]Check{{"store", true, "writes succeed"}, {"disk", false, "the disk is nearly full"}}, 503},
	} {
		w := httptest.NewRecorder()
		answerHealth(w, c.checks)
		var h health
		if err := json.Unmarshal(w.Body.Bytes(), &h); err != nil {
			t.Fatal(err)
		}
		if w.Code != c.want || h.OK != (c.want == 200) || len(h.Checks) != len(c.checks) {
			t.Errorf("%v: %d %s", c.checks, w.Code, w.Body)
		}
	}
}
