package pages

import (
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
)

// parse makes each page a template of its own: templates/NAME.html, which defines
// "title" and "main", inside templates/layout.html, with the pieces of
// templates/pieces.html at hand.
func parse() map[string]*template.Template {
	base := template.Must(template.New("").Funcs(functions).ParseFS(templates, "templates/layout.html", "templates/pieces.html"))
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is constant
	}
	out := map[string]*template.Template{}
	for _, name := range names {
		short := strings.TrimSuffix(path.Base(name), ".html")
		if short == "layout" || short == "pieces" {
			continue
		}
		out[short] = template.Must(template.Must(base.Clone()).ParseFS(templates, name))
	}
	return out
}

// functions are what every template can use beside the methods of [shown].
var functions = template.FuncMap{
	"join": strings.Join,
	// piece hands a piece of a page several values, which it reads as .V.NAME:
	// {{template "state" (piece . "state" .Data.State)}}.
	"piece": newPiece,
}

// piece is a piece's data: the page's, and named values.
type piece struct {
	shown
	V map[string]any
}

func newPiece(in any, pairs ...any) (piece, error) {
	p := piece{V: map[string]any{}}
	switch in := in.(type) {
	case shown:
		p.shown = in
	case piece:
		p.shown = in.shown
	default:
		return p, fmt.Errorf("a piece is made from the page, not from %T; inside range and with, that is $", in)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return p, fmt.Errorf("value %d of a piece has no name", i/2)
		}
		p.V[name] = pairs[i+1]
	}
	return p, nil
}
