-- The console's index. It holds nothing that the stream does not hold: delete the file
-- and it is built again. A change of it, or of what an event makes of it, needs a new
-- version in index.go.

-- Stored requests, by where they are in the stream; unread until the classifier read
-- or parked them.
CREATE TABLE requests (id TEXT PRIMARY KEY, project TEXT NOT NULL, seq INTEGER NOT NULL, unread INTEGER NOT NULL DEFAULT 1) STRICT, WITHOUT ROWID;
CREATE INDEX requests_unread ON requests (project) WHERE unread = 1;

CREATE TABLE calls (
	project TEXT NOT NULL, id TEXT NOT NULL,
	final INTEGER NOT NULL DEFAULT 0, started_at INTEGER NOT NULL DEFAULT 0, started TEXT NOT NULL DEFAULT '',
	direction TEXT NOT NULL DEFAULT '', outcome TEXT NOT NULL DEFAULT '', client TEXT NOT NULL DEFAULT '',
	phone TEXT NOT NULL DEFAULT '', employee TEXT NOT NULL DEFAULT '', rule TEXT NOT NULL DEFAULT '',
	state TEXT NOT NULL DEFAULT '', plan TEXT NOT NULL DEFAULT '',
	-- Digests of what is known of the call, and of what its plan was made from.
	facts TEXT NOT NULL DEFAULT '', planned TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID;
-- A call that did not say when it began stands where it was first told of, with an empty
-- started. Each index ends in the list's whole order: without the id the planner would
-- rather walk through all calls than sort (measured: 280 ms for one client among 100,000
-- calls). It begins with final, so that finished calls and those that go on are read
-- apart, or side by side.
CREATE INDEX calls_by_time ON calls (project, final, started_at DESC, id DESC);
CREATE INDEX calls_by_phone ON calls (project, final, phone, started_at DESC, id DESC);
CREATE INDEX calls_by_state ON calls (project, final, state, started_at DESC, id DESC);
CREATE INDEX calls_by_employee ON calls (project, final, employee, started_at DESC, id DESC);
CREATE INDEX calls_by_outcome ON calls (project, final, outcome, started_at DESC, id DESC);

-- Where each event but the stored requests is in the stream; call is empty for one that
-- is about no call.
CREATE TABLE events (id TEXT PRIMARY KEY, project TEXT NOT NULL, call TEXT NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_call ON events (project, call, seq);

CREATE TABLE commands (
	id TEXT PRIMARY KEY, project TEXT NOT NULL, call TEXT NOT NULL, plan TEXT NOT NULL, position INTEGER NOT NULL, size INTEGER NOT NULL,
	role TEXT NOT NULL, rule TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, bitrix_id INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX commands_by_call ON commands (project, call, position);
CREATE INDEX commands_in_doubt ON commands (project, call) WHERE state = 'in_doubt';

CREATE TABLE parked (
	id TEXT PRIMARY KEY, project TEXT NOT NULL, call TEXT NOT NULL, state TEXT NOT NULL, step TEXT NOT NULL,
	reason TEXT NOT NULL, remedy TEXT NOT NULL, reason_in TEXT NOT NULL, remedy_in TEXT NOT NULL, received TEXT NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX parked_by_state ON parked (project, state, at DESC);

-- The audit log: what people changed. project is empty for what is about the program as
-- a whole, person where a sign-in failed under a name that nobody has.
CREATE TABLE audit (
	seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, project TEXT NOT NULL, person TEXT NOT NULL, role TEXT NOT NULL, door TEXT NOT NULL,
	action TEXT NOT NULL, target TEXT NOT NULL, code INTEGER NOT NULL, details TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_project ON audit (project, seq DESC);
CREATE INDEX audit_by_person ON audit (person, seq DESC);
