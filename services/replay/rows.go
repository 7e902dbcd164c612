package replay

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

// This file reads the rows of a plan, page by page: in the order of the calls, or each
// kind by itself.

// wish is which rows are asked for.
type wish struct {
	all   bool     // in the order of the calls: also those that stay the same
	kinds []string // these only, one kind after the other; nil for the order of the calls
	kind  string   // the first one of them that was not all shown yet
	after int      // the last row that was shown
	limit int
}

// readWish reads the parameters of a request.
func readWish(q url.Values) (w wish, err error) {
	w.all = slices.Contains([]string{"true", "1", "yes"}, strings.ToLower(q.Get("all")))
	switch order := q.Get("order"); order {
	case "", "call":
	case "kind":
		if w.kinds = replayplan.Kinds; !w.all {
			w.kinds = slices.DeleteFunc(slices.Clone(w.kinds), func(k string) bool { return k == replayplan.Same })
		}
	default:
		return w, errors.New("order is call or kind")
	}
	if kind := q.Get("kind"); kind != "" {
		if !slices.Contains(replayplan.Kinds, kind) {
			return w, errors.New("kind is one of " + strings.Join(replayplan.Kinds, ", "))
		}
		w.kinds = []string{kind}
	}
	cursor := q.Get("cursor")
	if w.kinds != nil && cursor != "" {
		if w.kind, cursor, _ = strings.Cut(cursor, "."); !slices.Contains(w.kinds, w.kind) {
			return w, errors.New("cursor is next of the page before, of the same order and kind")
		}
	}
	if w.limit, err = strconv.Atoi(cmp.Or(q.Get("limit"), "100")); err != nil || w.limit < 1 || w.limit > mostRows {
		return w, fmt.Errorf("limit is a number from 1 to %d", mostRows)
	}
	if w.after, err = strconv.Atoi(cmp.Or(cursor, "0")); err != nil || w.after < 0 {
		return w, errors.New("cursor is next of the page before")
	}
	return w, nil
}

// mostRows is how many rows one page may have.
const mostRows = 1000

// rows are a page of the plan, and the cursor of the next.
func (b *book) rows(ctx context.Context, w wish) (out []replayplan.Row, next string, err error) {
	if w.kinds == nil {
		out, last, more, err := b.read(ctx, w.limit, "n > ? AND (? OR kind <> 'same')", w.after, w.all)
		if more {
			next = strconv.Itoa(last)
		}
		return out, next, err
	}
	for _, kind := range w.kinds[max(0, slices.Index(w.kinds, w.kind)):] {
		which := "kind = ? AND n > ?"
		if kind != replayplan.Same {
			which += " AND kind <> 'same'" // or the index of the kinds is not used
		}
		page, last, more, err := b.read(ctx, w.limit-len(out), which, kind, w.after)
		if err != nil {
			return nil, "", err
		}
		if out = append(out, page...); more {
			return out, fmt.Sprintf("%s.%d", kind, last), nil
		}
		w.after = 0
	}
	return out, "", nil
}

// read reads rows in their order; last is the number of the last one, more says whether
// there are others behind it.
func (b *book) read(ctx context.Context, limit int, which string, args ...any) (out []replayplan.Row, last int, more bool, err error) {
	fail := func(err error) ([]replayplan.Row, int, bool, error) {
		return nil, 0, false, fmt.Errorf("read the rows of a plan: %w", err)
	}
	rows, err := b.db.QueryContext(ctx, "SELECT n, row FROM rows WHERE "+which+" ORDER BY n LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		if len(out) == limit {
			return out, last, true, rows.Err()
		}
		var text string
		if err := rows.Scan(&last, &text); err != nil {
			return fail(err)
		}
		var row replayplan.Row
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			return fail(err)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return out, last, false, nil
}
