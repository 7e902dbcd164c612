package check

import (
	"io"
	"os"
	"strconv"
	"strings"
)

// signs stand in front of a finding; colours are used on a terminal only.
var signs = map[Level]struct{ sign, colour string }{
	OK:     {"✓", "\x1b[32m"},
	Advice: {"!", "\x1b[33m"},
	Blocks: {"✗", "\x1b[31m"},
}

const plainColour = "\x1b[0m"

// Text writes the report for people, one paragraph a finding with what to do indented
// below it, and a last line that sums up. It colours the signs when w is a terminal and
// NO_COLOR (https://no-color.org) is not set. Errors of w are not reported.
func (r Report) Text(w io.Writer) {
	words, ok := languages[r.lang]
	if !ok {
		words = languages["en"]
	}
	coloured := isTerminal(w)
	var b strings.Builder
	b.WriteString(r.Project + "\n")
	for _, f := range r.Findings {
		s := signs[f.Level]
		if coloured {
			s.sign = s.colour + s.sign + plainColour
		}
		b.WriteString("\n" + s.sign + " " + f.Title + "\n")
		if f.Detail != "" {
			b.WriteString("  " + f.Detail + "\n")
		}
		if f.Remedy != "" {
			b.WriteString("    → " + f.Remedy + "\n")
		}
	}
	b.WriteString("\n" + r.sum(words) + "\n")
	_, _ = io.WriteString(w, b.String())
}

func (r Report) sum(words language) string {
	blocks, advice := r.count(Blocks), r.count(Advice)
	name := "sum.blocks"
	switch {
	case blocks == 0 && advice == 0:
		name = "sum.well"
	case blocks == 0:
		name = "sum.advice"
	}
	return strings.NewReplacer("{blocks}", strconv.Itoa(blocks), "{advice}", strconv.Itoa(advice)).Replace(words.words[name])
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
