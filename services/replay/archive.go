package replay

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// archive holds the reports while a plan is made.
type archive struct {
	db   *sql.DB
	path string
	of   *sql.Stmt // the reports of a call
	// parked is what waits for a person: by call, and by the request that nobody could read.
	byCall, byRequest map[string][]event.CallParked
}

const archiveSchema = `
CREATE TABLE reports (call TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, client TEXT NOT NULL, report TEXT NOT NULL, PRIMARY KEY (call, seq)) WITHOUT ROWID;
CREATE INDEX reports_client ON reports (client, seq);
`

func newArchive(ctx context.Context, path string) (*archive, error) {
	removeDB(path)
	db, err := openDB(ctx, path, archiveSchema)
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, "PRAGMA synchronous = OFF"); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	of, err := db.PrepareContext(ctx, "SELECT seq, id, report FROM reports WHERE call = ? ORDER BY seq")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &archive{db: db, path: path, of: of, byCall: map[string][]event.CallParked{}, byRequest: map[string][]event.CallParked{}}, nil
}

func (a *archive) remove() {
	_ = a.of.Close()
	_ = a.db.Close()
	removeDB(a.path)
}

func removeDB(path string) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(path + suffix)
	}
}

// report is what one request says, read today.
type report struct {
	id   string
	seq  uint64
	call event.Call
}

// park keeps track of what waits for a person.
func (a *archive) park(e event.Envelope) {
	parked, err := event.As[event.CallParked](e)
	if err != nil {
		return
	}
	note := func(by map[string][]event.CallParked, key string) {
		by[key] = slices.DeleteFunc(by[key], func(p event.CallParked) bool { return p.ID == parked.ID })
		if parked.State == event.ParkedWaiting {
			by[key] = append(by[key], parked)
		}
		if len(by[key]) == 0 {
			delete(by, key)
		}
	}
	if parked.Call != "" {
		note(a.byCall, parked.Call)
		return
	}
	for _, id := range parked.Received {
		note(a.byRequest, id)
	}
}

// later are the calls of a client whose first request came after that of a call: neither
// that call itself nor an earlier one, of which more was reported since.
func (a *archive) later(ctx context.Context, client string, after uint64) (ids []string, err error) {
	const which = `SELECT call, (SELECT min(seq) FROM reports AS whole WHERE whole.call = reports.call) AS first FROM reports
		WHERE client = ? AND seq > ? GROUP BY call HAVING first > ? ORDER BY first LIMIT 50`
	rows, err := a.db.QueryContext(ctx, which, client, int64(after), int64(after))
	if err != nil {
		return nil, fmt.Errorf("list the calls of a client: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var first int64
		if err := rows.Scan(&id, &first); err != nil {
			return nil, fmt.Errorf("list the calls of a client: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
