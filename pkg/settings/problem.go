package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Problem is one thing that is wrong with the settings, said so that it can be
// mended without the documentation.
type Problem struct {
	File   string // as it was given; empty for settings that came by the API
	Line   int    // from 1; 0 where there are no lines
	Column int    // from 1; 0 where there are no lines
	Key    string // path of the key, "projects[0].employees[2].code"; empty for the file as a whole
	What   string // what is wrong; holds no secret and no text from the environment
	Want   string // what a right value looks like; may be empty
}

// Error returns the problem as one line: "file:line: key: what; want ...".
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.What)
	if p.Want != "" {
		b.WriteString("; want " + p.Want)
	}
	return b.String()
}

// Problems is every problem of one file at once, in the order of the file: who
// mends a file should not have to start the program once per mistake. It is
// never empty when it is returned as an error.
type Problems []Problem

// Error returns one line per problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// report collects problems while a file is read.
type report struct {
	file  string
	found Problems
	files bool     // the files that the settings name must be there
	only  []string // where not empty: what is wrong elsewhere is not reported
}

// maxProblems ends the list where nobody reads on: what has more is no settings.
const maxProblems = 1000

func (r *report) add(at position, key, what, want string) {
	if len(r.found) == maxProblems || !r.matters(key) {
		return
	}
	p := Problem{File: r.file, Line: at.line, Column: at.column, Key: oneLine(key), What: oneLine(what), Want: oneLine(want)}
	// An anchor is read once per use, and its mistake is still one mistake.
	same := func(q Problem) bool {
		sameKey := p.Line > 0 && lastKey(q.Key) == lastKey(p.Key) || q.Key == p.Key
		return sameKey && q.Line == p.Line && q.Column == p.Column && q.What == p.What
	}
	if !slices.ContainsFunc(r.found, same) {
		r.found = append(r.found, p)
	}
}

// matters says whether anybody wants to know what is wrong with a key.
func (r *report) matters(key string) bool {
	outermost, _, _ := strings.Cut(key, ".")
	outermost, _, _ = strings.Cut(outermost, "[")
	return len(r.only) == 0 || key == "" || slices.Contains(r.only, outermost)
}

// err returns the problems as an error, or nil.
func (r *report) err() error {
	if len(r.found) == 0 {
		return nil
	}
	slices.SortStableFunc(r.found, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return r.found
}

func lastKey(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// oneLine keeps a text on the one line that a problem is: keys come from the
// file as they are.
func oneLine(text string) string {
	const longest = 500
	letters := []rune(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, text))
	if len(letters) > longest {
		letters = append(letters[:longest], '…')
	}
	return string(letters)
}
