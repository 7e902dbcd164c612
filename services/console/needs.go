package console

import (
	"strings"

	"github.com/ringbridge/ringbridge/pkg/service"
)

// Needs is the least role for an address of the API, by its pattern: whoever looks, or
// changes the own password, is a viewer, whoever puts right what is stuck an operator; all
// else, and who the people are, what they did, and the backup that holds all of it, is an
// admin's.
func Needs(pattern string) service.Role {
	method, path, _ := strings.Cut(pattern, " ")
	switch {
	case strings.HasPrefix(path, "/api/v1/people"), path == "/api/v1/audit", path == "/api/v1/backup":
		return service.Admin
	case strings.HasSuffix(path, "/hook/addresses"), strings.HasSuffix(path, "/ringostat/employees"):
		return service.Admin // secrets, and requests to Ringostat
	case method == "GET", path == "/api/v1/me/password":
		return service.Viewer
	case strings.Contains(path, "/parked/"), strings.Contains(path, "/replays"):
		return service.Operator
	}
	return service.Admin
}
