package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// gathered is a list of the API: as many of its pages as were asked for.
type gathered struct {
	Items []json.RawMessage `json:"items"`
	Next  string            `json:"next,omitempty"`
}

// perPage is the most that the API gives at once.
const perPage = 500

// gather asks for a list page after page until it ends, or holds the most things that
// are wanted. A page of the API can be short and still name a next one.
func (r *remote) gather(path string, query url.Values, most int) (gathered, error) {
	all := gathered{Items: []json.RawMessage{}}
	for {
		query.Set("limit", fmt.Sprint(min(perPage, most-len(all.Items))))
		var page gathered
		if _, err := r.ask(http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return all, err
		}
		all.Items, all.Next = append(all.Items, page.Items...), page.Next
		if page.Next == "" || len(all.Items) >= most {
			return all, nil
		}
		query.Set("cursor", page.Next)
	}
}

// itemsOf reads a list's items.
func itemsOf[T any](list gathered) ([]T, error) {
	out := make([]T, len(list.Items))
	for i, raw := range list.Items {
		if err := json.Unmarshal(raw, &out[i]); err != nil {
			return nil, notWell{fmt.Errorf("the answer is not ringbridge's: %w", err)}
		}
	}
	return out, nil
}
