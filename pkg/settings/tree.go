package settings

import (
	"strconv"
	"unicode/utf8"
)

// position is a place in the file, from 1; zero where there is none.
type position struct{ line, column int }

type kind int

const (
	nothing kind = iota // an empty value or null: as if the key were not there
	text
	list
	block
	broken // already reported; whoever reads it says nothing more
)

// node is one value of the settings, from YAML or from JSON.
type node struct {
	kind    kind
	at      position
	value   string // of a text, with the environment filled in
	written string // of a text, as it stands in the file: what a message may show
	items   []*node
	entries []entry
}

// entry is one key of a block. Keys may repeat; the reader objects.
type entry struct {
	key   string
	at    position
	value *node
}

// Nesting and size beyond any settings, so that a few lines of anchors that
// multiply each other, or a hostile body, are refused instead of expanded.
const (
	maxDepth = 20
	maxNodes = 100_000
)

// shown returns a text as a message may show it: as written, not as filled in.
func (n *node) shown() string {
	const longest = 60
	written := n.written
	if utf8.RuneCountInString(written) > longest {
		written = string([]rune(written)[:longest]) + "…"
	}
	return strconv.Quote(written)
}

// name says what kind of value it is, for "is a list".
func (n *node) name() string {
	switch n.kind {
	case list:
		return "a list"
	case block:
		return "a block of keys"
	case text:
		return "a single value"
	default:
		return "empty"
	}
}
