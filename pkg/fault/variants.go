package fault

// Variants are the deliberately wrong versions of the program, and what each does
// wrong: mistakes that people make. Every one must make at least one test fail;
// `make variants` shows it.
var Variants = map[string]string{
	// The protocol of writing.
	"no-waiting":             "a lost request is searched for at once, while the portal may still be carrying it out",
	"waiting-10s":            "a lost request is waited for ten seconds only, less than a portal may take",
	"settle-forgotten":       "the search comes before the portal's index shows what was written last",
	"search-skipped":         "after the wait a lost request is sent again without looking",
	"mark-before-call":       "a command counts as done before its request left",
	"intent-after-call":      "nothing is on disk about a request before it leaves",
	"stale-intent-sent":      "a process that was paused sends what another may have settled meanwhile",
	"journal-forgotten":      "a call that is taken up again does not know what was written for it",
	"ambiguous-as-not-run":   "a request of which nobody knows the outcome is sent again",
	"batch-retried-whole":    "one command's failure sends its whole batch again",
	"attempt-in-external-id": "the second attempt carries another external id than the first",
	"adopted-unchecked":      "the first thing that a search shows is taken over, whoever made it",
	"adopted-as-closed":      "a task that is found counts as closed without a look at it",
	"unclosed-task":          "a task that was made counts as done although it is not closed yet",
	"dependency-ignored":     "a task is sent while nobody knows whether its lead exists",
	"context-from-message":   "a request is cut short when whoever asked for it goes away",
	"budget-stops-all":       "one method that is blocked stops all the others",
	"bucket-forgotten":       "after a start the portal is thought to have counted nothing",
	"memory-forgotten":       "what was just made for a client is known only once the portal's search shows it",
	"look-ups-at-once":       "after a start clients are looked up before the portal shows what was written last",
	"outcome-not-told":       "what became of a command is kept in the journal and told to nobody",

	// What an answer of the portal means.
	"reset-as-not-run":      "a connection that broke counts as a request that never arrived",
	"5xx-as-not-run":        "a server error counts as nothing done",
	"gap-as-not-run":        "a command that is missing from an answer counts as not carried out",
	"transport-sends-again": "net/http repeats a request by itself when a connection breaks",
	"pace-ignored":          "requests leave as fast as they come",
	"secret-in-error":       "an error tells the whole address, with the webhook's secret",

	// The broker.
	"publish-without-id":        "an event that is stored again is stored twice",
	"log-forgets-what-was-read": "an event is gone once its readers have read it",
	"sync-off":                  "an event counts as stored before it is on disk",
	"full-disk-accepts":         "webhooks are taken until nothing fits on the disk any more",
	"last-write-wins":           "a file that somebody else changed meanwhile is overwritten",
	"settled-before-handled":    "an event counts as settled when its handling begins",
	"failed-never-again":        "an event whose handling failed counts as seen, and is not given again",
	"poison-tried-for-ever":     "an event that nobody can read is tried for ever and stops what is behind it",
	"reader-without-heartbeat":  "events that wait for their turn are thought lost and are given again",
	"feed-without-heartbeat":    "commands that wait for a slow portal are thought lost and are given again",
	"durable-deleted-at-stop":   "a clean stop forgets how far a reader came, so it reads all again",
	"unsettled-left-waiting":    "after a crash unfinished work lies until the broker loses patience",

	// From the request to the plan.
	"answered-before-stored": "a webhook is answered before it is on disk",
	"body-cut":               "a body that is too large is cut instead of refused",
	"parked-forgotten":       "a request that nobody can read disappears",
	"event-not-in-the-file":  "a crash between storing a call's file and its event loses the event",
	"early-overwrites-late":  "the report that arrives last wins, whatever it says",
	"recording-lost-in-fold": "a recording that only one of the reports names is lost",
	"id-from-the-clock":      "an event made again is another event",
	"parts-run-together":     "different causes give the same id",
	"zone-of-the-server":     "a date without a zone is read in the server's, not in the project's",
	"lane-per-call":          "two calls of one client are worked on at the same time",
	"settled-not-awaited":    "the next call of a client does not wait for what is made for the last one",
	"early-report-acted-on":  "a call is written before it is over",
	"phone-exact-only":       "a client is found only under the spelling that the call came with",
	"late-facts-ignored":     "what a later report adds to a decided call reaches nobody",

	"own-lead-taken-for-the-clients": "a call that is decided again takes the lead made for it as one that was there before",
}
