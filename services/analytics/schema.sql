-- What analytics keeps of every call. It holds nothing that the stream does not hold: delete
-- the file and it is built again. A change of it, or of what an event makes of it, needs a
-- new version in model.go.

CREATE TABLE calls (
	number INTEGER PRIMARY KEY,
	project TEXT NOT NULL, id TEXT NOT NULL,
	final INTEGER NOT NULL, started_at INTEGER NOT NULL, -- milliseconds
	direction TEXT NOT NULL, outcome TEXT NOT NULL, client TEXT NOT NULL, phone TEXT NOT NULL, employee TEXT NOT NULL,
	source TEXT NOT NULL, medium TEXT NOT NULL, campaign TEXT NOT NULL, waiting_s INTEGER NOT NULL, talk_s INTEGER NOT NULL,
	rule TEXT NOT NULL, state TEXT NOT NULL, recording TEXT NOT NULL,
	-- Somebody was talked to; somebody called in vain and can be called back.
	talked INTEGER NOT NULL, missed INTEGER NOT NULL,
	-- When the client of a missed call was talked to next (0: not yet), and who called:
	-- outbound is us, inbound the client.
	next_at INTEGER NOT NULL DEFAULT 0, next_by TEXT NOT NULL DEFAULT '',
	-- When the client of a missed call called in vain next; 0: not again.
	again_at INTEGER NOT NULL DEFAULT 0,
	UNIQUE (project, id)
) STRICT;
CREATE INDEX calls_by_time ON calls (project, started_at, id) WHERE final = 1;
CREATE INDEX calls_talked ON calls (project, phone, started_at, direction) WHERE talked = 1;
CREATE INDEX calls_missed_by_phone ON calls (project, phone, started_at) WHERE missed = 1;
-- Missed calls whose client was talked to later.
CREATE INDEX calls_followed ON calls (project, started_at, next_at, next_by) WHERE missed = 1 AND next_at <> 0;
-- The others: the newest one of each client, and those before it.
CREATE INDEX calls_open ON calls (project, started_at DESC, phone) WHERE missed = 1 AND next_at = 0 AND again_at = 0;
CREATE INDEX calls_open_before ON calls (project, again_at, started_at, phone) WHERE missed = 1 AND next_at = 0 AND again_at <> 0;

-- What the next event of a call is judged by; apart, so that reading calls is quick.
CREATE TABLE memories (call INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT;

-- Sums, so that a year is read in a few thousand rows whatever was called. They are kept by
-- slots of six hours in UTC, numbered since 1970 (slots.go), and know no project's time zone.

-- All calls of a slot, by quarter of an hour; quarters.go says how they are written.
CREATE TABLE slots (project TEXT NOT NULL, slot INTEGER NOT NULL, quarters BLOB NOT NULL, PRIMARY KEY (project, slot)) STRICT, WITHOUT ROWID;

-- Calls per employee (kind 1), per source, medium and campaign (2): of one slot, and of many
-- together, which are numbered likewise.
CREATE TABLE tallies (
	project TEXT NOT NULL, kind INTEGER NOT NULL, slots INTEGER NOT NULL, slot INTEGER NOT NULL, key TEXT NOT NULL,
	calls INTEGER NOT NULL, answered INTEGER NOT NULL, missed INTEGER NOT NULL, voicemail INTEGER NOT NULL,
	outbound INTEGER NOT NULL, outbound_answered INTEGER NOT NULL, internal INTEGER NOT NULL,
	new INTEGER NOT NULL, known INTEGER NOT NULL, hidden INTEGER NOT NULL, talk_s INTEGER NOT NULL, waiting_s INTEGER NOT NULL,
	PRIMARY KEY (project, kind, slots, slot, key)
) STRICT, WITHOUT ROWID;

-- How long the clients of a slot's missed calls waited for the next talk, by who called
-- then: seconds, ascending (waits.go). A median needs each of them.
CREATE TABLE waits (project TEXT NOT NULL, slot INTEGER NOT NULL, by TEXT NOT NULL, seconds BLOB NOT NULL, PRIMARY KEY (project, slot, by)) STRICT, WITHOUT ROWID;
