//go:build faults

package fault

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// The environment of a broken process: KillAt is "name" or "name:n" for the n-th pass
// of that point; Variant is the wrong variant that is on; PointsFile, where set, gets
// the name of every point that is passed, one a line.
const (
	KillAt     = "RINGBRIDGE_KILL_AT"
	Variant    = "RINGBRIDGE_WRONG"
	PointsFile = "RINGBRIDGE_POINTS"
)

var (
	killAt, killOn = target(os.Getenv(KillAt))
	passed         atomic.Int64
	variant        = os.Getenv(Variant)
	points         = open(os.Getenv(PointsFile))
)

func target(s string) (name string, pass int64) {
	name, n, _ := strings.Cut(s, ":")
	pass, err := strconv.ParseInt(n, 10, 64)
	if err != nil {
		pass = 1
	}
	return name, pass
}

func open(name string) *os.File {
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	return f
}

// Point ends the process with SIGKILL where the environment asks for it: no deferred
// function runs, nothing is flushed.
func Point(parts ...string) {
	if killAt == "" && points == nil {
		return
	}
	name := strings.Join(parts, "/")
	if points != nil {
		_, _ = points.WriteString(name + "\n")
	}
	if name == killAt && passed.Add(1) == killOn {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// Wrong says whether the wrong variant of that name is on.
func Wrong(name string) bool { return name == variant }
