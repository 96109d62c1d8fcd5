package openid4vp

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
)

func TestChooseDiscloses(t *testing.T) {
	card := held(t, "card", map[string]any{
		"last_name": sdjwt.Hide("Doe"), "first_name": sdjwt.Hide("John"),
		"address":       sdjwt.Hide(map[string]any{"street_address": sdjwt.Hide("42 Market Street"), "locality": sdjwt.Hide("Milliways"), "postal_code": sdjwt.Hide("12345")}),
		"degrees":       []any{sdjwt.Hide(map[string]any{"type": "Bachelor", "university": "Betelgeuse"}), sdjwt.Hide(map[string]any{"type": "Master", "university": "Betelgeuse"})},
		"nationalities": sdjwt.Hide([]any{"British", "Betelgeusian"}),
	})
	vct := credential.SchemaName(network, "card")
	for query, want := range map[string]string{
		// After the examples of OpenID4VP 1.0, sections 6 and 7 and appendix D.
		`"claims":[{"path":["last_name"]},{"path":["first_name"]},{"path":["address","street_address"]}]`: "address address.street_address first_name last_name",
		`"claims":[{"path":["address"]}]`:                                          "address address.locality address.postal_code address.street_address",
		`"claims":[{"path":["degrees",null,"type"]}]`:                              "degrees.0 degrees.1",
		`"claims":[{"path":["degrees",1]}]`:                                        "degrees.1",
		`"claims":[{"path":["degrees",null,"type"],"values":["Master"]}]`:          "degrees.1",
		`"claims":[{"path":["nationalities",1]}]`:                                  "nationalities",
		`"claims":[{"path":["address","postal_code"],"values":["90210","12345"]}]`: "address address.postal_code",
		`"claims":[{"id":"a","path":["last_name"]},{"id":"b","path":["height"]},{"id":"c","path":["first_name"]}],"claim_sets":[["a","b"],["a","c"]]`: "first_name last_name",
		`"claims":[]`:                    "",
		`"claims":[{"path":["height"]}]`: "none",
		`"claims":[{"path":["last_name"],"values":["Smith"]}]`:       "none",
		`"claims":[{"path":["last_name",0]}]`:                        "none",
		`"claims":[{"path":["degrees","type"]}]`:                     "none",
		`"claims":[{"path":["nationalities"],"values":["British"]}]`: "none",
	} {
		q, err := ParseQuery([]byte(`{"credentials":[{"id":"my_credential","format":"dc+sd-jwt","meta":{"vct_values":["` + vct + `"]},` + query + `}]}`))
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		have := "none"
		chosen, err := q.Choose([]*credential.Credential{resident(t), card})
		if err == nil {
			slices.Sort(chosen[0].Disclose)
			have = strings.Join(chosen[0].Disclose, " ")
		} else {
			wantCode(t, err, "presentation.no_match")
		}
		if have != want {
			t.Errorf("%s: discloses %s, want %s", query, have, want)
		}
	}
}

// TestQueries answers the queries of testdata/dcql.json, after those of OpenID4VP 1.0, appendix D: each member at the top of what is held can be withheld. The TypeScript
// SDK answers them alike, and its tests hold both against another implementation of DCQL.
func TestQueries(t *testing.T) {
	b, err := os.ReadFile("testdata/dcql.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name  string
		Query json.RawMessage
		Held  []struct {
			Schema string
			Claims map[string]any
		}
		Shown map[string][]string
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		q, err := ParseQuery(v.Query)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		var mine []*credential.Credential
		for _, h := range v.Held {
			for name, claim := range h.Claims {
				h.Claims[name] = sdjwt.Hide(claim)
			}
			mine = append(mine, held(t, h.Schema, h.Claims))
		}
		chosen, err := q.Choose(mine)
		var have map[string][]string
		if err != nil {
			wantCode(t, err, "presentation.no_match")
		} else {
			have = map[string][]string{}
		}
		for _, a := range chosen {
			have[a.Query] = slices.Sorted(slices.Values(a.Disclose))
		}
		if !maps.EqualFunc(have, v.Shown, slices.Equal) || have == nil != (v.Shown == nil) {
			t.Errorf("%s: shows %v, want %v", v.Name, have, v.Shown)
		}
	}
}

