package console

import (
	"strings"

	"github.com/ringbridge/ringbridge/pkg/service"
)

// Needs is the least role for an address of the API, by its pattern: whoever looks is a
// viewer, whoever puts right what is stuck an operator, and all else is an admin's.
func Needs(pattern string) service.Role {
	method, path, _ := strings.Cut(pattern, " ")
	switch {
	case method == "GET":
		return service.Viewer
	case strings.Contains(path, "/parked/"), strings.Contains(path, "/replays"):
		return service.Operator
	}
	return service.Admin
}
