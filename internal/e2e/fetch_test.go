//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// fetch posts JSON and returns the body of a good answer.
func fetch(url, body string) ([]byte, error) {
	resp, err := http.Post(url, "application/json", strings.NewReader(body)) // a test's own server
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, resp.Status, raw)
	}
	return raw, err
}