// TestIndexedElement: the second element of an array is shown without the first, where it is the first.
func TestIndexedElement(t *testing.T) {
	s := newSite(t, nil)
	card := held(t, "card", map[string]any{"degrees": []any{sdjwt.Hide("Bachelor"), sdjwt.Hide("Master")}})
	q, err := ParseQuery([]byte(`{"credentials":[{"id":"c","format":"dc+sd-jwt","meta":{"vct_values":["` + credential.SchemaName(network, "card") + `"]},"claims":[{"path":["degrees",1]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Begin(q, "")
	if err != nil {
		t.Fatal(err)
	}
	r := s.fetch(t, b.URI)
	chosen, err := r.Query.Choose([]*credential.Credential{card})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.wallet().Answer(t.Context(), r, chosen, holder, clock); err != nil {
		t.Fatal(err)
	}
	result, err := s.Result(b.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if degrees := result.Presented["c"][0].Claims["degrees"].([]any); len(degrees) != 1 || degrees[0] != "Master" {
		t.Errorf("%v", degrees)
	}
}

func TestCredentialSets(t *testing.T) {
	q := func(sets string) (Query, error) {
		one := func(id, schema string) string {
			return `{"id":"` + id + `","format":"dc+sd-jwt","meta":{"vct_values":["` + credential.SchemaName(network, schema) + `"]}}`
		}
		return ParseQuery([]byte(`{"credentials":[` + one("pid", "pid") + "," + one("res", "resident") + "," + one("card", "card") + `],"credential_sets":[` + sets + `]}`))
	}
	mine := []*credential.Credential{resident(t), held(t, "card", nil)}
	for sets, want := range map[string]string{
		`{"options":[["pid"],["res"]]}`:                                      "res",
		`{"options":[["pid"],["res","card"]]}`:                               "res card",
		`{"options":[["res"]]},{"options":[["card"]],"required":false}`:      "res",
		`{"options":[["res"]]},{"options":[["pid"]],"required":false}`:       "res",
		`{"options":[["pid"]]}`:                                              "none",
		`{"options":[["pid","res"]]},{"options":[["res"]],"required":false}`: "none",
	} {
		query, err := q(sets)
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		chosen, err := query.Choose(mine)
		for _, a := range chosen {
			have = append(have, a.Query)
		}
		if err != nil {
			have = []string{"none"}
		}
		if strings.Join(have, " ") != want {
			t.Errorf("%s: %v, want %s", sets, have, want)
		}
	}
}

func TestBadQueries(t *testing.T) {
	meta := `"meta":{"vct_values":["x"]}`
	for query, code := range map[string]string{
		`[]`: "presentation.bad_request", `{}`: "presentation.bad_request", `{"credentials":1}`: "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt"}]}`:                                                           "presentation.bad_request",
		`{"credentials":[{"id":"a b","format":"dc+sd-jwt",` + meta + `}]}`:                                            "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `},{"id":"a","format":"dc+sd-jwt",` + meta + `}]}`: "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `,"claims":[{"path":[]}]}]}`:                       "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `,"claims":[{"path":[-1]}]}]}`:                     "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `,"claims":[{"path":[1.5]}]}]}`:                    "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `,"claims":[{"path":[true]}]}]}`:                   "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `,"claims":[{"path":["a"],"values":[{}]}]}]}`:      "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `,"claim_sets":[["a"]]}]}`:                         "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `}],"credential_sets":[{"options":[["b"]]}]}`:      "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `}],"credential_sets":[{"options":[]}]}`:           "presentation.bad_request",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `,"require_cryptographic_holder_binding":false}]}`: "presentation.unsupported",
		`{"credentials":[{"id":"a","format":"dc+sd-jwt",` + meta + `,"trusted_authorities":[{"type":"aki"}]}]}`:       "presentation.unsupported",
		`{"credentials":[` + strings.Repeat(`{"id":"a","format":"x"},`, 20) + `{"id":"a","format":"x"}]}`:             "presentation.too_large",
	} {
		if _, err := ParseQuery([]byte(query)); fault.Code(err) != code {
			t.Errorf("%.120s: have %v, want %s", query, err, code)
		}
	}
}
