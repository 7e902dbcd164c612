package settings

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The environment is filled in after YAML was read, so that no text from it can
// become structure. But `${NAME}` holds braces, which YAML reads as structure
// inside [...] and {...}. So the braces of a reference become two characters
// that no settings hold, one for one, so that columns stay right.
const (
	openMark  = "\ue000"
	closeMark = "\ue001"
)

var (
	reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	marked    = regexp.MustCompile(`\$` + openMark + `([A-Za-z_][A-Za-z0-9_]*)` + closeMark)
	unmark    = strings.NewReplacer(openMark, "{", closeMark, "}")
)

// yamlTree reads the one YAML document in data and fills the environment in.
// What it can't read it reports; an empty text is an empty block.
func yamlTree(r *report, data []byte, env func(string) (string, bool)) *node {
	empty := &node{kind: block, at: position{1, 1}}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if at, ok := unreadable(data); !ok {
		r.add(at, "", "holds characters that are not text", "UTF-8")
		return empty
	}
	file, err := parseYAML(reference.ReplaceAll(data, []byte("$$"+openMark+"${1}"+closeMark)))
	if err != nil {
		at, what := syntaxProblem(err)
		r.add(at, "", what, "YAML: `key: value` lines, indented by spaces; values that hold : # [ { or start with a sign in quotes")
		return empty
	}
	var documents []ast.Node
	for _, document := range file.Docs {
		if document.Body != nil && document.Body.Type() != ast.DirectiveType {
			documents = append(documents, document.Body)
		}
	}
	if len(documents) == 0 {
		return empty
	}
	if len(documents) > 1 {
		r.add(place(documents[1]), "", "starts a second document", "one document: remove the `---` between them")
		return empty
	}
	c := &converter{report: r, env: env, anchors: map[string]ast.Node{}, open: map[string]bool{}}
	return c.convert(documents[0], "", 0)
}

// unreadable finds the first byte that is not UTF-8 or is one of our marks.
func unreadable(data []byte) (position, bool) {
	at := len(data)
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && size <= 1 || c == 0 || string(c) == openMark || string(c) == closeMark {
			at = i
			break
		}
		i += size
	}
	if at == len(data) {
		return position{}, true
	}
	before := data[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	return position{bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1}, false
}

// parseYAML turns a panic of the parser into an error: a file may be anything,
// and the program that reads it must say so in its own words.
func parseYAML(data []byte) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			file, err = nil, errors.New("cannot be read as YAML")
		}
	}()
	// Repeated keys are reported by the reader, with the others.
	return parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
}

// syntaxProblem takes place and message out of a parser's error and leaves the
// excerpt of the file behind, which may show a secret that stands in it.
func syntaxProblem(err error) (position, string) {
	var syntax yaml.Error
	if !errors.As(err, &syntax) {
		return position{}, "cannot be read as YAML"
	}
	at := position{}
	if t := syntax.GetToken(); t != nil {
		at = tokenPlace(t)
	}
	message := strings.ReplaceAll(unmark.Replace(syntax.GetMessage()), "'\t'", "tab")
	if strings.HasPrefix(message, "invalid header option") { // quotes the rest of the line
		message = "invalid text after | or >"
	}
	return at, "is not YAML from here on: " + message
}

func tokenPlace(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{}
	}
	return position{t.Position.Line, t.Position.Column}
}

func place(n ast.Node) position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return tokenPlace(m.Values[0].Key.GetToken())
	}
	return tokenPlace(n.GetToken())
}

type converter struct {
	report  *report
	env     func(string) (string, bool)
	anchors map[string]ast.Node
	open    map[string]bool // anchors that are being read: one may not hold itself
	nodes   int

	tooLarge bool
}

func (c *converter) broken(at position, path, what, want string) *node {
	c.report.add(at, path, what, want)
	return &node{kind: broken, at: at}
}

