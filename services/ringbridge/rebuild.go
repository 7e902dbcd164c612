package main

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
)

type rebuildCmd struct {
	View string `arg:"" help:"What to build again: analytics or console."`
	remote
}

// viewView is how far a read model is.
type viewView struct {
	Name      string
	Seq, Last uint64
}

// Run waits until the view has what was stored when the rebuild began. A view that reads
// some kinds of events only is complete when it gets no further for a moment.
func (r *rebuildCmd) Run(c console) error {
	if err := r.find(); err != nil {
		return err
	}
	if _, err := r.ask(http.MethodPost, "/api/v1/views/"+url.PathEscape(r.View)+"/rebuild", nil, nil); err != nil {
		return err
	}
	var until, seq uint64
	for still := 0; still < rebuilt && (until == 0 || seq < until); still++ {
		<-time.After(100 * time.Millisecond)
		v, err := r.progress()
		if err != nil {
			return err
		}
		if until == 0 {
			until = v.Last
		}
		if v.Seq != seq {
			still = 0
		}
		seq = v.Seq
		fmt.Fprintf(c.err, "\r%d of %d events ", seq, until)
	}
	fmt.Fprintln(c.err)
	if r.JSON {
		return printJSON(c.out, map[string]any{"view": r.View, "seq": seq, "last": until})
	}
	fmt.Fprintf(c.out, "%s is built again\n", r.View)
	return nil
}

// rebuilt is how many looks without a change mean that a view is complete.
const rebuilt = 20

func (r *rebuildCmd) progress() (v viewView, err error) {
	var list struct{ Items []viewView }
	if _, err := r.ask(http.MethodGet, "/api/v1/views", nil, &list); err != nil {
		return v, err
	}
	for _, v := range list.Items {
		if v.Name == r.View {
			return v, nil
		}
	}
	return v, fmt.Errorf("there is no view %s", r.View)
}
