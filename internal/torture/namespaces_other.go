//go:build !linux

package torture

import "errors"

func newNamespaces(int, uint64) (fabric, error) {
	return nil, errors.New("torture: network namespaces are Linux's")
}