func (c *converter) convert(n ast.Node, path string, depth int) *node {
	if n == nil {
		return &node{}
	}
	at := place(n)
	c.nodes++
	if depth > maxDepth || c.nodes > maxNodes {
		c.nodes = maxNodes // from here on nothing is read
		if !c.tooLarge {
			c.tooLarge = true
			c.report.add(at, "", "is nested too deeply or grows too large through its anchors", "settings without such a construction")
		}
		return &node{kind: broken, at: at}
	}
	switch n := n.(type) {
	case *ast.NullNode:
		return &node{at: at}
	case *ast.StringNode:
		return c.text(at, path, n.Value)
	case *ast.LiteralNode:
		return c.text(at, path, n.Value.Value)
	case *ast.MappingNode:
		return c.block(n, at, path, depth)
	case *ast.MappingValueNode:
		return c.block(&ast.MappingNode{Values: []*ast.MappingValueNode{n}}, tokenPlace(n.Key.GetToken()), path, depth)
	case *ast.SequenceNode:
		items := make([]*node, len(n.Values))
		for i, value := range n.Values {
			items[i] = c.convert(value, fmt.Sprintf("%s[%d]", path, i), depth+1)
		}
		return &node{kind: list, at: at, items: items}
	case *ast.AnchorNode:
		name := n.Name.GetToken().Value
		c.open[name] = true
		value := c.convert(n.Value, path, depth+1)
		delete(c.open, name)
		c.anchors[name] = n.Value
		return value
	case *ast.AliasNode:
		return c.alias(n, at, path, depth)
	case *ast.TagNode:
		known := []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq"}
		if !slices.Contains(known, n.Start.Value) {
			return c.broken(at, path, "has a YAML tag, which means nothing here", "the value without its !tag")
		}
		return c.convert(n.Value, path, depth+1)
	case ast.ScalarNode:
		return c.text(at, path, n.GetToken().Value)
	default:
		return c.broken(at, path, "is a YAML construction that means nothing here", "a value, a list or a block of keys")
	}
}

func (c *converter) alias(n *ast.AliasNode, at position, path string, depth int) *node {
	name := n.Value.GetToken().Value
	anchored, known := c.anchors[name]
	switch {
	case c.open[name]:
		return c.broken(at, path, "uses an anchor inside itself", "an anchor that ends before it is used")
	case !known:
		return c.broken(at, path, fmt.Sprintf("uses the anchor *%s, which nothing above defines", unmark.Replace(name)), "an anchor that stands above as &"+unmark.Replace(name))
	}
	c.open[name] = true
	defer delete(c.open, name)
	return c.convert(anchored, path, depth+1)
}

func (c *converter) block(m *ast.MappingNode, at position, path string, depth int) *node {
	result := &node{kind: block, at: at}
	var merged []entry
	for _, pair := range m.Values {
		keyAt := tokenPlace(pair.Key.GetToken())
		if pair.Key.IsMergeKey() {
			merged = append(merged, c.merge(pair.Value, path, depth)...)
			continue
		}
		key := unmark.Replace(pair.Key.GetToken().Value)
		value := c.convert(pair.Value, join(path, key), depth+1)
		if value.kind != text && value.kind != broken {
			value.at = keyAt
		}
		result.entries = append(result.entries, entry{key, keyAt, value})
	}
	// A key of the block itself goes before one that is merged in.
	own := map[string]bool{}
	for _, e := range result.entries {
		own[e.key] = true
	}
	for _, e := range merged {
		if !own[e.key] {
			own[e.key] = true
			result.entries = append(result.entries, e)
		}
	}
	return result
}

// merge reads what stands behind `<<:`, a block or a list of blocks.
func (c *converter) merge(n ast.Node, path string, depth int) []entry {
	value := c.convert(n, path, depth+1)
	parts := []*node{value}
	if value.kind == list {
		parts = value.items
	}
	var entries []entry
	for _, part := range parts {
		if part.kind != block && part.kind != broken {
			c.report.add(place(n), join(path, "<<"), "is "+part.name(), "a block of keys to take over")
		}
		entries = append(entries, part.entries...)
	}
	return entries
}

// text fills the environment into one value. A variable's text is taken as it
// is: it is never read again, neither as YAML nor for references.
func (c *converter) text(at position, path, value string) *node {
	n := &node{kind: text, at: at, written: unmark.Replace(value)}
	n.value = marked.ReplaceAllStringFunc(value, func(match string) string {
		name := marked.FindStringSubmatch(match)[1]
		found, ok := c.env(name)
		if !ok {
			c.report.add(at, path, "takes the environment variable "+name+", which is not set", "`export "+name+"=...` before the start, or the value itself")
			n.kind = broken
		}
		return found
	})
	if strings.Contains(marked.ReplaceAllString(value, ""), "${") {
		return c.broken(at, path, "holds a ${ that is no reference to the environment", "${NAME} with a name of letters, digits and _")
	}
	return n
}

// join makes the path of a key.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
